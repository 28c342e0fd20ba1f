//! An issuer that is trusted, and the rules for its tokens.

mod config;
mod keys;

use std::time::Duration;

#[cfg(feature = "remote")]
use url::Url;

#[cfg(feature = "remote")]
pub(crate) use self::keys::{Asked, KeysComing, Over};
pub(crate) use self::{
    config::{EngineInfo, IssuerConfig, Origin, TrustedIssuers},
    keys::IssuerKeys,
};
use crate::{
    Algorithm, GrantMapping, JwkSet, NumericDate, TokenProfile, TokenType, VerificationKey,
    jws::AlgorithmSet,
    keys::{KeyMatching, MatchBy, SameId},
};
#[cfg(feature = "remote")]
use crate::{ConfigError, JwkSetFile, KeySource, RefreshPolicy, RemoteJwkSet};

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
    #[cfg(feature = "remote")]
    sources: Vec<std::sync::Arc<dyn KeySource>>,
    key_matching: KeyMatching,
    algorithms: Option<AlgorithmSet>,
    audiences: Vec<String>,
    any_audience: bool,
    rules: Rules,
    mapping: GrantMapping,
}

/// How far clocks may differ, unless configured otherwise.
pub(crate) const LEEWAY: Duration = Duration::from_secs(60);

/// The rules that need no compiling.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) leeway: Duration,
    /// `None`: any.
    pub(crate) types: Option<Vec<TokenType>>,
    /// Whether an `exp` of zero is one.
    pub(crate) zero_is_a_date: bool,
    /// Whether a date may lie between two seconds.
    pub(crate) fractions_count: bool,
    pub(crate) expiry_required: bool,
    pub(crate) subject_required: bool,
    /// `None`: all.
    pub(crate) subjects: Option<Vec<String>>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) max_lifetime: Option<Duration>,
    pub(crate) bound_tokens_ignored: bool,
    pub(crate) required: Vec<String>,
}

impl Rules {
    /// Reads the text of a JSON number as a date.
    pub(crate) fn date(&self, number: &str) -> Option<NumericDate> {
        let date = NumericDate::from_json_number(number)?;
        Some(if self.fractions_count { date } else { date.whole_seconds() })
    }

    /// Tells whether a date that a token has is one.
    pub(crate) fn counts(&self, date: NumericDate) -> bool {
        self.zero_is_a_date || date != NumericDate::EPOCH
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            leeway: LEEWAY,
            types: Some(vec![TokenType::Absent, TokenType::Jwt, TokenType::AtJwt]),
            zero_is_a_date: true,
            fractions_count: true,
            expiry_required: true,
            subject_required: true,
            subjects: None,
            max_age: None,
            max_lifetime: None,
            bound_tokens_ignored: false,
            required: Vec::new(),
        }
    }
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
            #[cfg(feature = "remote")]
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
    /// unless `iss` is another trusted issuer's. `name` stands for the issuer in logs, and in
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
    /// [`ConfigError::InvalidKeySource`] for what can never be fetched, and [`ConfigError::RemoteFile`].
    ///
    /// ```
    /// use portcullis::{Issuer, RefreshPolicy};
    ///
    /// let issuer = Issuer::new("https://idp.example.com")
    ///     .jwk_set_at("file:///etc/idp/keys.json", RefreshPolicy::default())?;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    #[cfg(feature = "remote")]
    pub fn jwk_set_at(self, uri: &str, policy: RefreshPolicy) -> Result<Self, ConfigError> {
        if let Ok(url) = Url::parse(uri)
            && url.scheme() == "file"
        {
            let path = url.to_file_path();
            let path = path.map_err(|()| ConfigError::RemoteFile { uri: uri.to_owned() })?;
            return Ok(self.key_source(JwkSetFile::new(path).refresh_policy(policy)));
        }
        let source = RemoteJwkSet::new(uri).refresh_policy(policy);
        source.check()?;
        Ok(self.key_source(source))
    }

    /// Adds a source of keys. Several sources add up, and each keeps its own last good keys.
    #[cfg(feature = "remote")]
    pub fn key_source(mut self, source: impl KeySource + 'static) -> Self {
        self.sources.push(std::sync::Arc::new(source));
        self
    }

    /// Adds the usable keys of a JWK Set.
    pub fn jwk_set(mut self, set: &JwkSet) -> Self {
        self.keys.extend_from_slice(set.keys());
        self
    }

    /// Adds a key. A key without a key id serves tokens without `kid`, and every token where no key
    /// of the issuer has one.
    pub fn key(mut self, key: VerificationKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Tries every key that fits (four at most) for a token without `kid`. Default: such a token is
    /// refused unless exactly one key fits.
    pub fn try_all_keys(self) -> Self {
        Self { key_matching: KeyMatching { by: MatchBy::TryAll, ..self.key_matching }, ..self }
    }

    /// Finds keys by their ids alone, so that a key from one place never stands in for one from another.
    ///
    /// 1. A token with `kid` is for the key of that id.
    /// 2. A token without `kid` is for the keys without an id that were added here, and refused where
    ///    there is none.
    /// 3. Keys without an id that a [source](Self::key_source) brings are not used.
    ///
    /// Default: a token without `kid` is for the only key that fits, and a key without an id for every
    /// token where no key of the issuer has one.
    pub fn match_key_ids(self) -> Self {
        Self { key_matching: KeyMatching { by: MatchBy::ByIdAlone, ..self.key_matching }, ..self }
    }

    /// Of several keys with one key id, only the last that allows the token's algorithm may have signed
    /// it, whether the token names the id or not: keys that were added here come first, then those of each
    /// [source](Self::key_source) in the order in which it was added, each in the order of its document.
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

    /// How far clocks may differ. Default: 60 seconds.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = leeway;
        self
    }

    /// The types that `typ` may name ([RFC 8725 §3.11]). Default: absent, `JWT`, `at+jwt`.
    ///
    /// [RFC 8725 §3.11]: https://www.rfc-editor.org/rfc/rfc8725#section-3.11
    pub fn token_types<I: IntoIterator<Item = TokenType>>(mut self, types: I) -> Self {
        self.rules.types = Some(types.into_iter().collect());
        self
    }

    /// Accepts tokens whatever their `typ` says.
    ///
    /// # Security
    ///
    /// What the issuer signed for another purpose, such as a logout token or a security event, then
    /// works as an access token here, wherever its other claims happen to fit ([RFC 8725 §2.8]).
    ///
    /// [RFC 8725 §2.8]: https://www.rfc-editor.org/rfc/rfc8725#section-2.8
    pub fn dangerous_any_token_type(mut self) -> Self {
        self.rules.types = None;
        self
    }

    /// Switches a published set of rules on, on top of those set so far.
    pub fn profile(mut self, profile: TokenProfile) -> Self {
        match profile {
            TokenProfile::AtJwt => {
                self.rules.types = Some(vec![TokenType::AtJwt]);
                self.rules.expiry_required = true;
                self.rules.subject_required = true;
                self.required_claims(["iss", "aud", "client_id", "iat", "jti"])
            }
        }
    }

    /// Adds claims that must be there: member names, or JSON pointers with a leading slash. `null`
    /// counts as missing.
    pub fn required_claims<I: IntoIterator<Item: Into<String>>>(mut self, claims: I) -> Self {
        self.rules.required.extend(claims.into_iter().map(Into::into));
        self
    }

    /// The subjects that this issuer may speak for. Default: all.
    pub fn subjects<I: IntoIterator<Item: Into<String>>>(mut self, subjects: I) -> Self {
        self.rules.subjects = Some(subjects.into_iter().map(Into::into).collect());
        self
    }

    /// The longest time since `iat`, which then must be there. Default: no limit.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.rules.max_age = Some(max_age);
        self
    }

    /// The longest time from `iat` to `exp`, which then must be there. Default: no limit.
    pub fn max_lifetime(mut self, max_lifetime: Duration) -> Self {
        self.rules.max_lifetime = Some(max_lifetime);
        self
    }

    /// Accepts tokens without `exp`, which stay good for ever.
    ///
    /// # Security
    ///
    /// A stolen token of that kind works until its key is withdrawn.
    pub fn dangerous_optional_expiry(mut self) -> Self {
        self.rules.expiry_required = false;
        self
    }

    /// Cuts the fractions of `exp`, `nbf` and `iat` off, as services do whose dates are whole seconds: a
    /// token ends, and begins, up to a second earlier. Default: they count ([RFC 7519 §2]).
    ///
    /// [RFC 7519 §2]: https://www.rfc-editor.org/rfc/rfc7519#section-2
    pub fn whole_seconds(mut self) -> Self {
        self.rules.fractions_count = false;
        self
    }

    /// Takes an `exp`, `nbf` or `iat` of `0` for one that is not there, as services in Go do whose
    /// dates have zero for "none"; where the claim is [required](Self::required_claims) it is missing.
    /// Default: it is the date 1970-01-01T00:00:00Z, so that a token with
    /// `exp: 0` has expired.
    ///
    /// # Security
    ///
    /// With [`dangerous_optional_expiry`](Self::dangerous_optional_expiry), a token that an issuer meant
    /// to be dead from the start stays good for ever.
    pub fn dangerous_zero_is_no_date(mut self) -> Self {
        self.rules.zero_is_a_date = false;
        self
    }

    /// Accepts tokens without `sub`. The [subject](crate::Principal::subject) is empty then.
    ///
    /// # Security
    ///
    /// Code that keeps users apart by subject takes all such callers for one.
    pub fn dangerous_optional_subject(mut self) -> Self {
        self.rules.subject_required = false;
        self
    }

    /// Accepts tokens with a `cnf` claim as if they had none. Default: they are refused, because
    /// the binding to their sender is not checked ([RFC 7800 §3.1]).
    ///
    /// # Security
    ///
    /// Whoever steals such a token can use it here, which its issuer meant to prevent.
    ///
    /// [RFC 7800 §3.1]: https://www.rfc-editor.org/rfc/rfc7800#section-3.1
    pub fn dangerous_ignore_binding(mut self) -> Self {
        self.rules.bound_tokens_ignored = true;
        self
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

    pub(crate) fn has_any_audience(&self) -> bool {
        self.any_audience
    }

    pub(crate) fn has_short_secret(&self) -> bool {
        self.keys.iter().any(VerificationKey::is_short)
    }

    #[cfg(feature = "remote")]
    pub(crate) fn key_sources(&self) -> &[std::sync::Arc<dyn KeySource>] {
        &self.sources
    }

    /// Returns the name, unless the issuer stands in for all others.
    pub(crate) fn own_name(&self) -> Option<&str> {
        (!self.any).then_some(&self.name)
    }
}
