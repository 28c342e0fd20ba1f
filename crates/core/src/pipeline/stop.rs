//! Why the way of a request ends early, and whether waiting may help.

use super::peek::PeekedJwt;
#[cfg(feature = "remote")]
use crate::issuer::{Asked, KeysComing};
use crate::{
    AuthError, AuthErrorKind, NumericDate, Principal, issuer::IssuerConfig, keys::Keys,
    strategy::StrategyComing,
};

/// Why the way of a request ends early.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) error: AuthError,
    /// What is under way and may lead on.
    pub(crate) coming: Option<Box<Coming>>,
    /// The token is none of any trusted issuer, so that another strategy may know it.
    pub(crate) abstains: bool,
}

/// What is under way and may lead on.
#[derive(Debug)]
pub(crate) enum Coming {
    /// A fetch that may bring the key that was missing.
    #[cfg(feature = "remote")]
    Keys(KeysComing),
    /// The answer of a strategy.
    Strategy(StrategyComing),
    /// What a caller may do, whose token was found good.
    Grant(Principal),
}

impl Stop {
    /// Stops until something has come. Without it, nothing can be told of the token.
    pub(crate) fn until(coming: Coming) -> Self {
        let reason = "the answer takes a while";
        let error = AuthError::because(AuthErrorKind::ResolverUnavailable, reason);
        Self { error, coming: Some(Box::new(coming)), abstains: false }
    }

    /// Stops at a token that is none of any trusted issuer.
    pub(super) fn abstaining(error: AuthError) -> Self {
        Self { abstains: true, ..error.into() }
    }
}

impl From<AuthError> for Stop {
    fn from(error: AuthError) -> Self {
        Self { error, coming: None, abstains: false }
    }
}

/// What is known of a key that is missing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Patience {
    /// It may be asked for.
    Ask,
    /// Every source was asked for it and has answered.
    #[cfg(feature = "remote")]
    AllAnswered,
    /// It was asked for, and not every source has answered.
    #[cfg(feature = "remote")]
    NotAnswered,
}

/// A key is missing: asks the sources for it, and tells an unknown key from one that could not be
/// looked up.
#[cfg(feature = "remote")]
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
    let asked = match patience {
        Patience::Ask => issuer.keys.ask(token.unverified_key_id(), now),
        Patience::AllAnswered => Asked::Unknown,
        Patience::NotAnswered => Asked::NotNow,
    };
    let (judged, coming) = match asked {
        Asked::Coming(coming) => (false, Some(coming)),
        Asked::Unknown => (true, None),
        Asked::NotNow => (false, None),
    };
    let error = match issuer.keys.trouble() {
        Some(trouble) => AuthError::with_source(AuthErrorKind::KeysUnavailable, trouble),
        None if judged => error,
        // Nobody can say that there is no such key.
        None => AuthErrorKind::KeysUnavailable.into(),
    };
    Stop { error, coming: coming.map(|coming| Box::new(Coming::Keys(coming))), abstains: false }
}

/// No key has made the signature: tells a bad one from one whose key may be elsewhere.
#[cold]
pub(super) fn at_verify(error: AuthError, keys: &Keys) -> AuthError {
    let kinds = [AuthErrorKind::SignatureMismatch, AuthErrorKind::AmbiguousKey];
    if kinds.contains(&error.kind()) && keys.may_be_elsewhere() {
        return AuthError::with_source(AuthErrorKind::KeysUnavailable, error);
    }
    error
}

/// A key is missing, and there is nobody to ask for it.
#[cfg(not(feature = "remote"))]
#[cold]
pub(super) fn at_lookup(
    error: AuthError,
    _: &PeekedJwt<'_, '_>,
    _: &IssuerConfig,
    _: NumericDate,
    _: Patience,
) -> Stop {
    error.into()
}
