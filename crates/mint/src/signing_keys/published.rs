//! The public keys, as the document that verifiers fetch.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::URL_SAFE_NO_PAD;

/// The JWK Set of a service's public keys ([RFC 7517 §5]), and what its response needs.
///
/// [RFC 7517 §5]: https://www.rfc-editor.org/rfc/rfc7517#section-5
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublishedKeys {
    json: String,
    etag: String,
    max_age: Duration,
}

impl PublishedKeys {
    pub(super) fn new<'k>(jwks: impl Iterator<Item = &'k str>, max_age: Duration) -> Self {
        let json = format!("{{\"keys\":[{}]}}", jwks.collect::<Vec<_>>().join(","));
        let hash = URL_SAFE_NO_PAD.encode_to_string(digest(&SHA256, json.as_bytes()));
        Self { etag: format!("\"{hash}\""), json, max_age }
    }

    /// Returns the JSON text.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Returns the JSON text.
    #[must_use]
    pub fn into_json(self) -> String {
        self.json
    }

    /// Returns the `ETag`, a strong one ([RFC 9110 §8.8.3]). Replicas with the same keys have the same.
    ///
    /// [RFC 9110 §8.8.3]: https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// Returns how long clients may keep the document: the `max-age` of its `Cache-Control`.
    #[must_use]
    pub fn max_age(&self) -> Duration {
        self.max_age
    }
}
