//! Which policy is asked for which method.

mod error;
mod name;
mod table;

use portcullis::{Grant, Policy};

pub use error::MethodError;
pub(crate) use table::{MethodTable, Rule};

use table::Row;

/// A table of policies, one for each method.
///
/// A call is judged by the first of these that there is:
///
/// 1. the rule of its method,
/// 2. the rule of its service,
/// 3. the rule for [others](Self::others).
///
/// A method without any of them is rejected: 16 (`UNAUTHENTICATED`) to who has no good credentials, and
/// 7 (`PERMISSION_DENIED`) to everyone else, whether the server has such a method or not. Names are
/// those of the request's path, `/package.Service/Method`, compared letter by letter.
///
/// A rule stands alone: that of a method replaces that of its service, and is not added to it.
///
/// # Examples
///
/// ```
/// use portcullis_tonic::{JwtAuthLayer, MethodPolicies, policy::{role, scope}};
/// # use portcullis_tonic::{Authenticator, MethodError};
///
/// # fn layer(auth: Authenticator) -> Result<JwtAuthLayer, MethodError> {
/// let methods = MethodPolicies::new()
///     .method("/orders.v1.Orders/List", scope("orders:read"))
///     .method("/orders.v1.Orders/Delete", role("admin"))
///     .any_caller("/orders.v1.Orders/WhoAmI")
///     .service("orders.v1.Reports", scope("reports"))
///     .public("/grpc.health.v1.Health/Check");
/// # Ok(
/// JwtAuthLayer::new(auth).methods(methods)?
/// # ) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct MethodPolicies<G = Grant> {
    rows: Vec<Row<G>>,
}

impl<G: Send + Sync + 'static> MethodPolicies<G> {
    /// Creates a table without rules, which would reject every call.
    pub fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Asks for a policy on one method, by its full name: `/package.Service/Method`.
    pub fn method(self, name: impl Into<String>, policy: Policy<G>) -> Self {
        self.row(Row::Method(name.into(), Rule::policy(policy)))
    }

    /// Asks for a policy on each method of a service that has no rule of its own. The service is named
    /// as in `NamedService::NAME`: `package.Service`.
    pub fn service(self, name: impl Into<String>, policy: Policy<G>) -> Self {
        self.row(Row::Service(name.into(), Rule::policy(policy)))
    }

    /// Asks for one policy on several methods of a service, each by its own name: `Method`. The service
    /// is named as in `NamedService::NAME`.
    ///
    /// ```
    /// use portcullis_tonic::{MethodPolicies, policy::role};
    ///
    /// let methods = MethodPolicies::new()
    ///     .methods("orders.v1.Orders", ["List", "Show"], &role("reader"))
    ///     .methods("orders.v1.Orders", ["Delete"], &role("admin"));
    /// ```
    pub fn methods<N: AsRef<str>>(
        self,
        service: &str,
        names: impl IntoIterator<Item = N>,
        policy: &Policy<G>,
    ) -> Self {
        let full = |name: N| format!("/{service}/{}", name.as_ref());
        names.into_iter().fold(self, |table, name| table.method(full(name), policy.clone()))
    }

    /// Lets everyone with good credentials call a method.
    pub fn any_caller(self, name: impl Into<String>) -> Self {
        self.row(Row::Method(name.into(), Rule::any_caller()))
    }

    /// Asks nothing of the calls of a method but what the layer asks of every call: good credentials, or
    /// none at all behind an [optional](crate::JwtAuthLayer::optional) layer. Bad ones are rejected.
    pub fn no_policy(self, name: impl Into<String>) -> Self {
        self.row(Row::Method(name.into(), Rule::NoPolicy))
    }

    /// Lets everyone call a method, whatever credentials come with the call: for health checks, say.
    ///
    /// A caller with good credentials is known to the handler all the same; one with bad ones, or with
    /// a token whose key is not at hand, is nobody. Such a call never waits for a key, and its stream
    /// does not end with its token. An engine for
    /// [production](portcullis::AuthenticatorBuilder::production) keeps the method public.
    pub fn public(self, name: impl Into<String>) -> Self {
        self.row(Row::Method(name.into(), Rule::Public))
    }

    /// Lets everyone call each method of a service that has no rule of its own, as
    /// [`public`](Self::public) does.
    pub fn public_service(self, name: impl Into<String>) -> Self {
        self.row(Row::Service(name.into(), Rule::Public))
    }

    /// Asks for a policy on each method that has no rule by its name or its service. Default: such a
    /// method is rejected.
    pub fn others(self, policy: Policy<G>) -> Self {
        self.row(Row::Others(Rule::policy(policy)))
    }

    fn row(mut self, row: Row<G>) -> Self {
        self.rows.push(row);
        self
    }

    pub(crate) fn build(self) -> Result<MethodTable<G>, MethodError> {
        MethodTable::new(self.rows)
    }
}

impl<G: Send + Sync + 'static> Default for MethodPolicies<G> {
    fn default() -> Self {
        Self::new()
    }
}
