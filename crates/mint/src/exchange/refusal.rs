//! Why an exchange is refused, and how the client is answered ([RFC 6749 §5.2], [RFC 8693 §2.2.2]).
//!
//! [RFC 6749 §5.2]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
//! [RFC 8693 §2.2.2]: https://www.rfc-editor.org/rfc/rfc8693#section-2.2.2

use std::{borrow::Cow, error::Error, time::Duration};

use portcullis::{AuthError, AuthErrorKind, adapter::EndpointResponse};
use serde_json::json;

/// When a client may try again after a failure that is not its own.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The challenge for a client that used the field `Authorization`. Basic is the scheme that every token
/// endpoint for clients with a secret supports (RFC 6749 §2.3.1).
const CHALLENGE: &str = r#"Basic realm="token endpoint", charset="UTF-8""#;

/// Why an exchange is refused: what a hook of the application returns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ExchangeRefusal {
    /// The subject token or the actor token is not acceptable: `invalid_request`, with one description for all
    /// reasons ([RFC 8693 §2.2.2]).
    ///
    /// [RFC 8693 §2.2.2]: https://www.rfc-editor.org/rfc/rfc8693#section-2.2.2
    UnacceptableToken,
    /// The client may not get a token for an audience or a resource: `invalid_target` ([RFC 8693 §2.2.2]).
    ///
    /// [RFC 8693 §2.2.2]: https://www.rfc-editor.org/rfc/rfc8693#section-2.2.2
    InvalidTarget,
    /// The client may not get any of the scopes: `invalid_scope` ([RFC 6749 §5.2]).
    ///
    /// [RFC 6749 §5.2]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
    InvalidScope,
    /// The client may not exchange tokens: `unauthorized_client` ([RFC 6749 §5.2]).
    ///
    /// [RFC 6749 §5.2]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
    UnauthorizedClient,
    /// What the application needs for its decision is not available: 503 `temporarily_unavailable`.
    Unavailable,
    /// The client exchanges too many tokens: 429 with `Retry-After`.
    TooManyRequests {
        /// When it may try again.
        retry_after: Duration,
    },
}

/// Why a request fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Failure {
    Refused(ExchangeRefusal),
    /// The form is malformed. The text is for the developer of the client.
    InvalidRequest(&'static str),
    UnsupportedGrantType,
    InvalidClient {
        used_authorization: bool,
    },
    /// The application has a fault.
    ServerError,
}

impl From<ExchangeRefusal> for Failure {
    fn from(refusal: ExchangeRefusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A [`Failure`] and its reason, which only the log sees.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) failure: Failure,
    pub(super) reason: Option<Cow<'static, str>>,
    /// Whether the service itself is at fault, so that its operators must know.
    pub(super) is_fault: bool,
}

impl Failed {
    pub(super) fn new(failure: impl Into<Failure>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { failure: failure.into(), reason: Some(reason.into()), is_fault: false }
    }

    pub(super) fn fault(failure: impl Into<Failure>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { is_fault: true, ..Self::new(failure, reason) }
    }

    pub(super) fn unacceptable(reason: &'static str) -> Self {
        Self::new(ExchangeRefusal::UnacceptableToken, reason)
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self { failure, reason: None, is_fault: false }
    }
}

impl From<ExchangeRefusal> for Failed {
    fn from(refusal: ExchangeRefusal) -> Self {
        Failure::from(refusal).into()
    }
}

impl From<&AuthError> for Failed {
    fn from(error: &AuthError) -> Self {
        let code = error.kind().code();
        let reason = match error.source() {
            Some(source) => format!("{code}: {source}").into(),
            None => code.into(),
        };
        Self { failure: error.into(), reason: Some(reason), is_fault: false }
    }
}

impl From<&AuthError> for Failure {
    /// Maps the error of a subject token or an actor token.
    fn from(error: &AuthError) -> Self {
        match error.kind() {
            // The token was not judged and may be good.
            AuthErrorKind::KeysUnavailable
            | AuthErrorKind::StoreUnavailable
            | AuthErrorKind::ResolverUnavailable => ExchangeRefusal::Unavailable.into(),
            AuthErrorKind::IssuerNotLookedUp => {
                ExchangeRefusal::TooManyRequests { retry_after: RETRY_AFTER }.into()
            }
            AuthErrorKind::InternalError => Self::ServerError,
            _ => ExchangeRefusal::UnacceptableToken.into(),
        }
    }
}

/// What an endpoint answers if a token is not acceptable.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum TokenError {
    #[default]
    InvalidRequest,
    /// As n8n and several other servers answer.
    InvalidGrant,
}

impl Failure {
    /// Returns the status, the OAuth error and its description.
    fn parts(self, token_error: TokenError) -> (u16, &'static str, Option<&'static str>) {
        let Self::Refused(refusal) = self else { return self.own_parts() };
        match refusal {
            ExchangeRefusal::UnacceptableToken => {
                let error = match token_error {
                    TokenError::InvalidRequest => "invalid_request",
                    TokenError::InvalidGrant => "invalid_grant",
                };
                (400, error, Some("the subject token or the actor token is not acceptable"))
            }
            ExchangeRefusal::InvalidTarget => (400, "invalid_target", None),
            ExchangeRefusal::InvalidScope => (400, "invalid_scope", None),
            ExchangeRefusal::UnauthorizedClient => (400, "unauthorized_client", None),
            ExchangeRefusal::Unavailable => (503, "temporarily_unavailable", None),
            ExchangeRefusal::TooManyRequests { .. } => (429, "temporarily_unavailable", None),
        }
    }

    fn own_parts(self) -> (u16, &'static str, Option<&'static str>) {
        match self {
            Self::InvalidRequest(description) => (400, "invalid_request", Some(description)),
            Self::UnsupportedGrantType => (400, "unsupported_grant_type", None),
            Self::InvalidClient { .. } => (401, "invalid_client", None),
            Self::Refused(_) | Self::ServerError => (500, "server_error", None),
        }
    }

    /// Returns the OAuth error.
    pub(super) fn code(self, token_error: TokenError) -> &'static str {
        self.parts(token_error).1
    }

    pub(super) fn response(self, token_error: TokenError) -> EndpointResponse {
        let (status, error, description) = self.parts(token_error);
        let body = match description {
            Some(description) => json!({"error": error, "error_description": description}),
            None => json!({"error": error}),
        };
        let response = json_response(status, body.to_string());
        match self {
            Self::InvalidClient { used_authorization: true } => {
                response.header("www-authenticate", CHALLENGE)
            }
            Self::Refused(ExchangeRefusal::Unavailable) => retry_after(response, RETRY_AFTER),
            Self::Refused(ExchangeRefusal::TooManyRequests { retry_after: after }) => {
                retry_after(response, after)
            }
            _ => response,
        }
    }
}

fn retry_after(response: EndpointResponse, after: Duration) -> EndpointResponse {
    // Whole seconds, rounded up: a client that waits that long is not early.
    let seconds = after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0)).max(1);
    response.header("retry-after", seconds.to_string())
}

/// Creates a response that no cache may store ([RFC 6749 §5.1]).
///
/// [RFC 6749 §5.1]: https://www.rfc-editor.org/rfc/rfc6749#section-5.1
pub(super) fn json_response(status: u16, body: String) -> EndpointResponse {
    EndpointResponse::new(status, body)
        .header("content-type", "application/json")
        .header("cache-control", "no-store")
        .header("pragma", "no-cache")
}
