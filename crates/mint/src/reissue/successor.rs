//! The claims of the new token, and whether there may be one.

use std::time::Duration;

use portcullis::{AuthError, Grant, NumericDate, Principal};
use serde_json::{Map, Value};

use super::Settings;
use crate::{exchange::EXCHANGED, session::successor::IN_A_COOKIE};

/// The `iat` of the first token of a session. The engine compares it with the cut-offs of revocations.
const FIRST_ISSUED_AT: &str = "orig_iat";
/// The claim that names a session ([OpenID Connect Back-Channel Logout 1.0 §2.1]).
///
/// [OpenID Connect Back-Channel Logout 1.0 §2.1]: https://openid.net/specs/openid-connect-backchannel-1_0.html#OPLogoutTokens
const SESSION: &str = "sid";
/// When the end user authenticated ([OpenID Connect Core 1.0 §2]).
///
/// [OpenID Connect Core 1.0 §2]: https://openid.net/specs/openid-connect-core-1_0.html#IDToken
const AUTHENTICATED_AT: &str = "auth_time";

/// Tokens with less time left than this are due, however long they live.
const LEAST_MARGIN: Duration = Duration::from_secs(30);
/// The part of its life in which a token is due.
const MARGIN_DIVISOR: u32 = 5;

/// Returns whether no more than the larger of 20 % of the token's life and 30 seconds is left of it.
pub(crate) fn is_due(caller: &Principal, now: NumericDate) -> bool {
    let (Some(issued_at), Some(expires_at)) = (caller.issued_at(), caller.expires_at()) else {
        return false;
    };
    let margin = expires_at.saturating_since(issued_at) / MARGIN_DIVISOR;
    expires_at.saturating_since(now) <= margin.max(LEAST_MARGIN)
}

impl Settings {
    /// Returns whether the service has issued the token itself, and lets it be replaced.
    pub(super) fn is_renewable(&self, caller: &Principal) -> Result<bool, AuthError> {
        let (issuer, keys) = self.minter.identity();
        let is_own = |key| keys.are_verified_by(key);
        Ok(caller.verification_key().is_some_and(is_own)
            && caller.claim::<String>("iss")?.as_deref() == issuer
            && !caller.is_from_cookie()
            // Nor may it be sent as a bearer token to get another one.
            && caller.claim::<Value>(IN_A_COOKIE)?.is_none()
            && !caller.is_one_time()
            // It was exchanged, and must not outlive the token that it was exchanged for.
            && caller.actor().is_none()
            && caller.claim::<Value>(EXCHANGED)?.is_none()
            && !self.has_scope_without_renewal(caller)?)
    }

    fn has_scope_without_renewal(&self, caller: &Principal) -> Result<bool, AuthError> {
        if self.scopes_without_renewal.is_empty() {
            return Ok(false);
        }
        let grant: Grant = caller.standard_grant()?;
        let claims = [caller.claim::<Value>("scope")?, caller.claim::<Value>("scp")?];
        // The mapping of the issuer may read other claims, or leave these out.
        Ok(self.scopes_without_renewal.iter().any(|scope| {
            grant.has_scope(scope) || claims.iter().flatten().any(|claim| has_scope(claim, scope))
        }))
    }

    /// Returns the claims of the token that replaces the caller's from now on; `None` if it would not live
    /// longer.
    pub(super) fn successor(
        &self,
        caller: &Principal,
        now: NumericDate,
    ) -> Result<Option<Map<String, Value>>, AuthError> {
        let mut claims: Map<String, Value> = caller.claims()?;
        let Some((old_issued_at, old_expiry)) = caller.issued_at().zip(caller.expires_at()) else {
            return Ok(None);
        };
        let issued_at = now.saturating_sub(self.minter.backdated());
        let expiry = match self.lifetime {
            Some(lifetime) => now.saturating_add(lifetime),
            None => issued_at.saturating_add(old_expiry.saturating_since(old_issued_at)),
        };
        let mut begun_at = date(&claims, FIRST_ISSUED_AT)?.unwrap_or(old_issued_at);
        if let Some(authenticated_at) = date(&claims, AUTHENTICATED_AT)? {
            begun_at = begun_at.min(authenticated_at);
        }
        let expiry = expiry.min(begun_at.saturating_add(self.max_session_age));
        if expiry.seconds() <= old_expiry.max(now).seconds() {
            return Ok(None);
        }
        let token_id = claims.remove("jti").filter(Value::is_string);
        if let (None | Some(Value::Null), Some(token_id)) = (claims.get(SESSION), token_id) {
            claims.insert(SESSION.to_owned(), token_id);
        }
        let first = claims.remove("iat").unwrap_or_default();
        claims.entry(FIRST_ISSUED_AT).or_insert(first);
        claims.insert("iat".to_owned(), issued_at.seconds().into());
        claims.insert("nbf".to_owned(), issued_at.seconds().into());
        claims.insert("exp".to_owned(), expiry.seconds().into());
        Ok(Some(claims))
    }
}

/// Returns whether a claim has a scope token: a string with spaces between them, or a list.
fn has_scope(claim: &Value, scope: &str) -> bool {
    match claim {
        Value::String(text) => text.split(' ').any(|own| own == scope),
        Value::Array(list) => list.iter().any(|own| own == scope),
        Value::Null => false,
        // It is not known which scopes this means.
        _ => true,
    }
}

fn date(claims: &Map<String, Value>, name: &str) -> Result<Option<NumericDate>, AuthError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let date = value.as_number().map(ToString::to_string);
    let date = date.and_then(|number| NumericDate::from_json_number(&number));
    date.map(Some).ok_or_else(|| portcullis::AuthErrorKind::MalformedClaim.into())
}
