//! Why no token was made.

use std::{error::Error, fmt};

/// A token that could not be made. The text holds no key and no claim.
#[derive(Debug)]
#[non_exhaustive]
pub enum MintError {
    /// The claims are no JSON object.
    NoObject,
    /// The claims cannot be written as JSON.
    Claims(serde_json::Error),
    /// The cryptographic module has failed: no random bytes, or a self test that went wrong.
    Cryptography,
}

impl fmt::Display for MintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoObject => "the claims are no JSON object",
            Self::Claims(_) => "the claims cannot be written as JSON",
            Self::Cryptography => "the cryptographic module has failed",
        })
    }
}

impl Error for MintError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Claims(error) => Some(error),
            Self::NoObject | Self::Cryptography => None,
        }
    }
}

impl From<aws_lc_rs::error::Unspecified> for MintError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Cryptography
    }
}
