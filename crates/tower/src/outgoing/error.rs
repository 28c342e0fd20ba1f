//! Why a call was not made.

use std::{error::Error, fmt};

use portcullis_mint::{DestinationError, TokenError};

/// A call that was not made, because it could not have its token. The inner service has not seen it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AddBearerTokenError {
    /// No good token is at hand. Another try may do.
    Token(TokenError),
    /// The token may not go there.
    Destination(DestinationError),
}

impl fmt::Display for AddBearerTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "the call was not made, because there is no token for it",
            Self::Destination(_) => "the call was not made, because its token may not go there",
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
