//! Who is it, and what may they do? ([RFC 9068 §2.2], [RFC 8693 §4])
//!
//! [RFC 9068 §2.2]: https://www.rfc-editor.org/rfc/rfc9068#section-2.2
//! [RFC 8693 §4]: https://www.rfc-editor.org/rfc/rfc8693#section-4

use std::{borrow::Cow, sync::Arc};

use super::{
    check::{CheckedClaims, SESSION, begun_at},
    stop::{Missing, Stop},
};
use crate::{
    Actor, AuthError, AuthErrorKind, Authenticated, NumericDate, Principal,
    claims::NotIncluded,
    engine::Engine,
    grant_source::GrantSource,
    issuer::IssuerConfig,
    json::{Kind, Name, Object, Value},
    principal::{PrincipalParts, Revocable, Text},
};

/// The principal without the text of its claims, and the grant if no function of the application takes
/// part in it.
///
/// The principal's parts point into the text instead of borrowing it, so that the text can move into the
/// principal without a copy.
#[derive(Debug)]
pub(super) struct Mapped<G> {
    caller: Principal,
    grant: Option<Arc<G>>,
}

impl<G: Send + Sync + 'static> Mapped<G> {
    /// Returns who acts for the subject, if anyone does.
    pub(super) fn actor(&self) -> Option<&Actor> {
        self.caller.actor()
    }

    /// Puts the caller together.
    #[inline]
    pub(super) fn finish(
        self,
        claims: String,
        issuer: &Arc<IssuerConfig>,
        engine: &Engine<G>,
    ) -> Result<Authenticated<G>, Stop> {
        let caller = self.caller.with_claims(claims);
        match self.grant {
            Some(grant) => Ok(Authenticated::new(caller, grant)),
            None => accept(caller, Some(issuer), engine),
        }
    }
}

/// Accepts a caller that memory knows no revocation of: at once, or in strict mode when the store has said
/// the same. `issuer` is the one whose own checks of the application have not run yet.
pub(super) fn accept<G: Send + Sync + 'static>(
    caller: Principal,
    issuer: Option<&Arc<IssuerConfig>>,
    engine: &Engine<G>,
) -> Result<Authenticated<G>, Stop> {
    if engine.asks_at_each_request() {
        return Err(Stop::at_store(Missing::Revocations(caller, issuer.map(Arc::clone))));
    }
    accept_unrevoked(caller, issuer, engine)
}

/// Accepts a caller that was not revoked, unless the application says otherwise.
pub(crate) fn accept_unrevoked<G: Send + Sync + 'static>(
    caller: Principal,
    issuer: Option<&Arc<IssuerConfig>>,
    engine: &Engine<G>,
) -> Result<Authenticated<G>, Stop> {
    if let Some(issuer) = issuer {
        issuer.rules.validate(&caller)?;
    }
    with_grant(caller, engine)
}

/// Adds the grant of a caller.
fn with_grant<G: Send + Sync + 'static>(
    caller: Principal,
    engine: &Engine<G>,
) -> Result<Authenticated<G>, Stop> {
    match engine.grant.grant_now(&caller, &*engine.clock)? {
        Some(grant) => Ok(Authenticated::new(caller, grant)),
        None => Err(Stop::pending(Missing::Grant(caller))),
    }
}

/// Finds the caller in the claims.
///
/// # Errors
///
/// [`AuthErrorKind::MalformedClaim`] for a claim of another type than its definition says,
/// [`AuthErrorKind::ClaimNotIncluded`] if the token does not include a claim that is read here, and what
/// the mapping of the application rejects.
#[inline]
pub(super) fn map<G>(
    checked: CheckedClaims<'_>,
    is_from_cookie: bool,
    engine: &Engine<G>,
) -> Result<Mapped<G>, AuthError> {
    let valid = &checked.into_valid();
    let dates = (valid.expires_at(), valid.issued_at());
    let mut parts = parts(valid.claims(), valid.claims_text(), dates)?;
    parts.is_from_cookie = is_from_cookie;
    parts.key = Some(valid.key().clone());
    if engine.remembers_revocable_parts() {
        let issued_at = begun_at(valid.claims(), valid.issued_at());
        parts.revocable = Some(revocable(valid.claims(), valid.claims_text(), issued_at)?);
    }
    let issuer = valid.issuer();
    let caller = Principal::new(String::new(), Arc::clone(&issuer.origin), parts);
    let grant = match &engine.grant {
        GrantSource::Claims(map, _)
            if !issuer.calls_the_application && !engine.asks_at_each_request() =>
        {
            Some(Arc::new(map(&issuer.origin.mapping, valid.claims())?))
        }
        _ => None,
    };
    Ok(Mapped { caller, grant })
}

/// Finds the caller in claims that are no token's.
pub(super) fn parts_of(
    claims: &Object<'_>,
    claims_text: &str,
) -> Result<PrincipalParts, AuthError> {
    let date = |name| {
        let Some(value) = claims.get(name) else { return Ok(None) };
        let reason = "a date is not a NumericDate";
        let date = value.as_number().and_then(NumericDate::from_json_number);
        date.map(Some).ok_or_else(|| AuthError::because(AuthErrorKind::MalformedClaim, reason))
    };
    let mut parts = parts(claims, claims_text, (date(Name::Exp)?, date(Name::Iat)?))?;
    let issued_at = begun_at(claims, parts.issued_at);
    parts.revocable = Some(revocable(claims, claims_text, issued_at)?);
    Ok(parts)
}

/// Finds what a token may be revoked by, and nothing else needs.
fn revocable(
    claims: &Object<'_>,
    claims_text: &str,
    issued_at: Option<NumericDate>,
) -> Result<Box<Revocable>, AuthError> {
    let session = text(claims.find(SESSION), claims_text)?;
    Ok(Box::new(Revocable { session, issued_at }))
}

#[inline]
fn parts(
    claims: &Object<'_>,
    claims_text: &str,
    (expires_at, issued_at): (Option<NumericDate>, Option<NumericDate>),
) -> Result<PrincipalParts, AuthError> {
    let not_included = NotIncluded::of(claims)?;
    if let Some(not_included) = &not_included {
        not_included.check_claims_of_the_engine()?;
    }
    let text = |name| text(claims.get(name), claims_text);
    let authorized_party = text(Name::Azp)?;
    Ok(PrincipalParts {
        subject: text(Name::Sub)?.unwrap_or_default(),
        token_issuer: text(Name::Iss)?,
        client_id: text(Name::ClientId)?.or(authorized_party),
        token_id: text(Name::Jti)?,
        actors: actors(claims.get(Name::Act))?,
        expires_at,
        issued_at,
        names_other_sources: not_included.is_some(),
        is_from_cookie: false,
        key: None,
        revocable: None,
    })
}

/// Reads a claim that is a string, as its place in the text.
fn text(claim: Option<Value<'_>>, claims_text: &str) -> Result<Option<Text>, AuthError> {
    let Some(value) = claim else {
        return Ok(None);
    };
    let reason = "a claim that must be a string is not one";
    match value.as_str() {
        None => Err(AuthError::because(AuthErrorKind::MalformedClaim, reason)),
        Some(Cow::Owned(text)) => Ok(Some(Text::Owned(text.into()))),
        Some(Cow::Borrowed(text)) => {
            // Where the text stands inside of the claims, which it was cut out of.
            let start = text.as_ptr().addr().checked_sub(claims_text.as_ptr().addr());
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
