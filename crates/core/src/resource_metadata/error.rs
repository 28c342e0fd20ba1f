//! Why a protected resource cannot be described.

use std::{error::Error, fmt};

/// A protected resource, or its metadata, that cannot be used ([RFC 9728]). The text says what to change.
///
/// [RFC 9728]: https://www.rfc-editor.org/rfc/rfc9728
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ResourceError {
    /// A URL cannot be the resource identifier of a service ([RFC 9728 §1.2]).
    ///
    /// [RFC 9728 §1.2]: https://www.rfc-editor.org/rfc/rfc9728#section-1.2
    InvalidIdentifier {
        /// The URL, without a password.
        resource: String,
        /// What to change.
        reason: &'static str,
    },
    /// The metadata cannot have this parameter.
    InvalidMetadata {
        /// The parameter.
        parameter: String,
        /// Why not.
        reason: String,
    },
    /// Metadata are to be served, and the engine was built without a resource.
    NotConfigured,
}

impl fmt::Display for ResourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidIdentifier { resource, reason } => write!(
                f,
                "`{resource}` cannot be the resource identifier of this service: {reason}"
            ),
            Self::InvalidMetadata { parameter, reason } => {
                write!(f, "the metadata of the resource cannot hold this `{parameter}`: {reason}")
            }
            Self::NotConfigured => f.write_str(
                "there are no metadata to serve: name this service with `resource(…)` where the \
                 engine is built",
            ),
        }
    }
}

impl Error for ResourceError {}
