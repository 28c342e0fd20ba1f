//! May they use this handler? ([RFC 6750 §3.1])
//!
//! [RFC 6750 §3.1]: https://www.rfc-editor.org/rfc/rfc6750#section-3.1

use crate::{
    AuthError, AuthErrorKind, Grant, Policy, Principal,
    policy::{Node, Quantity},
};

/// Decides by a policy whether a caller may go on.
///
/// # Errors
///
/// [`AuthErrorKind::InsufficientScope`], naming the scope that the rule needs;
/// [`AuthErrorKind::InsufficientRole`], [`AuthErrorKind::NotPermitted`], and what functions of the
/// application refuse with.
pub(crate) fn authorize<G>(
    policy: &Policy<G>,
    principal: &Principal,
    grant: &G,
) -> Result<(), AuthError> {
    match &policy.node {
        Node::Scopes { tokens, quantity, grant: find } => {
            check_scopes(tokens, *quantity, find(grant))
        }
        Node::Rule { function, .. } => function(principal, grant),
        Node::And(pair) => {
            let [first, second] = &**pair;
            authorize(first, principal, grant)?;
            authorize(second, principal, grant)
        }
        Node::Or(pair) => {
            let [first, second] = &**pair;
            match authorize(first, principal, grant) {
                Err(refused) if is_a_no(&refused) => match authorize(second, principal, grant) {
                    Err(second) if is_a_no(&second) => Err(refused),
                    decided => decided,
                },
                decided => decided,
            }
        }
        Node::Not(inner) => match authorize(inner, principal, grant) {
            Ok(()) => Err(AuthErrorKind::NotPermitted.into()),
            Err(refused) if is_a_no(&refused) => Ok(()),
            Err(unknown) => Err(unknown),
        },
    }
}

/// Tells a rule that said no from one that could not answer.
fn is_a_no(error: &AuthError) -> bool {
    matches!(
        error.kind(),
        AuthErrorKind::InsufficientScope
            | AuthErrorKind::InsufficientRole
            | AuthErrorKind::NotPermitted
            | AuthErrorKind::ReauthenticationRequired
    )
}

fn check_scopes(tokens: &[Box<str>], quantity: Quantity, grant: &Grant) -> Result<(), AuthError> {
    let enough = match quantity {
        Quantity::All => tokens.iter().all(|token| grant.has_scope(token)),
        Quantity::Any => tokens.iter().any(|token| grant.has_scope(token)),
    };
    if enough {
        return Ok(());
    }
    Err(AuthError::insufficient_scope(match quantity {
        Quantity::All => tokens.join(" "),
        // The first one would do: asking for all of them would ask for more than is needed.
        Quantity::Any => tokens.first().map(|token| token.to_string()).unwrap_or_default(),
    }))
}
