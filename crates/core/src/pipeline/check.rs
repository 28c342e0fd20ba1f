//! Is the token still good, and is its sender the one it was made for?

use std::borrow::Cow;

use super::validate::ValidClaims;
use crate::{
    AuthError, AuthErrorKind, NumericDate, Principal,
    engine::Engine,
    issuer::Origin,
    json::{Name, Object, Value},
    revocation::{Question, Revocations},
};

/// The claim that names a session ([OpenID Connect Back-Channel Logout 1.0 §2.4]).
///
/// [OpenID Connect Back-Channel Logout 1.0 §2.4]: https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken
pub(super) const SESSION: &str = "sid";

/// The claim of a reissued token that has the `iat` of the first token of its session.
pub(super) const FIRST_ISSUED_AT: &str = "orig_iat";

/// A token that nothing speaks against.
#[derive(Debug)]
pub(super) struct CheckedClaims<'a> {
    valid: ValidClaims<'a>,
}

impl<'a> CheckedClaims<'a> {
    pub(super) fn into_valid(self) -> ValidClaims<'a> {
        self.valid
    }
}

/// Checks what lies outside the token, as far as it is in memory. In strict mode, and for tokens that may be
/// used once, a store is asked later: [`Missing`](super::Missing).
///
/// A token with a confirmation claim is meant for the holder of one key ([RFC 7800 §3.1]). No proof
/// of holding it is read here yet, so such a token is rejected: the place where certificate
/// thumbprints (RFC 8705) and DPoP proofs (RFC 9449) will be compared is this function.
///
/// # Errors
///
/// [`AuthErrorKind::WrongBinding`], [`AuthErrorKind::TokenRevoked`],
/// [`AuthErrorKind::StoreUnavailable`] if nothing is known of revocations, and
/// [`AuthErrorKind::MalformedClaim`].
///
/// [RFC 7800 §3.1]: https://www.rfc-editor.org/rfc/rfc7800#section-3.1
#[inline]
pub(super) fn check<'a>(
    valid: ValidClaims<'a>,
    revocations: Option<&Revocations>,
    now: NumericDate,
) -> Result<CheckedClaims<'a>, AuthError> {
    if valid.claim(Name::Cnf).is_some() && !valid.issuer().rules.bound_tokens_ignored {
        return Err(AuthErrorKind::WrongBinding.into());
    }
    if let Some(revocations) = revocations {
        check_revocations(&valid, revocations, now)?;
    }
    Ok(CheckedClaims { valid })
}

// Not inlined, so that a request of an engine without revocations does not grow by it.
#[inline(never)]
fn check_revocations(
    valid: &ValidClaims<'_>,
    revocations: &Revocations,
    now: NumericDate,
) -> Result<(), AuthError> {
    if revocations.is_empty() {
        return revocations.check(&Question::default(), now);
    }
    let claim = |name| text(valid.claim(name));
    let issuer = claim(Name::Iss)?;
    let (token_id, subject) = (claim(Name::Jti)?, claim(Name::Sub)?);
    let client = match claim(Name::ClientId)? {
        Some(client) => Some(client),
        None => claim(Name::Azp)?,
    };
    let session = text(valid.claims().find(SESSION))?;
    let question = Question {
        issuer: issuer.as_deref().unwrap_or(valid.issuer().name()),
        known_issuer: Some(valid.issuer().origin.issuer_name()),
        jti: token_id.as_deref(),
        subject: subject.as_deref(),
        session: session.as_deref(),
        client: client.as_deref(),
        thumbprint: valid.key().thumbprint(),
        issued_at: begun_at(valid.claims(), valid.issued_at()),
    };
    revocations.check(&question, now)
}

/// Returns the date that cut-offs are compared with: when the first token of the session was issued.
///
/// A replica that does not know a cut-off yet may reissue a token that the cut-off revokes. So the `iat` of a
/// reissued token does not count. A date that is malformed is before any cut-off.
pub(super) fn begun_at(claims: &Object<'_>, issued_at: Option<NumericDate>) -> Option<NumericDate> {
    let Some(first) = claims.find(FIRST_ISSUED_AT) else { return issued_at };
    let first = first.as_number().and_then(NumericDate::from_json_number)?;
    issued_at.map(|issued_at| issued_at.min(first))
}

/// Reads a claim that is a string by definition.
fn text(claim: Option<Value<'_>>) -> Result<Option<Cow<'_, str>>, AuthError> {
    const REASON: &str = "a claim that must be a string is not one";
    let malformed = || AuthError::because(AuthErrorKind::MalformedClaim, REASON);
    claim.map(|value| value.as_str().ok_or_else(malformed)).transpose()
}

/// Checks a caller that is known, by the revocations in memory.
///
/// # Errors
///
/// [`AuthErrorKind::TokenRevoked`], and [`AuthErrorKind::StoreUnavailable`] if nothing is known of
/// revocations.
pub(crate) fn check_caller<G>(engine: &Engine<G>, caller: &Principal) -> Result<(), AuthError> {
    match &engine.revocations {
        Some(revocations) => revocations.check(&caller.question(), engine.clock.now()),
        None => Ok(()),
    }
}

/// Checks the caller of an inner engine by the rules that this engine has for the tokens of its issuers.
///
/// # Errors
///
/// [`AuthErrorKind::MissingClaim`] for a token without `jti`, and [`AuthErrorKind::UntrustedIssuer`] if its
/// tokens may be used once, and this engine cannot know which were.
pub(super) fn check_rules<G>(engine: &Engine<G>, judged: &Principal) -> Result<(), AuthError> {
    let is_required = engine.revocations.as_ref().is_some_and(Revocations::is_jti_required);
    if is_required && judged.token_id().is_none() {
        return Err(AuthError::because(AuthErrorKind::MissingClaim, "no `jti`"));
    }
    let Origin { one_time, .. } = judged.origin();
    if *one_time && engine.one_time.is_none() && !engine.is_inner {
        let reason = "its tokens may be used once, and the engine has no store of used tokens";
        return Err(AuthError::because(AuthErrorKind::UntrustedIssuer, reason));
    }
    Ok(())
}
