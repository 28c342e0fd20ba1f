//! The claims of the tokens of a session.

use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;
use portcullis::{AuthError, AuthErrorKind, NumericDate, Principal};
use portcullis_jose::KeyError;
use serde_json::{Map, Value};

use super::{SessionError, Settings};
use crate::{MintError, exchange::EXCHANGED};

/// The claim that names a session ([OpenID Connect Back-Channel Logout 1.0 §2.1]).
///
/// [OpenID Connect Back-Channel Logout 1.0 §2.1]: https://openid.net/specs/openid-connect-backchannel-1_0.html#OPLogoutTokens
const SESSION: &str = "sid";
/// The `iat` of the first token of a session. The engine compares it with the cut-offs of revocations.
const FIRST_ISSUED_AT: &str = "orig_iat";
/// When the end user authenticated ([OpenID Connect Core 1.0 §2]).
///
/// [OpenID Connect Core 1.0 §2]: https://openid.net/specs/openid-connect-core-1_0.html#IDToken
const AUTHENTICATED_AT: &str = "auth_time";

/// Marks a token that [`Sessions`](super::Sessions) has issued for a cookie. A reissue layer refuses it: the limits of
/// the session and the function of the application would not apply to a cookie that is sent as a bearer token.
pub(crate) const IN_A_COOKIE: &str = "cookie_session";

type Claims = Map<String, Value>;

impl Settings {
    /// Returns whether the service has issued the token itself, and lets it be replaced.
    pub(super) fn is_renewable(&self, caller: &Principal) -> Result<bool, AuthError> {
        let (issuer, keys) = self.minter.identity();
        Ok(caller.verification_key().is_some_and(|key| keys.are_verified_by(key))
            && caller.claim::<String>("iss")?.as_deref() == issuer
            && !caller.is_one_time()
            // It was exchanged, and must not outlive the token that it was exchanged for.
            && caller.actor().is_none()
            && caller.claim::<Value>(EXCHANGED)?.is_none())
    }

    /// Returns the claims of the first token of a session that starts now.
    pub(super) fn first(
        &self,
        mut claims: Claims,
        now: NumericDate,
    ) -> Result<Claims, SessionError> {
        for name in ["iss", "jti", "iat", "nbf", FIRST_ISSUED_AT] {
            claims.remove(name);
        }
        if !claims.get(SESSION).is_some_and(is_name) {
            claims.insert(SESSION.to_owned(), random().map_err(MintError::Key)?.into());
        }
        claims.insert(IN_A_COOKIE.to_owned(), true.into());
        let issued_at = now.saturating_sub(self.minter.backdated());
        let begun_at = begun_at(&claims, issued_at);
        let begun_at = begun_at.map_err(|error| SessionError::Mint(Box::new(error)))?;
        let expiry = now.saturating_add(self.lifetime()).min(self.latest_end(begun_at));
        if expiry <= now {
            return Err(SessionError::TooOld { limit: self.max_session_age });
        }
        claims.insert("exp".to_owned(), expiry.seconds().into());
        Ok(claims)
    }

    /// Returns the claims of the token that replaces the caller's from now on; `None` if it would not live
    /// longer.
    pub(super) fn successor(
        &self,
        caller: &Principal,
        replacement: Option<Claims>,
        now: NumericDate,
    ) -> Result<Option<Claims>, AuthError> {
        let own: Claims = caller.claims()?;
        let Some((first_issued_at, old_expiry)) = caller.issued_at().zip(caller.expires_at())
        else {
            return Ok(None);
        };
        let expiry = now.saturating_add(self.lifetime());
        let expiry = expiry.min(self.latest_end(begun_at(&own, first_issued_at)?));
        if expiry.seconds() <= old_expiry.max(now).seconds() {
            return Ok(None);
        }
        let mut claims = match replacement {
            Some(replacement) => with_identity_of(&own, replacement),
            None => own.clone(),
        };
        let old_id = own.get("jti").filter(|token_id| is_name(token_id));
        if let (false, Some(old_id)) = (claims.get(SESSION).is_some_and(is_name), old_id) {
            claims.insert(SESSION.to_owned(), old_id.clone());
        }
        let first = own.get(FIRST_ISSUED_AT).or(own.get("iat")).cloned().unwrap_or_default();
        claims.insert(FIRST_ISSUED_AT.to_owned(), first);
        for name in ["jti", "iat", "nbf"] {
            claims.remove(name);
        }
        claims.insert("exp".to_owned(), expiry.seconds().into());
        Ok(Some(claims))
    }

    /// Returns when a session ends that has begun at this time.
    fn latest_end(&self, begun_at: NumericDate) -> NumericDate {
        begun_at.saturating_add(self.max_session_age)
    }

    fn lifetime(&self) -> Duration {
        self.minter.timing().1.unwrap_or(crate::minter::LIFETIME)
    }
}

/// Returns the claims of the application, with those that say whose session it is and when it began.
fn with_identity_of(own: &Claims, mut replacement: Claims) -> Claims {
    for name in ["iss", "sub", SESSION, AUTHENTICATED_AT, IN_A_COOKIE] {
        match own.get(name) {
            Some(value) => replacement.insert(name.to_owned(), value.clone()),
            None => replacement.remove(name),
        };
    }
    replacement
}

/// Returns when a session has begun: when the first token was issued, or the user authenticated if that was
/// earlier.
fn begun_at(claims: &Claims, issued_at: NumericDate) -> Result<NumericDate, AuthError> {
    let mut begun_at = date(claims, FIRST_ISSUED_AT)?.unwrap_or(issued_at);
    if let Some(authenticated_at) = date(claims, AUTHENTICATED_AT)? {
        begun_at = begun_at.min(authenticated_at);
    }
    Ok(begun_at)
}

fn date(claims: &Claims, name: &str) -> Result<Option<NumericDate>, AuthError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let date = value.as_number().map(ToString::to_string);
    let date = date.and_then(|number| NumericDate::from_json_number(&number));
    date.map(Some).ok_or_else(|| AuthErrorKind::MalformedClaim.into())
}

fn is_name(value: &Value) -> bool {
    value.as_str().is_some_and(|name| !name.is_empty())
}

fn random() -> Result<String, KeyError> {
    Ok(URL_SAFE_NO_PAD.encode_to_string(crate::minter::random()?))
}
