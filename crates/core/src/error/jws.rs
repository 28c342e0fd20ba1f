//! From the error of a JWS to that of a request.

use super::{AuthError, AuthErrorKind};
use crate::jose::{JwsError, JwsErrorKind};

impl From<JwsError> for AuthError {
    fn from(error: JwsError) -> Self {
        let kind = error.kind().into();
        error.reason().map_or_else(|| Self::from(kind), |reason| Self::because(kind, reason))
    }
}

impl From<JwsErrorKind> for AuthErrorKind {
    fn from(kind: JwsErrorKind) -> Self {
        match kind {
            JwsErrorKind::Empty => Self::NoCredentials,
            JwsErrorKind::TooLong => Self::TokenTooLarge,
            JwsErrorKind::IllegalCharacter => Self::MalformedRequest,
            JwsErrorKind::UnsupportedCriticalHeader => Self::UnsupportedCriticalHeader,
            JwsErrorKind::AlgorithmNotAllowed => Self::AlgorithmNotAllowed,
            JwsErrorKind::UnknownKey => Self::UnknownKey,
            JwsErrorKind::AmbiguousKey => Self::AmbiguousKey,
            JwsErrorKind::SignatureMismatch => Self::SignatureMismatch,
            // Malformed, and kinds that are added later: both are rejected with 401.
            _ => Self::MalformedToken,
        }
    }
}
