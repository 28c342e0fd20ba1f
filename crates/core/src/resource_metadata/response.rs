//! The answer to a request for the metadata, for adapters to render.

use super::ResourceMetadata;

/// What anyone gets who asks for the metadata, as plain data.
///
/// It is the same for everyone and needs no credentials: pages of every origin may read it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ResourceMetadataResponse<'a> {
    /// The status code.
    pub status: u16,
    /// The header fields, with names in lower case.
    pub headers: &'static [(&'static str, &'static str)],
    /// The body. A `HEAD` request gets its length and nothing of it.
    pub body: &'a str,
}

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
    pub fn respond(&self, method: &str, query: Option<&str>) -> ResourceMetadataResponse<'_> {
        let (status, headers, body) = match method {
            "OPTIONS" => (204, PREFLIGHT, ""),
            "GET" | "HEAD" if self.is_named_by(query) => (200, DOCUMENT, self.json()),
            "GET" | "HEAD" => (404, OTHER_RESOURCE, ""),
            _ => (405, OTHER_METHOD, ""),
        };
        ResourceMetadataResponse { status, headers, body }
    }
}
