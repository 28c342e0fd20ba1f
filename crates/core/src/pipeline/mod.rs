//! The way of a request, one file for each stage.
//!
//! A stage takes the proof of the stage before it and returns its own. Each proof can be made by
//! its own stage alone, so that code that skips a check does not compile.

mod check;
mod cross_site;
pub(crate) mod extract;
mod find;
pub(crate) mod hide;
mod lookup;
mod map;
mod names;
mod observe;
pub(crate) mod peek;
pub(crate) mod respond;
mod select;
mod stop;
mod validate;
mod verify;

#[cfg(test)]
mod tests;

pub(crate) use check::check_caller;
pub(crate) use cross_site::{CrossSiteRules, is_loopback_http};
pub use cross_site::{OriginError, is_origin};
pub(crate) use extract::{Presented, Wanted};
pub(crate) use map::accept_unrevoked;
pub(crate) use observe::Observer;
pub(crate) use peek::PeekedJwt;
pub(crate) use stop::{Missing, Stop};
pub(crate) use validate::good_until;
#[cfg(feature = "explain")]
pub(crate) use {validate::has_required, verify::VerifiedJws};

use std::sync::Arc;

use crate::{
    AuthError, AuthErrorKind, Authenticated, Identity, Principal,
    engine::Engine,
    issuer::Origin,
    json::{Name, Object},
    jws::{Segments, SignatureRoom},
    key_source::Asked,
    principal::PrincipalParts,
};

/// Takes one token through the stages, from its bytes to the caller and the grant, and lets an observer
/// look on.
#[inline]
pub(crate) fn prove<G: Send + Sync + 'static, O: Observer>(
    engine: &Engine<G>,
    presented: &Presented<'_>,
    asked: Asked,
    observer: &mut O,
) -> Result<Authenticated<G>, Stop> {
    let segments = Segments::split(presented.token.as_bytes(), engine.max_token_len)
        .map_err(Stop::not_ours)?;
    let known = &engine.known_headers;
    let mut decoded = peek::Decoded::default();
    // Lent from stage to stage: to hand them on by value would copy them each time.
    let (mut header, mut claims) = (None, Object::default());
    let room = (&mut header, &mut claims);
    let peeked = peek::peek(&segments, &engine.issuers, known, &mut decoded, room)
        .map_err(Stop::not_ours)?;
    observer.peeked(&peeked);
    let selected = select::select(peeked, &engine.issuers, presented.of_issuer.as_deref())
        .map_err(Stop::not_ours)?;
    let issuer = selected.issuer();
    if issuer.is_any() {
        names::check_claimed(selected.token(), issuer, engine).map_err(Stop::not_ours)?;
    }
    let now = engine.clock.now();
    let keys = issuer.keys.load(now);
    observer.selected(issuer, &keys);
    let located = lookup::lookup(selected, &keys, now, asked)?;
    observer.located(located.candidates());
    let mut signature = SignatureRoom::default();
    let complete = located.read_rest(&segments, &mut signature)?;
    observer.complete();
    let verified = verify::verify(complete, |error, key_id| {
        stop::at_verify(error, key_id, issuer, &keys, now, asked)
    })?;
    observer.verified(&verified, now);
    known.remember(segments.encoded_header(), verified.header());
    let valid = validate::validate(verified, now)?;
    observer.valid();
    let checked = check::check(valid, engine.revocations.as_ref(), now)?;
    observer.checked();
    let mapped = map::map(checked, presented.is_from_cookie, engine)?;
    if issuer.is_any() {
        names::check_actor(mapped.actor(), issuer.name(), engine)?;
    }
    drop(header);
    drop(claims);
    mapped.finish(decoded.take_claims(), issuer, engine)
}

/// Takes the caller that a strategy accepts the rest of the way.
///
/// # Errors
///
/// [`AuthErrorKind::UntrustedIssuer`] for a caller with a name that belongs to another source, and for one
/// that an engine inside of the strategy has accepted by settings which this engine rejects;
/// [`AuthErrorKind::MalformedClaim`]; [`AuthErrorKind::WrongBinding`] for one that is bound to a key,
/// because a strategy sees no proof that the sender holds it; and [`AuthErrorKind::TokenExpired`] for one
/// whose time is over: a strategy that keeps such callers need not look at the clock.
pub(crate) fn finish_identity<G: Send + Sync + 'static>(
    engine: &Engine<G>,
    mut identity: Identity,
    origin: &Arc<Origin>,
    presented: &Presented<'_>,
) -> Result<Authenticated<G>, Stop> {
    if let Some(judged) = identity.take_judged() {
        names::check_judged(&judged, engine)?;
        check_production(&judged, origin)?;
        check::check_rules(engine, &judged)?;
        let origin = Arc::new(origin.adopt(judged.origin()));
        let caller = judged.of(origin, presented.is_from_cookie);
        check_caller(engine, &caller)?;
        return map::accept(caller, None, engine);
    }
    let claims = identity.into_text()?;
    let mut parts = parts_of_identity(&claims)?;
    parts.is_from_cookie = presented.is_from_cookie;
    if let Some((end, kind)) = good_until(origin, parts.expires_at, parts.issued_at)
        && engine.clock.now() >= end
    {
        return Err(AuthError::from(kind).into());
    }
    let caller = Principal::new(claims, Arc::clone(origin), parts);
    names::check_identity(&caller, engine)?;
    check_caller(engine, &caller)?;
    map::accept(caller, None, engine)
}

/// Rejects a caller whose engine could not have been built for production, where this one is.
fn check_production(judged: &Principal, origin: &Origin) -> Result<(), AuthError> {
    match &judged.origin().engine().unfit_for_production {
        Some(error) if origin.engine().is_for_production => {
            Err(AuthError::with_source(AuthErrorKind::UntrustedIssuer, error.clone()))
        }
        _ => Ok(()),
    }
}

fn parts_of_identity(claims: &str) -> Result<PrincipalParts, AuthError> {
    let object = Object::parse(claims).map_err(|_| AuthErrorKind::MalformedClaim)?;
    if object.get(Name::Cnf).is_some() {
        return Err(AuthErrorKind::WrongBinding.into());
    }
    map::parts_of(&object, claims)
}
