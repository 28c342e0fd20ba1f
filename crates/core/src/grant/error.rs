//! Why a grant mapping cannot be used.

use std::{error::Error, fmt};

use crate::ClaimPathError;

/// A grant mapping that cannot be used. The text says what to change.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum GrantMappingError {
    /// A claim is named by a malformed JSON pointer.
    InvalidClaimPath(ClaimPathError),
    /// A pattern of permissions is not a regular expression, or has no groups for resource and level.
    InvalidPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A part of the mapping is empty, so that nothing or everything would match it.
    Empty {
        /// The part.
        part: &'static str,
    },
}

impl fmt::Display for GrantMappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidClaimPath(error) => error.fmt(f),
            Self::InvalidPattern { pattern, reason } => write!(
                f,
                "`{pattern}` is no pattern of permissions: {reason}; give a regular expression with \
                 the named groups `resource` and `level`, as in `^(?<resource>.+):(?<level>.+)$`"
            ),
            Self::Empty { part } => {
                write!(f, "`{part}` of a grant mapping is empty: give a value, or leave it out")
            }
        }
    }
}

impl Error for GrantMappingError {}

impl From<ClaimPathError> for GrantMappingError {
    fn from(error: ClaimPathError) -> Self {
        Self::InvalidClaimPath(error)
    }
}
