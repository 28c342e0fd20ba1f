//! The JWK Set.

use portcullis::{
    AuthContext,
    adapter::{Endpoint, EndpointCall, RequestView},
};

use super::response::Document;
use crate::SigningKeys;

/// Serves the public keys of [`SigningKeys`] as a JWK Set ([RFC 7517 §5]), for the services that verify the tokens.
/// The adapters serve it.
///
/// | request | response |
/// |---|---|
/// | `GET`, `HEAD` | 200, `application/jwk-set+json`: the keys that verifiers need at this moment |
/// | the same, and `If-None-Match` has the `ETag` of these keys, or `*` | 304 |
/// | `OPTIONS` | 204, for CORS: pages of every origin may read it |
/// | another method | 405 |
///
/// Clients may keep the document for [`SigningKeysBuilder::max_age`](crate::SigningKeysBuilder::max_age). It does not
/// belong behind a layer that authenticates callers.
///
/// [RFC 7517 §5]: https://www.rfc-editor.org/rfc/rfc7517#section-5
#[derive(Clone, Debug)]
pub struct JwkSetEndpoint {
    keys: SigningKeys,
}

impl JwkSetEndpoint {
    /// Serves these keys, whichever they are at each request.
    #[must_use]
    pub fn new(keys: SigningKeys) -> Self {
        Self { keys }
    }
}

impl Endpoint for JwkSetEndpoint {
    fn call(&self, request: &dyn RequestView, _: Option<&AuthContext>) -> EndpointCall {
        Document::respond(request, || {
            let keys = self.keys.published();
            Document {
                content_type: "application/jwk-set+json",
                etag: keys.etag().to_owned(),
                max_age: keys.max_age(),
                json: keys.into_json(),
            }
        })
    }
}
