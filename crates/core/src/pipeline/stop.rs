//! Why the way of a request ends early, and whether waiting may help.

use super::peek::PeekedJwt;
use crate::{
    AuthError, AuthErrorKind, NumericDate,
    issuer::{IssuerConfig, KeysComing},
};

/// Why the way of a request ends early.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) error: AuthError,
    /// A fetch is under way that may bring the key that was missing.
    pub(crate) coming: Option<KeysComing>,
}

impl From<AuthError> for Stop {
    fn from(error: AuthError) -> Self {
        Self { error, coming: None }
    }
}

/// Whether a key that is missing may be asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Patience {
    Ask,
    #[cfg(feature = "remote")]
    JudgeNow,
}

/// A key is missing: asks the sources for it, and tells an unknown key from one that could not be
/// looked up.
#[cold]
pub(super) fn at_lookup(
    error: AuthError,
    token: &PeekedJwt<'_, '_>,
    issuer: &IssuerConfig,
    now: NumericDate,
    patience: Patience,
) -> Stop {
    if !matches!(error.kind(), AuthErrorKind::UnknownKey | AuthErrorKind::KeysUnavailable) {
        return error.into();
    }
    let coming = match patience {
        Patience::Ask => issuer.keys.ask(token.unverified_key_id(), now),
        #[cfg(feature = "remote")]
        Patience::JudgeNow => None,
    };
    let error = match (issuer.keys.trouble(), &coming) {
        (Some(trouble), _) => AuthError::with_source(AuthErrorKind::KeysUnavailable, trouble),
        // Until the fetch is over, nobody can say that there is no such key.
        (None, Some(_)) => AuthErrorKind::KeysUnavailable.into(),
        (None, None) => error,
    };
    Stop { error, coming }
}
