//! Why an issuer cannot be used.

use std::{error::Error, fmt};

use crate::ClaimPathError;

/// An issuer that cannot be used. The text says what to change.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum IssuerError {
    /// An issuer or a strategy has no name.
    NoName,
    /// Two issuers or strategies have the same name.
    Duplicate {
        /// The name.
        issuer: String,
    },
    /// An issuer has no audience, so that its tokens for other services would be accepted.
    NoAudience {
        /// The issuer.
        issuer: String,
    },
    /// An issuer has no key.
    NoKeys {
        /// The issuer.
        issuer: String,
    },
    /// No key of the issuer can be used with any algorithm that the issuer allows.
    NoKeyForAlgorithms {
        /// The issuer.
        issuer: String,
    },
    /// A setting of an issuer is empty, so that nothing or everything would match it.
    EmptySetting {
        /// The issuer.
        issuer: String,
        /// The setting.
        setting: &'static str,
    },
    /// An issuer's tokens may be used once, and the engine has no store of used tokens.
    NoReplayStore {
        /// The issuer.
        issuer: String,
    },
    /// An issuer's tokens may be used once, and need not expire.
    OneTimeWithoutExpiry {
        /// The issuer.
        issuer: String,
    },
    /// A required claim is named by a malformed JSON pointer.
    RequiredClaim(ClaimPathError),
}

impl fmt::Display for IssuerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName => f.write_str(
                "an issuer has an empty name: give the `iss` of its tokens, byte for byte",
            ),
            Self::Duplicate { issuer } => {
                write!(f, "issuer `{issuer}` is there twice: add all its keys to one `Issuer`")
            }
            Self::NoAudience { issuer } => write!(
                f,
                "issuer `{issuer}` has no audience, so its tokens for other services would be \
                 accepted: set `audience(…)` to the `aud` meant for this service, or say \
                 `dangerous_any_audience()`"
            ),
            Self::NoKeys { issuer } => {
                write!(f, "issuer `{issuer}` has no key: add some with `jwk_set(…)` or `key(…)`")
            }
            Self::NoKeyForAlgorithms { issuer } => write!(
                f,
                "no key of issuer `{issuer}` fits its `algorithms(…)`, so every token would be \
                 rejected: allow an algorithm of one of its keys"
            ),
            Self::EmptySetting { issuer, setting } => write!(
                f,
                "`{setting}` of issuer `{issuer}` is empty: give a value, or leave the setting out"
            ),
            Self::NoReplayStore { issuer } => write!(
                f,
                "tokens of issuer `{issuer}` may be used once, and the engine cannot know which were: add \
                 a store with `replay_store(…)`"
            ),
            Self::OneTimeWithoutExpiry { issuer } => write!(
                f,
                "tokens of issuer `{issuer}` may be used once, and would have to be remembered for ever: \
                 leave out `one_time()` or `dangerous_optional_expiry()`"
            ),
            Self::RequiredClaim(error) => error.fmt(f),
        }
    }
}

impl Error for IssuerError {}

impl From<ClaimPathError> for IssuerError {
    fn from(error: ClaimPathError) -> Self {
        Self::RequiredClaim(error)
    }
}
