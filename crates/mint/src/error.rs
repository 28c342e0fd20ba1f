//! Why a token cannot be made, renewed or sent.

use std::{error::Error, fmt, time::Duration};

use portcullis_jose::KeyError;

/// A token that cannot be made, renewed or sent. The text holds no key and no value of a claim.
#[derive(Debug)]
#[non_exhaustive]
pub enum MintError {
    /// The claims are no JSON object.
    NoObject,
    /// The claims cannot be written as JSON.
    Claims(serde_json::Error),
    /// A signature could not be made.
    Key(KeyError),
    /// The current key of [shared](crate::SigningKeys::shared) keys is due to retire, and this replica has read no next
    /// one from the store.
    NoSigningKey,
    /// The token would live longer than its key is published.
    LifetimeTooLong {
        /// The longest lifetime, of the [`SigningKeys`](crate::SigningKeys).
        limit: Duration,
    },
    /// A token would be renewed before it is made.
    MarginTooLong {
        /// How long before its end a token is renewed.
        margin: Duration,
        /// How long a token is good.
        lifetime: Duration,
    },
    /// The claims of tokens that are renewed cannot be those of each of them.
    InvalidClaims {
        /// What is wrong with them, without the value of a claim.
        reason: String,
    },
    /// A source of tokens could never return one.
    InvalidTokenSource {
        /// What is wrong, without a secret.
        reason: String,
    },
    /// A text does not say where tokens may be sent, or they would be sent in clear text.
    InvalidOrigin {
        /// The origin.
        origin: String,
        /// What to change.
        reason: &'static str,
    },
}

impl fmt::Display for MintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoObject => f.write_str("the claims are no JSON object"),
            Self::Claims(_) => f.write_str("the claims cannot be written as JSON"),
            Self::Key(error) => error.fmt(f),
            Self::NoSigningKey => f.write_str(
                "no key may sign: the current one is due to retire, and the store has no next one or was not read \
                 recently; help: see the log of target `portcullis::signing_keys`",
            ),
            Self::LifetimeTooLong { limit } => write!(
                f,
                "the token has no `exp`, or one more than {limit:?} from now, and its key is not published that \
                 long: shorten its lifetime, or raise `max_lifetime(…)` of the signing keys"
            ),
            Self::MarginTooLong { margin, lifetime } => write!(
                f,
                "a token is good for {lifetime:?} and would be renewed {margin:?} before its end: set a \
                 `margin(…)` that is shorter than `lifetime(…)`, which is at least a second"
            ),
            Self::InvalidClaims { reason } => {
                write!(f, "no token can be renewed with these claims: {reason}")
            }
            Self::InvalidTokenSource { reason } => {
                write!(f, "the source of tokens cannot be used: {reason}")
            }
            Self::InvalidOrigin { origin, reason } => {
                write!(f, "tokens cannot be meant for `{origin}`: {reason}")
            }
        }
    }
}

impl Error for MintError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Claims(error) => Some(error),
            _ => None,
        }
    }
}

impl From<KeyError> for MintError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}
