//! Why a token endpoint returned no token.

use std::{error::Error, fmt, time::Duration};

use portcullis::{keys::FetchResponse, keys::KeySourceError};

/// A token endpoint returned no token. The text has no token, secret or assertion, and nothing of the response but
/// its status and a well-formed error code.
#[derive(Debug)]
pub struct TokenRequestError {
    reason: Reason,
    retry_after: Option<Duration>,
}

#[derive(Debug)]
enum Reason {
    /// No whole response came.
    NoResponse(KeySourceError),
    /// The endpoint rejected the request.
    Rejected { status: u16, code: Option<String> },
    /// A response with status 200 that has no token.
    Unusable(&'static str),
    /// The request could not be made.
    NotSent(Box<dyn Error + Send + Sync>),
}

impl TokenRequestError {
    /// Returns the error code of the response ([RFC 6749 §5.2]), such as `invalid_client`.
    ///
    /// [RFC 6749 §5.2]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match &self.reason {
            Reason::Rejected { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// Returns the status of a response that is an error.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self.reason {
            Reason::Rejected { status, .. } => Some(status),
            _ => None,
        }
    }

    /// Returns how long the server wants no other request: `Retry-After` of a response with status 429 or 503, at
    /// least 1 second and at most 10 minutes.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(super) fn rejected(
        response: &FetchResponse,
        code: Option<String>,
        retry_after: Option<Duration>,
    ) -> Self {
        Self { reason: Reason::Rejected { status: response.status, code }, retry_after }
    }

    pub(super) fn no_response(error: KeySourceError, retry_after: Option<Duration>) -> Self {
        Self { reason: Reason::NoResponse(error), retry_after }
    }

    pub(super) fn unusable(reason: &'static str) -> Self {
        Self { reason: Reason::Unusable(reason), retry_after: None }
    }

    pub(super) fn not_sent(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { reason: Reason::NotSent(error.into()), retry_after: None }
    }
}

impl fmt::Display for TokenRequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            // With its cause, because logs show one.
            Reason::NoResponse(error) => write!(f, "the token endpoint cannot be reached: {error}"),
            Reason::Rejected { status, code: Some(code) } => {
                write!(f, "the token endpoint rejected the request: {code} (status {status})")
            }
            Reason::Rejected { status, code: None } => {
                write!(f, "the token endpoint returned status {status}")
            }
            Reason::Unusable(reason) => write!(f, "the token endpoint returned no token: {reason}"),
            Reason::NotSent(error) => write!(f, "the token request was not sent: {error}"),
        }
    }
}

impl Error for TokenRequestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.reason {
            Reason::NoResponse(error) => error.source(),
            Reason::NotSent(error) => error.source(),
            Reason::Rejected { .. } | Reason::Unusable(_) => None,
        }
    }
}
