//! What an endpoint answers, as plain data.

use std::borrow::Cow;

use crate::{Rejection, adapter::PlainResponse};

const NO_STORE: (&str, &str) = ("cache-control", "no-store");
/// For caches of HTTP/1.0, which the responses of a token endpoint must name too ([RFC 6749 §5.1]).
///
/// [RFC 6749 §5.1]: https://www.rfc-editor.org/rfc/rfc6749#section-5.1
const NO_CACHE: (&str, &str) = ("pragma", "no-cache");
const JSON: &[(&str, &str)] = &[("content-type", "application/json"), NO_STORE, NO_CACHE];

/// Another method than the one that the endpoint has.
pub(crate) const NOT_POST: PlainResponse<'static> =
    PlainResponse::new(405, &[("allow", "POST"), NO_STORE, NO_CACHE], "");
/// A request that is malformed ([RFC 6749 §5.2]).
///
/// [RFC 6749 §5.2]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
const INVALID_REQUEST: PlainResponse<'static> =
    PlainResponse::new(400, JSON, r#"{"error":"invalid_request"}"#);
pub(super) const TOO_LARGE: PlainResponse<'static> =
    PlainResponse::new(413, JSON, r#"{"error":"invalid_request"}"#);

/// What an [endpoint](super::Endpoint) answers.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "an adapter must render each of these")]
pub enum EndpointResponse {
    /// A response of the endpoint.
    Plain {
        /// The status code.
        status: u16,
        /// The header fields, with names in lower case. A name may be there more than once (`set-cookie`).
        headers: Vec<(&'static str, Cow<'static, str>)>,
        /// The body. A `HEAD` request gets its length and nothing of it.
        body: Cow<'static, str>,
    },
    /// The caller is missing or may not use the endpoint.
    Rejected(Box<Rejection>),
}

impl EndpointResponse {
    /// Starts a response with a status and a body, and no header fields.
    pub fn new(status: u16, body: impl Into<Cow<'static, str>>) -> Self {
        Self::Plain { status, headers: Vec::new(), body: body.into() }
    }

    /// Creates the response to a malformed request: 400 with the error `invalid_request` ([RFC 6749 §5.2]).
    ///
    /// [RFC 6749 §5.2]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
    #[must_use]
    pub fn invalid_request() -> Self {
        INVALID_REQUEST.into()
    }

    /// Adds a header field. `name` is in lower case, and `value` is visible ASCII; adapters leave out a field
    /// that is not.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        if let Self::Plain { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

impl From<PlainResponse<'static>> for EndpointResponse {
    fn from(response: PlainResponse<'static>) -> Self {
        let PlainResponse { status, headers, body } = response;
        headers
            .iter()
            .fold(Self::new(status, body), |response, &(name, value)| response.header(name, value))
    }
}

impl From<Rejection> for EndpointResponse {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(Box::new(rejection.with_cache_control(Some(NO_STORE.1))))
    }
}
