//! Why the way of a request ends early, and whether waiting may help.

use super::peek::PeekedJwt;
use crate::{
    AuthError, AuthErrorKind, NumericDate, Principal, issuer::IssuerConfig, keys::Keys,
    strategy::StrategyComing,
};
use crate::{
    issuer::{Asked, KeysComing, OtherKeysComing},
    key_source::KeyIdUse,
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
    /// A fetch that may bring other keys than those that do not verify the token.
    OtherKeys(OtherKeysComing),
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
    pub(super) fn abstaining(error: impl Into<AuthError>) -> Self {
        let error: AuthError = error.into();
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
    /// It was asked for while a fetch was under way that may have begun too early.
    AskAgain(KeyIdUse),
    /// Every source was asked for it and has answered.
    AllAnswered,
    /// It was asked for, and not every source has answered.
    NotAnswered,
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
    patience: Patience,
) -> Stop {
    let key_id = token.unverified_key_id();
    if !matches!(error.kind(), AuthErrorKind::UnknownKey | AuthErrorKind::KeysUnavailable) {
        return until_other_keys(error, key_id, issuer, keys, now, patience);
    }
    let asked = match patience {
        Patience::Ask => issuer.keys.ask(key_id, None, now),
        Patience::AskAgain(key_use) => issuer.keys.ask(key_id, Some(key_use), now),
        Patience::AllAnswered => Asked::Unknown,
        Patience::NotAnswered if issuer.keys.are_fresh(now) => Asked::Unknown,
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
        // The key may exist, and the client may have a good token.
        None => AuthErrorKind::KeysUnavailable.into(),
    };
    Stop { error, coming: coming.map(|coming| Box::new(Coming::Keys(coming))), abstains: false }
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
    patience: Patience,
) -> Stop {
    let may_be_of_another =
        matches!(error.kind(), AuthErrorKind::SignatureMismatch | AuthErrorKind::AmbiguousKey);
    let error = if may_be_of_another && keys.may_be_elsewhere() {
        AuthError::with_source(AuthErrorKind::KeysUnavailable, error)
    } else {
        error
    };
    until_other_keys(error, key_id, issuer, keys, now, patience)
}

/// Stops until other keys have come than those that the token was judged by. Once a token has waited,
/// the verdict is final.
fn until_other_keys(
    error: AuthError,
    key_id: Option<&str>,
    issuer: &IssuerConfig,
    keys: &Keys,
    now: NumericDate,
    patience: Patience,
) -> Stop {
    if patience != Patience::Ask {
        return error.into();
    }
    let coming = issuer.keys.ask_for_others(keys, key_id, now, &error);
    let coming = coming.map(|coming| Box::new(Coming::OtherKeys(coming)));
    Stop { error, coming, abstains: false }
}
