//! The metadata that name the issuer and its keys.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::URL_SAFE_NO_PAD;
use portcullis::{
    AuthContext,
    adapter::{Endpoint, EndpointCall, RequestView},
};
use portcullis_jose::Algorithm;
use serde_json::{Map, Value, json};

use super::{MetadataError, response::Document, url::PlainUrl};
use crate::SigningKeys;

/// Serves the metadata of a service that issues tokens, by which verifiers find its keys: those of
/// OpenID Connect Discovery 1.0 §4 and of [RFC 8414]. The adapters serve it, at two paths.
///
/// The document has only what is true of the service:
///
/// | member | value |
/// |---|---|
/// | `issuer` | as given, byte for byte: verifiers compare it so |
/// | `jwks_uri` | [`jwk_set_url`](Self::jwk_set_url) |
/// | `token_endpoint`, `grant_types_supported`, `token_endpoint_auth_methods_supported` | [`token_endpoint`](Self::token_endpoint); without one, no grant types |
/// | `response_types_supported` | empty, because there is no authorization endpoint. Both standards require the member |
/// | `subject_types_supported` | `public`, as OpenID Connect requires |
/// | `id_token_signing_alg_values_supported` | the algorithms of the published keys, at this moment |
///
/// The responses are as those of [`JwkSetEndpoint`](super::JwkSetEndpoint), with the content type
/// `application/json`.
///
/// # Examples
///
/// ```
/// use portcullis_jose::{Algorithm, SigningKey};
/// use portcullis_mint::{DiscoveryEndpoint, SigningKeys};
///
/// let keys = SigningKeys::new(SigningKey::generate(Algorithm::ES256)?);
/// let discovery = DiscoveryEndpoint::new("https://example.com/tasks", keys)?;
/// assert_eq!(discovery.openid_path(), "/tasks/.well-known/openid-configuration");
/// assert_eq!(discovery.oauth_path(), "/.well-known/oauth-authorization-server/tasks");
/// assert_eq!(discovery.jwk_set_path(), "/tasks/.well-known/jwks.json");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 8414]: https://www.rfc-editor.org/rfc/rfc8414
#[derive(Clone, Debug)]
pub struct DiscoveryEndpoint {
    keys: SigningKeys,
    /// What does not change.
    settings: Arc<Settings>,
}

#[derive(Clone, Debug)]
struct Settings {
    members: Map<String, Value>,
    issuer_path: String,
    jwk_set_path: String,
}

impl DiscoveryEndpoint {
    /// Serves the metadata of an issuer: the `iss` of its tokens, which is an `https` URL without query and
    /// fragment. Plain `http` is for this machine alone.
    ///
    /// # Errors
    ///
    /// [`MetadataError`].
    pub fn new(issuer: &str, keys: SigningKeys) -> Result<Self, MetadataError> {
        let issuer_path = PlainUrl::parse("issuer", issuer)?.path.to_owned();
        if keys.published_algorithms().is_empty() {
            return Err(MetadataError::NoPublicKeys);
        }
        let jwk_set_url = format!("{}{JWK_SET}", issuer.strip_suffix('/').unwrap_or(issuer));
        let members = json!({
            "issuer": issuer,
            "jwks_uri": jwk_set_url,
            // Without this member, readers assume the grants of browsers.
            "grant_types_supported": [],
            "response_types_supported": [],
            "subject_types_supported": ["public"],
        });
        let members = members.as_object().cloned().unwrap_or_default();
        let jwk_set_path = format!("{issuer_path}{JWK_SET}");
        let settings = Settings { members, issuer_path, jwk_set_path };
        Ok(Self { keys, settings: Arc::new(settings) })
    }

    fn set(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Arc::unwrap_or_clone(self.settings);
        change(&mut settings);
        Self { settings: Arc::new(settings), ..self }
    }

    /// The URL of the JWK Set, if it is elsewhere. Default: the issuer with `/.well-known/jwks.json`.
    ///
    /// # Errors
    ///
    /// [`MetadataError::Url`].
    pub fn jwk_set_url(self, url: &str) -> Result<Self, MetadataError> {
        let path = PlainUrl::parse("URL of the JWK Set", url)?.path.to_owned();
        Ok(self.set(|settings| {
            settings.jwk_set_path = path;
            settings.members.insert("jwks_uri".to_owned(), url.into());
        }))
    }

    /// The URL of the token endpoint, the grant types that it has, such as
    /// `urn:ietf:params:oauth:grant-type:token-exchange`, and how clients authenticate there
    /// ([RFC 8414 §2]), such as `client_secret_basic` or `none`. Default: there is no token endpoint.
    ///
    /// # Errors
    ///
    /// [`MetadataError::Url`].
    ///
    /// [RFC 8414 §2]: https://www.rfc-editor.org/rfc/rfc8414#section-2
    pub fn token_endpoint(
        self,
        url: &str,
        grant_types: &[&str],
        client_authentication: &[&str],
    ) -> Result<Self, MetadataError> {
        PlainUrl::parse("URL of the token endpoint", url)?;
        let members = [
            ("token_endpoint", json!(url)),
            ("grant_types_supported", json!(grant_types)),
            ("token_endpoint_auth_methods_supported", json!(client_authentication)),
        ];
        let members = members.map(|(name, value)| (name.to_owned(), value));
        Ok(self.set(|settings| settings.members.extend(members)))
    }

    /// Returns the path of the document of OpenID Connect, which comes after the path of the issuer.
    #[must_use]
    pub fn openid_path(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.settings.issuer_path)
    }

    /// Returns the path of the document of [RFC 8414 §3], which comes before the path of the issuer.
    ///
    /// [RFC 8414 §3]: https://www.rfc-editor.org/rfc/rfc8414#section-3
    #[must_use]
    pub fn oauth_path(&self) -> String {
        format!("/.well-known/oauth-authorization-server{}", self.settings.issuer_path)
    }

    /// Returns the path of the JWK Set's URL, for [`JwkSetEndpoint`](super::JwkSetEndpoint).
    #[must_use]
    pub fn jwk_set_path(&self) -> &str {
        &self.settings.jwk_set_path
    }

    fn document(&self) -> Document {
        let algorithms = self.keys.published_algorithms();
        let algorithms: Vec<_> = algorithms.into_iter().map(Algorithm::name).collect();
        let mut members = self.settings.members.clone();
        members.insert("id_token_signing_alg_values_supported".to_owned(), json!(algorithms));
        let json = Value::Object(members).to_string();
        let hash = URL_SAFE_NO_PAD.encode_to_string(digest(&SHA256, json.as_bytes()));
        Document {
            content_type: "application/json",
            etag: format!("\"{hash}\""),
            max_age: self.keys.published().max_age(),
            json,
        }
    }
}

/// Where the JWK Set is, after the issuer.
const JWK_SET: &str = "/.well-known/jwks.json";

impl Endpoint for DiscoveryEndpoint {
    fn call(&self, request: &dyn RequestView, _: Option<&AuthContext>) -> EndpointCall {
        Document::respond(request, || self.document())
    }
}

#[cfg(test)]
mod tests {
    use portcullis_jose::SigningKey;

    use super::*;

    fn keys(algorithm: Algorithm) -> SigningKeys {
        SigningKeys::new(SigningKey::generate(algorithm).unwrap())
    }

    #[test]
    fn the_well_known_path_is_after_the_issuer_for_openid_and_before_it_for_oauth() {
        for (issuer, openid, oauth, keys_at) in [
            ("https://a.example", "", "", ""),
            // A slash at the end is removed.
            ("https://a.example/", "", "", ""),
            ("https://a.example:8443/x/y", "/x/y", "/x/y", "/x/y"),
            ("https://a.example/x/", "/x", "/x", "/x"),
        ] {
            let discovery = DiscoveryEndpoint::new(issuer, keys(Algorithm::ES256)).unwrap();
            let expected = format!("{openid}/.well-known/openid-configuration");
            assert_eq!(discovery.openid_path(), expected);
            let expected = format!("/.well-known/oauth-authorization-server{oauth}");
            assert_eq!(discovery.oauth_path(), expected);
            assert_eq!(discovery.jwk_set_path(), format!("{keys_at}/.well-known/jwks.json"));
            assert!(discovery.document().json.contains(&format!("\"issuer\":\"{issuer}\"")));
            assert!(!discovery.document().json.contains("example//"));
        }
    }

    #[test]
    fn a_token_endpoint_is_named_with_what_it_has() {
        let discovery = DiscoveryEndpoint::new("https://a.example", keys(Algorithm::RS256))
            .and_then(|discovery| discovery.jwk_set_url("https://keys.example/k.json"))
            .and_then(|discovery| {
                discovery.token_endpoint("https://a.example/token", &["password"], &["none"])
            })
            .unwrap();
        assert_eq!(discovery.jwk_set_path(), "/k.json");
        let document: Value = serde_json::from_str(&discovery.document().json).unwrap();
        let expected = json!({
            "issuer": "https://a.example",
            "jwks_uri": "https://keys.example/k.json",
            "token_endpoint": "https://a.example/token",
            "grant_types_supported": ["password"],
            "token_endpoint_auth_methods_supported": ["none"],
            "response_types_supported": [],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        assert_eq!(document, expected);
    }

    #[test]
    fn secrets_and_unsafe_urls_cannot_be_published() {
        let secret = SigningKey::from_secret([7; 32], Algorithm::HS256).unwrap();
        let error = DiscoveryEndpoint::new("https://a.example", SigningKeys::new(secret));
        assert_eq!(error.unwrap_err(), MetadataError::NoPublicKeys);
        let discovery =
            DiscoveryEndpoint::new("https://a.example", keys(Algorithm::EdDSA)).unwrap();
        for url in ["http://a.example/x", "/x", "https://a.example/x?y"] {
            assert!(DiscoveryEndpoint::new(url, keys(Algorithm::EdDSA)).is_err(), "{url}");
            assert!(discovery.clone().jwk_set_url(url).is_err(), "{url}");
            assert!(discovery.clone().token_endpoint(url, &["a"], &["b"]).is_err(), "{url}");
        }
    }
}
