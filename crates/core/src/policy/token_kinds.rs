//! Rules about what a token is for.

use super::{
    Policy,
    authorize::{Answer, Denial},
};
use crate::{AuthError, AuthErrorKind, claims::ClaimPath, json::Kind};

/// The kinds of tokens that an issuer makes, told apart by a claim, and declared once: tokens for a
/// running task and for one that waits, say.
///
/// A token whose kind is not among them, or is not told where it must be, is allowed by no rule, nor
/// by its [`not`](Policy::not). A rule that names a kind which is not among them is a
/// [mistake](Policy::mistakes), and never allows.
///
/// # A kind for a whole group, and others on single routes
///
/// Layers add up: one around a group of routes that asks for kind `execution` rejects all others,
/// whatever a layer inside says. So the route that takes another kind is named where the group's
/// kind is, with [`except_route`](Policy::except_route):
///
/// ```
/// use portcullis::policy::TokenKinds;
///
/// let kinds = TokenKinds::new("scope", ["execution", "workload"]).absent_is("execution");
/// let group = kinds
///     .only("execution")
///     .except_method("PATCH", "/task-instances/{id}/run", kinds.one_of(["execution", "workload"]))
///     .except_route("/connection-tests/{id}", kinds.only("workload"));
/// ```
///
/// Then nothing is rejected behind the back of a route, since the exception is part of the group's
/// rule; nothing is loosened behind the back of the group, since each exception names the one route
/// that it is for; a route that is new takes the group's kind; and an exception that names no route,
/// by a slip of the pen, opens nothing.
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenKinds {
    claim: String,
    known: Vec<Box<str>>,
    absent: Option<Box<str>>,
}

impl TokenKinds {
    /// Declares the claim that tells the kind, by its member name or by a JSON pointer with a leading
    /// slash, and the kinds that there are.
    pub fn new<I: IntoIterator<Item: Into<Box<str>>>>(claim: impl Into<String>, known: I) -> Self {
        let known = known.into_iter().map(Into::into).collect();
        Self { claim: claim.into(), known, absent: None }
    }

    /// The kind of a token without the claim. Default: none.
    pub fn absent_is(self, kind: impl Into<Box<str>>) -> Self {
        Self { absent: Some(kind.into()), ..self }
    }

    /// The token is of this kind.
    pub fn only(&self, kind: &str) -> Policy {
        self.one_of([kind])
    }

    /// The token is of one of these kinds.
    pub fn one_of<I: IntoIterator<Item: Into<Box<str>>>>(&self, kinds: I) -> Policy {
        let kinds: Vec<Box<str>> = kinds.into_iter().map(Into::into).collect();
        let unknown = kinds.iter().chain(&self.absent).find(|kind| !self.known.contains(kind));
        if let Some(kind) = unknown {
            return Policy::senseless(format!("`{kind}` is not among the kinds of tokens"));
        }
        let Ok(claim) = ClaimPath::parse(&self.claim) else {
            return Policy::senseless("a kind of tokens whose claim is empty or no JSON pointer");
        };
        if kinds.is_empty() {
            return Policy::senseless("no kind of tokens");
        }
        let (known, absent) = (self.known.clone(), self.absent.clone());
        Policy::own_rule("token_kind", move |principal, _| {
            let claims = principal.object().ok_or(Denial::Unknown(MALFORMED))?;
            let value = claim.find_included(&claims).map_err(Denial::Unknown)?;
            // `null` is not there.
            let kind = match value.filter(|value| value.kind() != Kind::Null) {
                Some(value) => Some(value.as_str().ok_or(Denial::Unknown(MALFORMED))?),
                None => None,
            };
            decide(kind.as_deref().or(absent.as_deref()), &kinds, &known)
        })
    }
}

const MALFORMED: AuthError =
    AuthError::because(AuthErrorKind::MalformedClaim, "the kind of the token is not a string");

fn decide(kind: Option<&str>, allowed: &[Box<str>], known: &[Box<str>]) -> Answer {
    let is_in = |kinds: &[Box<str>]| kinds.iter().any(|own| Some(&**own) == kind);
    if is_in(allowed) {
        Ok(())
    } else if is_in(known) {
        Err(Denial::No(AuthErrorKind::NotPermitted.into()))
    } else {
        let reason = "the token is of no kind that is known";
        Err(Denial::Unknown(AuthError::because(AuthErrorKind::NotPermitted, reason)))
    }
}
