//! Responses that are the same for every client, and whose body a client may keep.

use std::time::Duration;

use portcullis::adapter::{EndpointCall, EndpointResponse, RequestView};

use super::conditional::is_known;

/// Every page may read the document, as it may read resource metadata.
const OPEN: (&str, &str) = ("access-control-allow-origin", "*");
const METHODS: &str = "GET, HEAD, OPTIONS";

/// A document, as it is now.
pub(super) struct Document {
    pub(super) content_type: &'static str,
    pub(super) json: String,
    pub(super) etag: String,
    pub(super) max_age: Duration,
}

impl Document {
    /// Responds to a request by its method: the document, or 304 if the client has it.
    pub(super) fn respond(
        request: &dyn RequestView,
        document: impl FnOnce() -> Self,
    ) -> EndpointCall {
        EndpointCall::respond(match request.method() {
            "GET" | "HEAD" => document().get(request),
            "OPTIONS" => preflight(),
            _ => EndpointResponse::new(405, "").header("allow", METHODS).header(OPEN.0, OPEN.1),
        })
    }

    fn get(self, request: &dyn RequestView) -> EndpointResponse {
        let response = if is_known(request, &self.etag) {
            EndpointResponse::new(304, "")
        } else {
            EndpointResponse::new(200, self.json).header("content-type", self.content_type)
        };
        // A 304 has the fields that a 200 would have (RFC 9110 §15.4.5).
        response
            .header("etag", self.etag)
            .header("cache-control", format!("public, max-age={}", self.max_age.as_secs()))
            .header(OPEN.0, OPEN.1)
    }
}

fn preflight() -> EndpointResponse {
    EndpointResponse::new(204, "")
        .header("allow", METHODS)
        .header(OPEN.0, OPEN.1)
        .header("access-control-allow-methods", METHODS)
        .header("access-control-allow-headers", "*")
        .header("access-control-max-age", "86400")
}
