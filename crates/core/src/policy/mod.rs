//! What a handler asks of its caller: a tree of rules.
//!
//! Rules are values, so that a rejection can name the scope that was missing.
//!
//! ```
//! use portcullis::policy::{role, scope};
//!
//! let policy = scope("orders:read").or(role("admin"));
//! ```
//!
//! # The rules
//!
//! | rule | allows a caller | else |
//! |---|---|---|
//! | [`scope`], [`all_scopes`], [`any_scope`] | with scope tokens | 403, which names them |
//! | [`ScopeHierarchy`] | with a scope that covers another, in a grammar of the application's own | 403, which names it |
//! | [`role`], [`all_roles`], [`any_role`] | with roles | 403 |
//! | [`RoleHierarchy::role_at_least`] | with a role, or one that stands higher | 403 |
//! | [`permission`] | with a level on a resource, which may be one that the path names | 403 |
//! | [`RoleHierarchy::permission_at_least`] | with a level, or one that stands higher | 403 |
//! | [`claim`] | whose token has a claim of this value | 403 |
//! | [`PathParameter::equals_claim`], [`is_in_claim`](PathParameter::is_in_claim) | whose token has the path parameter in a claim | 403 |
//! | [`TokenKinds`] | whose token is of a kind | 403 |
//! | [`acr_values`], [`max_age`] | who logged in strongly, or not long ago | 401, which says how to |
//! | [`issuer`], [`audience`] | whose token is from this issuer, or for this audience | 401 |
//! | [`client`], [`subject`] | who is this one | 403 |
//! | [`actor`], [`not_delegated`] | for whom this one acts, or who acts itself | 403 |
//! | [`grant`], [`check`], [`PathParameter::check`] | whom a function of the application allows | 403, or as it says |
//! | [`check_async`], [`PathParameter::check_async`] | the same, in its own time | 403, or as it says |
//! | [`authenticated`], [`deny_all`] | always, never | 403 |
//!
//! # Put together
//!
//! [`and`](Policy::and), [`or`](Policy::or) and [`not`](Policy::not) make rules of rules. They are
//! asked from left to right, and no further than is needed, asynchronous ones too. A rule that says
//! no has an opposite. One that *cannot tell* has none, and decides for the whole, unless it was not
//! needed: something is unavailable or malformed, or the rule itself is a
//! [mistake](Policy::mistakes). So no `or` and no `not` makes a yes of it.
//!
//! A rule that reads a claim which the token [does not include](Grant#claims-that-the-token-does-not-include),
//! such as the groups of a member of very many, cannot tell either, and rejects with 403 (code
//! `claim_not_included`). Here the other rule of an `or` is still asked, and may allow.
//!
//! Layers add up: one inside of another can ask for more, never for less. An exception from what a
//! group asks for is therefore written where the group's policy is, with
//! [`except_route`](Policy::except_route).
//!
//! # Grants of other types
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

mod authorize;
mod caller;
mod path_parameter;
mod permission;
mod role_hierarchy;
mod route;
mod route_table;
mod scope_hierarchy;
mod step_up;
#[cfg(test)]
mod tests;
mod token_kinds;
mod tree;
mod walk;

use std::{error::Error, sync::Arc};

use serde::Serialize;

use self::{
    authorize::{Answer, Denial},
    route::KeptRoute,
    route_table::RouteTable,
    step_up::check_login,
    tree::{Node, Quantity},
};
pub use self::{
    caller::{actor, audience, authenticated, client, deny_all, issuer, not_delegated, subject},
    path_parameter::{PathParameter, path_parameter},
    permission::{Resource, permission},
    role_hierarchy::RoleHierarchy,
    route::RouteView,
    scope_hierarchy::ScopeHierarchy,
    step_up::{acr_values, max_age},
    token_kinds::TokenKinds,
    tree::Policy,
};
use crate::{AuthError, AuthErrorKind, Grant, Principal, claims::ClaimPath};

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

/// The caller has each of these roles.
///
/// A rule without any role never allows, and neither does its [`not`](Policy::not).
pub fn all_roles<I: IntoIterator<Item: Into<Box<str>>>>(roles: I) -> Policy {
    let roles: Vec<Box<str>> = roles.into_iter().map(Into::into).collect();
    if roles.is_empty() {
        return Policy::senseless("no role");
    }
    Policy::own_rule("all_roles", move |_, grant: &Grant| {
        has_roles(roles.iter().all(|role| grant.has_role(role)))
    })
}

/// The caller has at least one of these roles.
///
/// A rule without any role never allows, and neither does its [`not`](Policy::not). Roles that
/// include others are [`RoleHierarchy`].
pub fn any_role<I: IntoIterator<Item: Into<Box<str>>>>(roles: I) -> Policy {
    let roles: Vec<Box<str>> = roles.into_iter().map(Into::into).collect();
    if roles.is_empty() {
        return Policy::senseless("no role");
    }
    Policy::own_rule("any_role", move |_, grant: &Grant| {
        has_roles(roles.iter().any(|role| grant.has_role(role)))
    })
}

fn has_roles(enough: bool) -> Answer {
    if enough { Ok(()) } else { Err(Denial::No(AuthErrorKind::InsufficientRole.into())) }
}

/// A claim of the token has this value: same JSON type, same content. It is named by its member
/// name, or by a JSON pointer with a leading slash.
///
/// # Examples
///
/// ```
/// use portcullis::policy::claim;
///
/// let policy = claim("email_verified", true).and(claim("/org/tenant", "acme"));
/// ```
pub fn claim(name: &str, value: impl Serialize) -> Policy {
    let Ok(path) = ClaimPath::parse(name) else {
        return Policy::senseless("a claim whose name is empty or no JSON pointer");
    };
    let Ok(value) = serde_json::to_value(value) else {
        return Policy::senseless(
            "a value that is no JSON, such as a map whose keys are no strings",
        );
    };
    Policy::rule("claim", move |principal: &Principal, _| {
        let claim: Option<serde_json::Value> = principal.claim_at(&path)?;
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

/// A function of the application looks at caller and grant, and may reject with any
/// [kind](AuthErrorKind) of error.
pub fn check<G>(
    function: impl Fn(&Principal, &G) -> Result<(), AuthError> + Send + Sync + 'static,
) -> Policy<G> {
    Policy::rule("check", function)
}

/// The answer of a rule of the application that says yes or no: a no is
/// [`NotPermitted`](AuthErrorKind::NotPermitted), for a reason that its
/// [source](std::error::Error::source) keeps. Callers are not told the reason.
///
/// # Errors
///
/// The no.
///
/// # Examples
///
/// ```
/// use portcullis::policy::{self, allow_if};
///
/// struct Rights {
///     credit: u32,
/// }
///
/// let policy = policy::check(|_, rights: &Rights| {
///     allow_if(rights.credit >= 10, || format!("a credit of {} is too little", rights.credit))
/// });
/// ```
pub fn allow_if<R>(yes: bool, reason: impl FnOnce() -> R) -> Result<(), AuthError>
where
    R: Into<Box<dyn Error + Send + Sync>>,
{
    if yes { Ok(()) } else { Err(AuthError::with_source(AuthErrorKind::NotPermitted, reason())) }
}

/// A function of the application looks at caller and grant, and takes its time: it may ask a
/// database, say.
///
/// It may reject with any [kind](AuthErrorKind) of error. Nothing limits how long it takes: that is
/// up to the function.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use portcullis::{AuthErrorKind, Grant, Principal, policy};
///
/// # struct Members;
/// # impl Members {
/// #     async fn has(&self, subject: &str) -> std::io::Result<bool> { Ok(subject == "alice") }
/// # }
/// # let members = Arc::new(Members);
/// let policy = policy::check_async(move |caller: Principal, _grant: Arc<Grant>| {
///     let members = Arc::clone(&members);
///     async move {
///         match members.has(caller.subject()).await {
///             Ok(true) => Ok(()),
///             Ok(false) => Err(AuthErrorKind::NotPermitted.into()),
///             Err(_) => Err(AuthErrorKind::ResolverUnavailable.into()),
///         }
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
