//! Why tokens cannot be reissued.

use std::{error::Error, fmt};

use portcullis::AuthError;

/// A setting of [`Reissuer`](super::Reissuer) that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ReissueError {
    /// The name of the header field is not a token ([RFC 9110 §5.6.2]).
    ///
    /// [RFC 9110 §5.6.2]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
    HeaderName {
        /// The name.
        name: String,
    },
}

impl fmt::Display for ReissueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderName { name } => write!(
                f,
                "{name:?} is not the name of a header field: use letters, digits and hyphens, as in \
                 `Refreshed-API-Token`"
            ),
        }
    }
}

impl Error for ReissueError {}

/// Why a token that may be reissued was not.
#[derive(Debug)]
pub(super) enum Failure {
    /// A claim of the token cannot be read.
    Claims(AuthError),
    /// It is not known whether the token is still valid.
    Unchecked(AuthError),
    /// The new token could not be made.
    Mint(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claims(_) => "its claims cannot be read",
            Self::Unchecked(_) => "it is not known whether it was revoked",
            Self::Mint(_) => "no new token could be made",
        })
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match self {
            Self::Claims(error) | Self::Unchecked(error) => error,
            Self::Mint(error) => &**error,
        })
    }
}
