//! Why the way of a request ends early, and whether waiting may help.

use super::peek::PeekedJwt;
use crate::{
    AuthError, AuthErrorKind, NumericDate, Principal,
    issuer::{IssuerConfig, KeysComing},
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
    Stop { error, coming: coming.map(|coming| Box::new(Coming::Keys(coming))), abstains: false }
}
