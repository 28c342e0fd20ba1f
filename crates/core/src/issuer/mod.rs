//! A trusted issuer, and the rules for its tokens.

mod config;
mod error;
mod profile;
mod rules;

#[cfg(feature = "remote")]
use url::Url;

pub(crate) use self::{
    config::{EngineInfo, IssuerConfig, Origin, TrustedIssuers},
    rules::{LEEWAY, Rules},
};
pub use error::IssuerError;
pub use portcullis_jose::TokenType;
pub use profile::TokenProfile;

use crate::{
    Algorithm, GrantMapping, JwkSet, KeySource, SkippedKey, VerificationKey,
    jws::AlgorithmSet,
    keys::{KeyMatching, MatchBy, SameId},
};
#[cfg(feature = "remote")]
use crate::{JwkSetFile, KeySourceConfigError, RefreshPolicy, RemoteJwkSet};

/// An issuer that is trusted, its keys, and the rules for its tokens.
///
/// # Examples
///
/// ```
/// use portcullis::{Algorithm, Issuer, JwkSet};
///
/// # let json = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
/// let issuer = Issuer::new("https://idp.example.com")
///     .jwk_set(&JwkSet::from_json(json)?)
///     .audience("https://api.example.com")
///     .algorithms([Algorithm::EdDSA]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Issuer {
    name: String,
    any: bool,
    keys: Vec<VerificationKey>,
    skipped: Vec<SkippedKey>,
    sources: Vec<std::sync::Arc<dyn KeySource>>,
    key_matching: KeyMatching,
    algorithms: Option<AlgorithmSet>,
    audiences: Vec<String>,
    any_audience: bool,
    rules: Rules,
    mapping: GrantMapping,
}

impl Issuer {
    /// Trusts the issuer whose tokens have this `iss`, compared byte for byte
    /// ([RFC 8725 §3.8]).
    ///
    /// [RFC 8725 §3.8]: https://www.rfc-editor.org/rfc/rfc8725#section-3.8
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            name: issuer.into(),
            any: false,
            keys: Vec::new(),
            skipped: Vec::new(),
            sources: Vec::new(),
            key_matching: KeyMatching::default(),
            algorithms: None,
            audiences: Vec::new(),
            any_audience: false,
            rules: Rules::default(),
            mapping: GrantMapping::default(),
        }
    }

    /// Trusts every token that one of the keys verifies, whatever its `iss` says or if it has none,
    /// unless `iss` is another trusted issuer's or the name of a strategy. `name` stands for the issuer in logs, and in
    /// [`Principal::issuer`](crate::Principal::issuer) where a token has no `iss`.
    ///
    /// # Security
    ///
    /// A key that signs for several issuers then speaks for all of them here.
    pub fn dangerous_any(name: impl Into<String>) -> Self {
        Self { any: true, ..Self::new(name) }
    }

    /// Trusts an issuer that publishes where its keys are: its metadata are found by OpenID Connect
    /// Discovery 1.0 §4 or [RFC 8414 §3], when keys are first needed.
    ///
    /// [RFC 8414 §3]: https://www.rfc-editor.org/rfc/rfc8414#section-3
    #[cfg(feature = "remote")]
    pub fn discover(issuer: impl Into<String>) -> Self {
        let issuer = issuer.into();
        let source = RemoteJwkSet::discover(issuer.clone());
        Self::new(issuer).key_source(source)
    }

    /// Adds the keys of a JWK Set at a URL.
    #[cfg(feature = "remote")]
    pub fn jwk_set_uri(self, uri: impl Into<String>) -> Self {
        self.key_source(RemoteJwkSet::new(uri))
    }

    /// Adds the keys of a JWK Set at a URI of the operator's: a [`JwkSetFile`] for `file`, and a
    /// [`RemoteJwkSet`] for anything else. A file that is not there yet is waited for, as a server is.
    ///
    /// # Errors
    ///
    /// [`KeySourceConfigError::InvalidLocation`] for what can never be fetched, and
    /// [`KeySourceConfigError::RemoteFile`].
    ///
    /// ```
    /// use portcullis::{Issuer, keys::RefreshPolicy};
    ///
    /// let issuer = Issuer::new("https://idp.example.com")
    ///     .jwk_set_at("file:///etc/idp/keys.json", RefreshPolicy::default())?;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    #[cfg(feature = "remote")]
    pub fn jwk_set_at(
        self,
        uri: &str,
        policy: RefreshPolicy,
    ) -> Result<Self, KeySourceConfigError> {
        if let Ok(url) = Url::parse(uri)
            && url.scheme() == "file"
        {
            let path = url.to_file_path();
            let path =
                path.map_err(|()| KeySourceConfigError::RemoteFile { uri: uri.to_owned() })?;
            return Ok(self.key_source(JwkSetFile::new(path).refresh_policy(policy)));
        }
        let source = RemoteJwkSet::new(uri).refresh_policy(policy);
        source.check()?;
        Ok(self.key_source(source))
    }

    /// Adds a source of keys. Several sources add up, and each keeps its own last good keys.
    pub fn key_source(mut self, source: impl KeySource + 'static) -> Self {
        self.sources.push(std::sync::Arc::new(source));
        self
    }

    /// Adds the usable keys of a JWK Set. A token that names a skipped one is rejected with the reason.
    pub fn jwk_set(mut self, set: &JwkSet) -> Self {
        self.skipped.extend_from_slice(set.skipped());
        self.keys.extend_from_slice(set.keys());
        self
    }

    /// Adds a key. A key without a key id serves tokens without `kid`, and every token where no key
    /// of the issuer has one.
    pub fn key(mut self, key: VerificationKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Tries every key that fits (four at most) for a token without `kid`, first those whose certificate
    /// the header names in `x5t` or `x5t#S256`. Default: such a token is rejected unless exactly one key
    /// fits, or the header names the certificate of exactly one.
    pub fn try_all_keys(self) -> Self {
        Self { key_matching: KeyMatching { by: MatchBy::TryAll, ..self.key_matching }, ..self }
    }

    /// Finds keys by their ids alone, so that a key from one place never stands in for one from another.
    ///
    /// 1. A token with `kid` is for the key of that id.
    /// 2. A token without `kid` is for the keys without an id that were added here, and rejected where
    ///    there is none.
    /// 3. Keys without an id that a source brings are not used.
    ///
    /// Default: a token without `kid` is for the only key that fits, and a key without an id for every
    /// token where no key of the issuer has one.
    pub fn match_key_ids(self) -> Self {
        Self { key_matching: KeyMatching { by: MatchBy::ByIdAlone, ..self.key_matching }, ..self }
    }

    /// Of several keys with one key id, only the last that allows the token's algorithm may have signed
    /// it, whether the token names the id or not: keys that were added here come first, then those of each
    /// source in the order in which it was added, each in the order of its
    /// document.
    /// While a source has no keys, those before it stand. Default: each of them may, four at most.
    pub fn last_key_of_id_wins(self) -> Self {
        Self { key_matching: KeyMatching { same_id: SameId::Last, ..self.key_matching }, ..self }
    }

    /// The algorithms that are allowed ([RFC 8725 §3.1]). Default: every asymmetric one that a key
    /// allows, and the HMAC ones of secrets that were added.
    ///
    /// [RFC 8725 §3.1]: https://www.rfc-editor.org/rfc/rfc8725#section-3.1
    pub fn algorithms<I: IntoIterator<Item = Algorithm>>(self, algorithms: I) -> Self {
        Self { algorithms: Some(algorithms.into_iter().collect()), ..self }
    }

    /// Adds an audience that stands for this service; one of them must be in `aud`
    /// ([RFC 7519 §4.1.3]). Default: those of the
    /// [builder](crate::AuthenticatorBuilder::audience).
    ///
    /// [RFC 7519 §4.1.3]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts tokens that are meant for anyone.
    ///
    /// # Security
    ///
    /// A token that a user gave to another service of the same issuer then works here too.
    pub fn dangerous_any_audience(self) -> Self {
        Self { any_audience: true, ..self }
    }

    /// Tells whether this is the issuer of that very name, and of no other.
    pub(crate) fn is_exactly(&self, name: &str) -> bool {
        !self.any && self.name == name
    }

    /// Which claims hold scopes, roles, permissions and groups. Default: see [`GrantMapping`].
    pub fn grant_mapping(self, mapping: GrantMapping) -> Self {
        Self { mapping, ..self }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Tells whether it stands in for all that are not named.
    pub(crate) fn is_any(&self) -> bool {
        self.any
    }

    pub(crate) fn is_one_time(&self) -> bool {
        self.rules.one_time
    }

    /// Tells whether tokens without `exp` are rejected.
    pub(crate) fn must_expire(&self) -> bool {
        self.rules.expiry_required
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn has_max_lifetime(&self) -> bool {
        self.rules.max_lifetime.is_some()
    }

    pub(crate) fn has_any_audience(&self) -> bool {
        self.any_audience
    }

    pub(crate) fn has_short_secret(&self) -> bool {
        self.first_keys().iter().any(VerificationKey::is_short)
    }

    /// Returns the keys that are there from the start, also those of sources.
    fn first_keys(&self) -> Vec<VerificationKey> {
        let seeds = self.sources.iter().filter_map(|source| source.seed());
        let of_sources = seeds.flat_map(|(document, _)| document.keys.to_vec());
        self.keys.iter().cloned().chain(of_sources).collect()
    }

    pub(crate) fn key_sources(&self) -> &[std::sync::Arc<dyn KeySource>] {
        &self.sources
    }

    /// Returns the name, unless the issuer stands in for all others.
    pub(crate) fn own_name(&self) -> Option<&str> {
        (!self.any).then_some(&self.name)
    }
}
