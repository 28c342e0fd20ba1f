//! Why metadata cannot be published.

use std::{error::Error, fmt};

/// Metadata that cannot be published.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MetadataError {
    /// A URL cannot be used.
    Url {
        /// The setting that has it.
        setting: &'static str,
        /// The URL.
        url: String,
        /// What to change.
        reason: &'static str,
    },
    /// The keys are secrets, so that there is nothing to publish.
    NoPublicKeys,
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { setting, url, reason } => {
                write!(f, "the {setting} cannot be {url:?}: {reason}")
            }
            Self::NoPublicKeys => f.write_str(
                "the signing keys are secrets, which have no public half: use private keys, so that other \
                 services can verify the tokens",
            ),
        }
    }
}

impl Error for MetadataError {}
