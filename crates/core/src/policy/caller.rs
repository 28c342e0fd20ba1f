//! Rules about who calls, and whom the token is from and for.

use super::{
    Policy,
    authorize::{Answer, Denial},
};
use crate::AuthErrorKind;

/// Every caller whose token is good: for a place that must name a policy.
pub fn authenticated() -> Policy {
    Policy::own_rule("authenticated", |_, _| Ok(()))
}

/// No caller: for a place that must name a policy, such as the default of
/// [`except_route`](Policy::except_route).
pub fn deny_all() -> Policy {
    Policy::own_rule("nobody", |_, _| Err(Denial::No(AuthErrorKind::NotPermitted.into())))
}

/// The token is from this issuer ([RFC 7519 §4.1.1]): for a service that trusts several. Another
/// one's token is rejected with 401, as from an
/// [untrusted issuer](AuthErrorKind::UntrustedIssuer).
///
/// [RFC 7519 §4.1.1]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.1
pub fn issuer(issuer: impl Into<Box<str>>) -> Policy {
    let issuer = issuer.into();
    Policy::own_rule("issuer", move |principal, _| {
        yes_or(principal.issuer() == &*issuer, AuthErrorKind::UntrustedIssuer)
    })
}

/// The token is meant for this audience, on top of those of the engine ([RFC 7519 §4.1.3]): for
/// routes that are a resource of their own. Any other token is rejected with 401, as for the
/// [wrong audience](AuthErrorKind::WrongAudience).
///
/// [RFC 7519 §4.1.3]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3
pub fn audience(audience: impl Into<Box<str>>) -> Policy {
    let audience = audience.into();
    if audience.is_empty() {
        return Policy::senseless("an audience without a name");
    }
    Policy::own_rule("audience", move |principal, _| {
        yes_or(principal.has_audience(&audience), AuthErrorKind::WrongAudience)
    })
}

/// The token was issued to this client of this issuer: a client's id is unique within its issuer
/// only.
pub fn client(issuer: impl Into<Box<str>>, client_id: impl Into<Box<str>>) -> Policy {
    let (issuer, client_id) = (issuer.into(), client_id.into());
    Policy::own_rule("client", move |principal, _| {
        let is_it = principal.issuer() == &*issuer && principal.client_id() == Some(&*client_id);
        yes_or(is_it, AuthErrorKind::NotPermitted)
    })
}

/// The caller is this subject of this issuer: a subject is unique within its issuer only
/// ([RFC 7519 §4.1.2]).
///
/// [RFC 7519 §4.1.2]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.2
pub fn subject(issuer: impl Into<Box<str>>, subject: impl Into<Box<str>>) -> Policy {
    let (issuer, subject) = (issuer.into(), subject.into());
    if subject.is_empty() {
        return Policy::senseless("a subject without a name");
    }
    Policy::own_rule("subject", move |principal, _| {
        let is_it = principal.issuer() == &*issuer && principal.subject() == &*subject;
        yes_or(is_it, AuthErrorKind::NotPermitted)
    })
}

/// This party acts for the subject now ([RFC 8693 §4.1]): a subject of this issuer. An actor whose
/// issuer the token does not name is one of the token's issuer. Those who acted before do not count.
///
/// [RFC 8693 §4.1]: https://www.rfc-editor.org/rfc/rfc8693#section-4.1
pub fn actor(issuer: impl Into<Box<str>>, subject: impl Into<Box<str>>) -> Policy {
    let (issuer, subject) = (issuer.into(), subject.into());
    if subject.is_empty() {
        return Policy::senseless("an actor without a name");
    }
    Policy::own_rule("actor", move |principal, _| {
        let is_it = principal.actor().is_some_and(|actor| {
            let issuer_of_actor = actor.issuer().unwrap_or_else(|| principal.issuer());
            issuer_of_actor == &*issuer && actor.subject() == &*subject
        });
        yes_or(is_it, AuthErrorKind::NotPermitted)
    })
}

/// The subject acts itself: the token names no actor ([RFC 8693 §4.1]).
///
/// [RFC 8693 §4.1]: https://www.rfc-editor.org/rfc/rfc8693#section-4.1
pub fn not_delegated() -> Policy {
    Policy::own_rule("not_delegated", |principal, _| {
        yes_or(principal.actors().is_empty(), AuthErrorKind::NotPermitted)
    })
}

fn yes_or(yes: bool, kind: AuthErrorKind) -> Answer {
    // Unlike a function of the application, which may not know the caller, the rule does tell.
    if yes { Ok(()) } else { Err(Denial::No(kind.into())) }
}
