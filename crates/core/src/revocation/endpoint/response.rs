//! What an endpoint answers, as plain data.

use crate::{Rejection, adapter::PlainResponse};

const NO_STORE: (&str, &str) = ("cache-control", "no-store");
const JSON: &[(&str, &str)] = &[("content-type", "application/json"), NO_STORE];
const RETRY: &[(&str, &str)] =
    &[("content-type", "application/json"), NO_STORE, ("retry-after", "5")];

/// The request was carried out, or nothing was to do.
pub(super) const OK: PlainResponse<'static> = PlainResponse::new(200, &[NO_STORE], "");
/// Success that has nothing to show.
pub(super) const NO_CONTENT: PlainResponse<'static> = PlainResponse::new(204, &[NO_STORE], "");
pub(super) const OTHER_METHOD: PlainResponse<'static> =
    PlainResponse::new(405, &[("allow", "POST"), NO_STORE], "");
/// A request that is malformed ([RFC 6749 §5.2]).
///
/// [RFC 6749 §5.2]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
pub(super) const INVALID_REQUEST: PlainResponse<'static> =
    PlainResponse::new(400, JSON, r#"{"error":"invalid_request"}"#);
pub(super) const TOO_LARGE: PlainResponse<'static> =
    PlainResponse::new(413, JSON, r#"{"error":"invalid_request"}"#);
/// The token is valid and cannot be revoked ([RFC 7009 §2.2.1]).
///
/// [RFC 7009 §2.2.1]: https://www.rfc-editor.org/rfc/rfc7009#section-2.2.1
pub(super) const UNSUPPORTED_TOKEN: PlainResponse<'static> =
    PlainResponse::new(400, JSON, r#"{"error":"unsupported_token_type"}"#);
/// The token is not the caller's ([RFC 7009 §2.1]).
///
/// [RFC 7009 §2.1]: https://www.rfc-editor.org/rfc/rfc7009#section-2.1
pub(super) const NOT_THE_CALLERS: PlainResponse<'static> =
    PlainResponse::new(403, JSON, r#"{"error":"unauthorized_client"}"#);
/// Too many look-ups of issuers run, so that the token was not judged.
pub(super) const TOO_MANY: PlainResponse<'static> =
    PlainResponse::new(429, RETRY, r#"{"error":"temporarily_unavailable"}"#);
/// Nothing was revoked, and a later request may succeed ([RFC 7009 §2.2.1]).
///
/// [RFC 7009 §2.2.1]: https://www.rfc-editor.org/rfc/rfc7009#section-2.2.1
pub(super) const UNAVAILABLE: PlainResponse<'static> =
    PlainResponse::new(503, RETRY, r#"{"error":"temporarily_unavailable"}"#);

/// What an [endpoint](super::Endpoint) answers. No cache may store it.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "an adapter must render each of these")]
pub enum EndpointResponse {
    /// A response that does not depend on the configuration of challenges.
    Plain {
        /// The response.
        response: PlainResponse<'static>,
        /// The values of its fields `Set-Cookie`.
        set_cookies: Vec<String>,
    },
    /// The caller is missing or may not use the endpoint.
    Rejected(Box<Rejection>),
}

impl From<PlainResponse<'static>> for EndpointResponse {
    fn from(response: PlainResponse<'static>) -> Self {
        Self::Plain { response, set_cookies: Vec::new() }
    }
}

impl From<Rejection> for EndpointResponse {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(Box::new(rejection.with_cache_control(Some(NO_STORE.1))))
    }
}
