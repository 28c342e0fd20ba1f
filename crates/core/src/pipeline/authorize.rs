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
    decide(policy, principal, grant).map_err(|refusal| match refusal {
        Refusal::No(error) | Refusal::CannotTell(error) => error,
    })
}

/// A rule that says no, and one that could not answer: only the first has an opposite.
enum Refusal {
    No(AuthError),
    CannotTell(AuthError),
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        match error.kind() {
            AuthErrorKind::InsufficientScope
            | AuthErrorKind::InsufficientRole
            | AuthErrorKind::NotPermitted
            | AuthErrorKind::ReauthenticationRequired => Self::No(error),
            _ => Self::CannotTell(error),
        }
    }
}

fn decide<G>(policy: &Policy<G>, principal: &Principal, grant: &G) -> Result<(), Refusal> {
    let ask = |policy: &Policy<G>| decide(policy, principal, grant);
    match &policy.node {
        Node::Scopes { tokens, quantity, grant: find } => {
            check_scopes(tokens, *quantity, find(grant)).map_err(Refusal::No)
        }
        Node::Rule { function, .. } => function(principal, grant).map_err(Refusal::from),
        Node::Senseless(reason) => {
            Err(Refusal::CannotTell(AuthError::because(AuthErrorKind::NotPermitted, reason)))
        }
        Node::And(pair) => {
            let [first, second] = &**pair;
            ask(first).and_then(|()| ask(second)).map_err(|refusal| name_all(refusal, policy))
        }
        Node::Or(pair) => {
            let [first, second] = &**pair;
            match ask(first) {
                Err(Refusal::No(refused)) => match ask(second) {
                    Err(Refusal::No(_)) => Err(Refusal::No(refused)),
                    decided => decided,
                },
                decided => decided,
            }
        }
        Node::Not(inner) => match ask(inner) {
            Ok(()) => Err(Refusal::No(AuthErrorKind::NotPermitted.into())),
            Err(Refusal::No(_)) => Ok(()),
            cannot_tell => cannot_tell,
        },
    }
}

fn check_scopes(tokens: &[Box<str>], quantity: Quantity, grant: &Grant) -> Result<(), AuthError> {
    let enough = match quantity {
        Quantity::All => tokens.iter().all(|token| grant.has_scope(token)),
        Quantity::Any => tokens.iter().any(|token| grant.has_scope(token)),
    };
    if enough { Ok(()) } else { Err(AuthError::insufficient_scope(scope_of(tokens, quantity))) }
}

fn scope_of(tokens: &[Box<str>], quantity: Quantity) -> String {
    match quantity {
        Quantity::All => tokens.join(" "),
        // The first one would do: asking for all of them would ask for more than is needed.
        Quantity::Any => tokens.first().map(|token| token.to_string()).unwrap_or_default(),
    }
}

/// Lets a refusal name every scope that a rule needs which is made of scopes alone.
fn name_all<G>(refusal: Refusal, policy: &Policy<G>) -> Refusal {
    match (refusal, required_scope(policy)) {
        (Refusal::No(error), Some(scope)) if error.missing_scope().is_some() => {
            Refusal::No(AuthError::insufficient_scope(scope))
        }
        (refusal, _) => refusal,
    }
}

fn required_scope<G>(policy: &Policy<G>) -> Option<String> {
    match &policy.node {
        Node::Scopes { tokens, quantity, .. } => Some(scope_of(tokens, *quantity)),
        Node::And(pair) => {
            let [first, second] = &**pair;
            Some(format!("{} {}", required_scope(first)?, required_scope(second)?))
        }
        Node::Or(pair) => {
            let [first, second] = &**pair;
            required_scope(first).filter(|_| required_scope(second).is_some())
        }
        Node::Rule { .. } | Node::Senseless(_) | Node::Not(_) => None,
    }
}
