//! What a handler asks of its caller: a tree of rules.
//!
//! Rules are values, so that a refusal can name the scope that was missing.
//!
//! ```
//! use portcullis::policy::{role, scope};
//!
//! let policy = scope("orders:read").or(role("admin"));
//! ```
//!
//! The functions of this module make rules for the default [`Grant`]. For a grant of the
//! application's own, [`grant`] makes a rule from a function, and [`Policy::on`] applies rules to
//! the [`Grant`] inside of one:
//!
//! ```
//! use portcullis::{Grant, policy::{self, scope}};
//!
//! struct Rights {
//!     standard: Grant,
//!     credit: u32,
//! }
//!
//! let policy = scope("orders:write")
//!     .on(|rights: &Rights| &rights.standard)
//!     .and(policy::grant(|rights: &Rights| rights.credit > 0));
//! ```

mod decision;
mod path_parameter;
mod route;
mod tree;

use std::sync::Arc;

use serde::Serialize;

pub use self::{
    decision::{Deciding, Decision},
    path_parameter::{PathParameter, path_parameter},
    route::RouteView,
    tree::Policy,
};
pub(crate) use self::{
    route::KeptRoute,
    tree::{Node, Quantity},
};

use crate::{AuthError, AuthErrorKind, Grant, Principal};

/// The caller has this scope token.
pub fn scope(token: impl Into<Box<str>>) -> Policy {
    all_scopes([token])
}

/// The caller has each of these scope tokens.
///
/// A rule without any token, or with one that no token can hold (it is empty, or has a space), never
/// allows, and neither does its [`not`](Policy::not).
pub fn all_scopes<I: IntoIterator<Item: Into<Box<str>>>>(tokens: I) -> Policy {
    Policy::scopes(tokens.into_iter().map(Into::into).collect(), Quantity::All)
}

/// The caller has at least one of these scope tokens.
pub fn any_scope<I: IntoIterator<Item: Into<Box<str>>>>(tokens: I) -> Policy {
    Policy::scopes(tokens.into_iter().map(Into::into).collect(), Quantity::Any)
}

/// The caller has this role.
pub fn role(role: impl Into<Box<str>>) -> Policy {
    any_role([role])
}

/// The caller has at least one of these roles.
pub fn any_role<I: IntoIterator<Item: Into<Box<str>>>>(roles: I) -> Policy {
    let roles: Vec<Box<str>> = roles.into_iter().map(Into::into).collect();
    if roles.is_empty() {
        return Policy::senseless("no role");
    }
    Policy::rule("any_role", move |_, grant: &Grant| {
        let has_one = roles.iter().any(|role| grant.has_role(role));
        if has_one { Ok(()) } else { Err(AuthErrorKind::InsufficientRole.into()) }
    })
}

/// A claim of the token has this value: same JSON type, same content. It is named by its member
/// name, not by a JSON pointer.
///
/// # Examples
///
/// ```
/// use portcullis::policy::claim;
///
/// let policy = claim("email_verified", true).and(claim("tenant", "acme"));
/// ```
pub fn claim(name: impl Into<String>, value: impl Serialize) -> Policy {
    let name = name.into();
    let Ok(value) = serde_json::to_value(value) else {
        return Policy::senseless(
            "a value that is no JSON, such as a map whose keys are no strings",
        );
    };
    Policy::rule("claim", move |principal: &Principal, _| {
        let claim: Option<serde_json::Value> = principal.claim(&name)?;
        let equal = claim.as_ref() == Some(&value);
        if equal { Ok(()) } else { Err(AuthErrorKind::NotPermitted.into()) }
    })
}

/// A function of the application looks at the grant.
pub fn grant<G>(function: impl Fn(&G) -> bool + Send + Sync + 'static) -> Policy<G> {
    Policy::rule("grant", move |_, grant| {
        if function(grant) { Ok(()) } else { Err(AuthErrorKind::NotPermitted.into()) }
    })
}

/// A function of the application looks at caller and grant, and may refuse with any
/// [kind](AuthErrorKind) of error.
pub fn check<G>(
    function: impl Fn(&Principal, &G) -> Result<(), AuthError> + Send + Sync + 'static,
) -> Policy<G> {
    Policy::rule("check", function)
}

/// A function of the application looks at caller and grant, and takes its time: it may ask a
/// database, say.
///
/// It may refuse with any [kind](AuthErrorKind) of error. Nothing limits how long it takes: that is
/// up to the function.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use portcullis::{AuthErrorKind, Grant, Principal, policy};
///
/// # async fn is_member(subject: &str) -> std::io::Result<bool> { Ok(subject == "alice") }
/// let policy = policy::check_async(async |caller: Principal, _grant: Arc<Grant>| {
///     match is_member(caller.subject()).await {
///         Ok(true) => Ok(()),
///         Ok(false) => Err(AuthErrorKind::NotPermitted.into()),
///         Err(_) => Err(AuthErrorKind::ResolverUnavailable.into()),
///     }
/// });
/// ```
pub fn check_async<G, F>(
    function: impl Fn(Principal, Arc<G>) -> F + Send + Sync + 'static,
) -> Policy<G>
where
    F: Future<Output = Result<(), AuthError>> + Send + 'static,
{
    Policy::async_rule("check_async", None, move |principal, grant, _| {
        Box::pin(function(principal, grant))
    })
}
