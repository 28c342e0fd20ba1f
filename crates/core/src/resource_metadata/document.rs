//! The metadata of a protected resource, ready to be served.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use super::identifier::Identifier;

/// The metadata of the service ([RFC 9728 §2]), as the engine's configuration gives them.
///
/// Serialized, it is the document that is served at [`path`](Self::path).
///
/// [RFC 9728 §2]: https://www.rfc-editor.org/rfc/rfc9728#section-2
#[derive(Clone, Debug)]
pub struct ResourceMetadata {
    resource: String,
    authorization_servers: Vec<String>,
    scopes_supported: Vec<String>,
    bearer_methods_supported: Vec<&'static str>,
    parameters: Vec<(String, Value)>,
    audiences: Vec<String>,
    url: String,
    path: String,
    query: Option<String>,
    json: String,
}

impl ResourceMetadata {
    pub(super) fn new(
        identifier: Identifier<'_>,
        resource: String,
        authorization_servers: Vec<String>,
        scopes_supported: Vec<String>,
        bearer_methods_supported: Vec<&'static str>,
        parameters: Vec<(String, Value)>,
    ) -> Self {
        let audiences = if identifier.is_whole_host() {
            vec![identifier.origin().to_owned(), format!("{}/", identifier.origin())]
        } else {
            vec![resource.clone()]
        };
        let mut metadata = Self {
            audiences,
            url: identifier.metadata_url(),
            path: identifier.metadata_path(),
            query: identifier.query().map(ToOwned::to_owned),
            json: String::new(),
            resource,
            authorization_servers,
            scopes_supported,
            bearer_methods_supported,
            parameters,
        };
        // Texts and JSON values: there is nothing in it that could not be written.
        metadata.json = serde_json::to_string(&metadata).unwrap_or_default();
        metadata
    }

    /// Returns the resource identifier of the service.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Returns the issuers that clients may get tokens from.
    #[must_use]
    pub fn authorization_servers(&self) -> &[String] {
        &self.authorization_servers
    }

    /// Returns the document, as JSON text.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Returns the URL of the document: the well-known path stands between the host and the path of
    /// the resource ([RFC 9728 §3.1]).
    ///
    /// [RFC 9728 §3.1]: https://www.rfc-editor.org/rfc/rfc9728#section-3.1
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the path of the document on the host, such as
    /// `/.well-known/oauth-protected-resource/mcp`, percent-encoded and without a query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Tells whether a request for [`path`](Self::path) with this query is for this document: the
    /// resource's own query is part of its name, and any other query says nothing.
    pub(super) fn is_named_by(&self, query: Option<&str>) -> bool {
        self.query.is_none() || self.query.as_deref() == query
    }

    /// Returns what tokens for this service name as their audience ([RFC 8707 §2]). Clients write a
    /// host as a whole with and without a slash.
    ///
    /// [RFC 8707 §2]: https://www.rfc-editor.org/rfc/rfc8707#section-2
    pub(crate) fn audiences(&self) -> &[String] {
        &self.audiences
    }
}

impl Serialize for ResourceMetadata {
    /// Writes the document. Parameters without a value are left out ([RFC 9728 §3.2]).
    ///
    /// [RFC 9728 §3.2]: https://www.rfc-editor.org/rfc/rfc9728#section-3.2
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("resource", &self.resource)?;
        if !self.authorization_servers.is_empty() {
            map.serialize_entry("authorization_servers", &self.authorization_servers)?;
        }
        if !self.scopes_supported.is_empty() {
            map.serialize_entry("scopes_supported", &self.scopes_supported)?;
        }
        if !self.bearer_methods_supported.is_empty() {
            map.serialize_entry("bearer_methods_supported", &self.bearer_methods_supported)?;
        }
        for (name, value) in &self.parameters {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
