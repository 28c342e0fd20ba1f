//! Why a call was not made.

use std::{error::Error, fmt};

use super::DestinationError;
use crate::TokenError;

/// A call that was not made, because there is no token for it, or its token must not be sent there. Nothing was sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AddBearerTokenError {
    /// There is no valid token. A later call may have one.
    Token(TokenError),
    /// The token must not be sent there.
    Destination(DestinationError),
}

impl fmt::Display for AddBearerTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "the call was not made, because there is no token for it",
            Self::Destination(_) => {
                "the call was not made, because its token must not be sent there"
            }
        })
    }
}

impl Error for AddBearerTokenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match self {
            Self::Token(error) => error,
            Self::Destination(error) => error,
        })
    }
}

impl From<TokenError> for AddBearerTokenError {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl From<DestinationError> for AddBearerTokenError {
    fn from(error: DestinationError) -> Self {
        Self::Destination(error)
    }
}
