//! What the endpoints of revocation answer.

use crate::adapter::PlainResponse;

const NO_STORE: (&str, &str) = ("cache-control", "no-store");
const JSON: &[(&str, &str)] = &[("content-type", "application/json"), NO_STORE];
const RETRY: &[(&str, &str)] =
    &[("content-type", "application/json"), NO_STORE, ("retry-after", "5")];

/// The request was carried out, or nothing was to do.
pub(super) const OK: PlainResponse<'static> = PlainResponse::new(200, &[NO_STORE], "");
/// Success that has nothing to show.
pub(super) const NO_CONTENT: PlainResponse<'static> = PlainResponse::new(204, &[NO_STORE], "");
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
