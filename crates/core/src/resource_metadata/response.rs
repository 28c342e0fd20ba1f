//! The answer to a request for the metadata, for adapters to render.

use super::ResourceMetadata;
use crate::adapter::PlainResponse;

/// Any page may read the document, and how the request for it went.
const OPEN: (&str, &str) = ("access-control-allow-origin", "*");
const METHODS: &str = "GET, HEAD, OPTIONS";

const DOCUMENT: &[(&str, &str)] = &[
    ("content-type", "application/json"),
    // So short that a change of the configuration is soon known.
    ("cache-control", "public, max-age=300"),
    OPEN,
];
/// Clients send fields of their own with the request, such as `MCP-Protocol-Version`.
const PREFLIGHT: &[(&str, &str)] = &[
    ("allow", METHODS),
    OPEN,
    ("access-control-allow-methods", METHODS),
    ("access-control-allow-headers", "*"),
    ("access-control-max-age", "86400"),
];
const OTHER_METHOD: &[(&str, &str)] = &[("allow", METHODS), OPEN];
const OTHER_RESOURCE: &[(&str, &str)] = &[OPEN];

impl ResourceMetadata {
    /// Answers a request for [`path`](Self::path), by its method and the query of its URI.
    ///
    /// # Examples
    ///
    /// ```
    /// # use portcullis::{Authenticator, Issuer, VerificationKey};
    /// # let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    /// # let auth = Authenticator::builder()
    /// #     .issuer(Issuer::new("https://idp.example.com").key(VerificationKey::from_pem(pem)?))
    /// #     .resource("https://api.example.com")
    /// #     .build()?;
    /// let metadata = auth.resource_metadata().unwrap();
    /// assert_eq!(metadata.respond("GET", None).body, metadata.json());
    /// assert_eq!(metadata.respond("POST", None).status, 405);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn respond(&self, method: &str, query: Option<&str>) -> PlainResponse<'_> {
        let (status, headers, body) = match method {
            "OPTIONS" => (204, PREFLIGHT, ""),
            "GET" | "HEAD" if self.is_named_by(query) => (200, DOCUMENT, self.json()),
            "GET" | "HEAD" => (404, OTHER_RESOURCE, ""),
            _ => (405, OTHER_METHOD, ""),
        };
        PlainResponse::new(status, headers, body)
    }
}
