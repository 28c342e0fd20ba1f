//! Who is it, and what may they do? ([RFC 9068 §2.2], [RFC 8693 §4])
//!
//! [RFC 9068 §2.2]: https://www.rfc-editor.org/rfc/rfc9068#section-2.2
//! [RFC 8693 §4]: https://www.rfc-editor.org/rfc/rfc8693#section-4

use std::{borrow::Cow, sync::Arc};

use super::{check::CheckedClaims, validate::ValidClaims};
use crate::{
    Actor, AuthError, AuthErrorKind, Authenticated, Principal,
    authenticator::{GrantSource, PrincipalMapping},
    issuer::IssuerConfig,
    json::{Kind, Name, Value},
    principal::{PrincipalParts, Text},
};

/// The principal in parts, and the grant or how to make it.
///
/// The parts point into the text of the claims instead of borrowing it, so that the text can move
/// into the principal without a copy.
#[derive(Debug)]
pub(super) struct Mapped<'s, G> {
    parts: PrincipalParts,
    grant: Pending<'s, G>,
}

#[derive(Debug)]
enum Pending<'s, G> {
    Ready(G),
    NeedsPrincipal(&'s PrincipalMapping<G>),
}

impl<G> Mapped<'_, G> {
    /// Puts the caller together.
    #[inline]
    pub(super) fn finish(
        self,
        claims: String,
        issuer: &Arc<IssuerConfig>,
    ) -> Result<Authenticated<G>, AuthError> {
        let principal = Principal::new(claims, Arc::clone(issuer), self.parts);
        let grant = match self.grant {
            Pending::Ready(grant) => grant,
            Pending::NeedsPrincipal(mapping) => mapping.map(&principal)?,
        };
        Ok(Authenticated::new(principal, Arc::new(grant)))
    }
}

/// Finds the caller in the claims.
///
/// # Errors
///
/// [`AuthErrorKind::MalformedClaim`] for a claim of another type than its definition says, and what
/// the mapping of the application refuses.
#[inline]
pub(super) fn map<'s, G>(
    checked: CheckedClaims<'_>,
    source: &'s GrantSource<G>,
) -> Result<Mapped<'s, G>, AuthError> {
    let valid = &checked.into_valid();
    let authorized_party = text(valid, Name::Azp)?;
    let parts = PrincipalParts {
        subject: text(valid, Name::Sub)?.unwrap_or_default(),
        token_issuer: text(valid, Name::Iss)?,
        client_id: text(valid, Name::ClientId)?.or(authorized_party),
        token_id: text(valid, Name::Jti)?,
        actors: actors(valid.claim(Name::Act))?,
        expires_at: valid.expires_at(),
        issued_at: valid.issued_at(),
    };
    let grant = match source {
        GrantSource::Claims(map) => Pending::Ready(map(&valid.issuer().mapping, valid.claims())?),
        GrantSource::Principal(mapping) => Pending::NeedsPrincipal(mapping),
    };
    Ok(Mapped { parts, grant })
}

/// Reads a claim that is a string, as its place in the text.
fn text(valid: &ValidClaims<'_>, name: Name) -> Result<Option<Text>, AuthError> {
    let Some(value) = valid.claim(name) else {
        return Ok(None);
    };
    let reason = "a claim that is a string by definition is none";
    match value.as_str() {
        None => Err(AuthError::because(AuthErrorKind::MalformedClaim, reason)),
        Some(Cow::Owned(text)) => Ok(Some(Text::Owned(text.into()))),
        Some(Cow::Borrowed(text)) => {
            // Where the text stands inside of the claims, which it was cut out of.
            let start = text.as_ptr().addr().checked_sub(valid.claims_text().as_ptr().addr());
            let span = start.and_then(|start| Some((start, start.checked_add(text.len())?)));
            Ok(span.map(|(start, end)| Text::Span(start, end)))
        }
    }
}

/// Reads the chain of actors, the acting party first ([RFC 8693 §4.1]). Its depth was limited when
/// the token was taken apart.
///
/// [RFC 8693 §4.1]: https://www.rfc-editor.org/rfc/rfc8693#section-4.1
fn actors(claim: Option<Value<'_>>) -> Result<Vec<Actor>, AuthError> {
    const MALFORMED: AuthError =
        AuthError::because(AuthErrorKind::MalformedClaim, "`act` is not an actor with a subject");
    let mut actors = Vec::new();
    let mut next = claim;
    while let Some(value) = next {
        let actor = match value.kind() {
            Kind::Object => value.as_object().ok_or(MALFORMED)?,
            _ => return Err(MALFORMED),
        };
        let string = |name| match actor.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(|text| Some(text.into())).ok_or(MALFORMED),
        };
        let subject: Box<str> = string(Name::Sub)?.ok_or(MALFORMED)?;
        actors.push(Actor { subject, issuer: string(Name::Iss)? });
        next = actor.get(Name::Act);
    }
    Ok(actors)
}
