//! Why a token is not accepted at once, and what its request may wait for.

use std::sync::Arc;

use super::peek::PeekedJwt;
use crate::{
    AuthError, AuthErrorKind, BearerToken, NumericDate, Principal,
    issuer::IssuerConfig,
    key_source::{Asked, MissingKey, OtherKeys, Requested},
    keys::Keys,
    strategy::PendingStrategy,
};

/// Why a token is not accepted at once.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It is rejected.
    Rejected(AuthError),
    /// It is not from a trusted issuer, so that another strategy may accept it.
    NotOurs(AuthError),
    /// Something is missing. The error is for a request that does not wait for it.
    Missing(Box<Missing>, AuthError),
}

/// What is missing for the verdict on a token.
#[derive(Debug)]
pub(crate) enum Missing {
    /// Its key.
    Key(MissingKey),
    /// Other keys than those that do not verify it.
    OtherKeys(OtherKeys),
    /// The answer of a strategy.
    Strategy(PendingStrategy),
    /// What the store of revocations says of its caller. The issuer is the one whose own checks of the
    /// application have not run yet.
    Revocations(Principal, Option<Arc<IssuerConfig>>),
    /// The grant of its caller.
    Grant(Principal),
    /// Nothing but the proof that it was not used before: all tokens of the request are good.
    FirstUse,
}

impl Stop {
    /// Stops at an answer of the application that is pending. Nothing is known of the token without it.
    pub(crate) fn pending(missing: Missing) -> Self {
        let reason = "the answer takes a while";
        let error = AuthError::because(AuthErrorKind::ResolverUnavailable, reason);
        Self::Missing(Box::new(missing), error)
    }

    /// Stops at an answer of a store.
    pub(crate) fn at_store(missing: Missing) -> Self {
        let reason = "the store must be asked";
        let error = AuthError::because(AuthErrorKind::StoreUnavailable, reason);
        Self::Missing(Box::new(missing), error)
    }

    /// Stops at a token that is not from a trusted issuer.
    pub(super) fn not_ours(error: impl Into<AuthError>) -> Self {
        Self::NotOurs(error.into())
    }

    /// Makes the error name the token in logs.
    pub(crate) fn about(self, token: &BearerToken<'_>) -> Self {
        match self {
            Self::Rejected(error) => Self::Rejected(error.about(token)),
            Self::NotOurs(error) => Self::NotOurs(error.about(token)),
            Self::Missing(missing, error) => Self::Missing(missing, error.about(token)),
        }
    }

    /// Returns the error for a request that does not wait.
    pub(crate) fn into_error(self) -> AuthError {
        match self {
            Self::Rejected(error) | Self::NotOurs(error) | Self::Missing(_, error) => error,
        }
    }
}

impl From<AuthError> for Stop {
    fn from(error: AuthError) -> Self {
        Self::Rejected(error)
    }
}

/// The keys at hand do not say with which key to verify. Requests a missing key from the sources, or
/// other keys where none fits, and distinguishes an unknown key from one that could not be looked up.
#[cold]
pub(super) fn at_lookup(
    error: AuthError,
    token: &PeekedJwt<'_, '_>,
    issuer: &IssuerConfig,
    keys: &Keys,
    now: NumericDate,
    asked: Asked,
) -> Stop {
    let key_id = token.unverified_key_id();
    if !matches!(error.kind(), AuthErrorKind::UnknownKey | AuthErrorKind::KeysUnavailable) {
        return until_other_keys(error, key_id, issuer, keys, now, asked);
    }
    let requested = match asked {
        Asked::NotYet => issuer.keys.request(key_id, None, now),
        Asked::TooEarly(key_use) => issuer.keys.request(key_id, Some(key_use), now),
        Asked::AllAnswered => Requested::Unknown,
        Asked::NotAllAnswered if issuer.keys.are_fresh(now) => Requested::Unknown,
        Asked::NotAllAnswered => Requested::NotNow,
    };
    let error = match (issuer.keys.trouble(), &requested) {
        (Some(trouble), _) => AuthError::with_source(AuthErrorKind::KeysUnavailable, trouble),
        (None, Requested::Unknown) => error,
        // The key may exist, and the client may have a valid token.
        (None, Requested::Pending(_) | Requested::NotNow) => AuthErrorKind::KeysUnavailable.into(),
    };
    match requested {
        Requested::Pending(key) => Stop::Missing(Box::new(Missing::Key(key)), error),
        Requested::Unknown | Requested::NotNow => Stop::Rejected(error),
    }
}

/// No key at hand has made the signature. Requests other keys, because a source may have replaced one
/// under the same key id.
///
/// While a source fails, the verdict stays a bad signature: there were keys to judge by, and with 503 a
/// forged token could make a healthy instance look broken.
#[cold]
pub(super) fn at_verify(
    error: AuthError,
    key_id: Option<&str>,
    issuer: &IssuerConfig,
    keys: &Keys,
    now: NumericDate,
    asked: Asked,
) -> Stop {
    let may_be_of_another =
        matches!(error.kind(), AuthErrorKind::SignatureMismatch | AuthErrorKind::AmbiguousKey);
    let error = if may_be_of_another && keys.may_be_elsewhere() {
        AuthError::with_source(AuthErrorKind::KeysUnavailable, error)
    } else {
        error
    };
    until_other_keys(error, key_id, issuer, keys, now, asked)
}

/// Stops until other keys have come than those that the token was judged by. Once a token has waited,
/// the verdict is final.
fn until_other_keys(
    error: AuthError,
    key_id: Option<&str>,
    issuer: &IssuerConfig,
    keys: &Keys,
    now: NumericDate,
    asked: Asked,
) -> Stop {
    if asked != Asked::NotYet {
        return Stop::Rejected(error);
    }
    match issuer.keys.request_others(keys, key_id, now, &error) {
        Some(others) => Stop::Missing(Box::new(Missing::OtherKeys(others)), error),
        None => Stop::Rejected(error),
    }
}
