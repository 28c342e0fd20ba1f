//! Tokens, dated and signed.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use base64_simd::URL_SAFE_NO_PAD;
use portcullis::clock::{Clock, SystemClock};
use portcullis_jose::{Algorithm, KeyError, NumericDate, SigningKey};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::runtime::Handle;

use super::{MintError, SigningKeys};

/// How long a token is good, unless something else is said.
pub(super) const LIFETIME: Duration = Duration::from_secs(3600);

/// Issues JWTs: dates them, gives each an id, and signs them with one key, or with the
/// [`SigningKeys`] that replace each other.
///
/// 1. `iat` and `nbf` are now, `exp` is a [lifetime](Self::lifetime) later, and `jti` is new and random
///    ([RFC 7519 §4.1.4] to §4.1.7). Claims of these names that are given, and not `null`, stand instead.
/// 2. The header has `alg`, `kid` and `typ`, and nothing else.
/// 3. Nothing is locked: a minter is shared by all threads.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use portcullis::{Authenticator, Issuer};
/// use portcullis_jose::{Algorithm, SigningKey};
/// use portcullis_mint::Minter;
/// use serde_json::json;
///
/// let key = SigningKey::generate(Algorithm::EdDSA)?;
/// let auth = Authenticator::builder()
///     .issuer(Issuer::new("workers").key(key.verification_key()?))
///     .audience("orders")
///     .build()?;
///
/// let minter = Minter::new(key).issuer("workers").lifetime(Duration::from_secs(300));
/// let minted = minter.mint(&json!({"sub": "worker-7", "aud": "orders"}))?;
/// assert_eq!(auth.authenticate_token_now(minted.token())?.principal().token_id(), minted.token_id());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 7519 §4.1.4]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4
#[derive(Clone, Debug)]
#[must_use]
pub struct Minter {
    keys: SigningKeys,
    issuer: Option<String>,
    token_type: Option<String>,
    prefix: String,
    backdate: Duration,
    /// `None` where nobody has said one.
    lifetime: Option<Duration>,
    clock: Arc<dyn Clock>,
}

impl Minter {
    /// Starts a minter that signs with a [`SigningKey`], or with the [current](SigningKeys::current) key of
    /// [`SigningKeys`].
    pub fn new(keys: impl Into<SigningKeys>) -> Self {
        Self {
            keys: keys.into(),
            issuer: None,
            token_type: Some("JWT".to_owned()),
            prefix: String::new(),
            backdate: Duration::ZERO,
            lifetime: None,
            clock: Arc::new(SystemClock::default()),
        }
    }

    /// The `iss` of the tokens that do not bring one. Default: none.
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        Self { issuer: Some(issuer.into()), ..self }
    }

    /// The `typ` of the header, such as `at+jwt`. Default: `JWT`. An empty one leaves it out.
    pub fn token_type(self, token_type: impl Into<String>) -> Self {
        Self { token_type: Some(token_type.into()).filter(|typ| !typ.is_empty()), ..self }
    }

    /// A prefix of the tokens, such as `jwt_ext_`, by which a service distinguishes them from other tokens
    /// ([`TokenLocation::prefix`](portcullis::TokenLocation::prefix) removes it). Default: none.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Sets `iat` and `nbf` that long before now, for verifiers whose clocks are late and that allow no leeway.
    /// Default: zero. `exp` is a lifetime after now all the same.
    pub fn backdate(self, backdate: Duration) -> Self {
        Self { backdate, ..self }
    }

    /// How long a token is good. Default: an hour, and 10 minutes in a [`RenewingToken`](crate::RenewingToken).
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime: Some(lifetime), ..self }
    }

    /// The clock. Default: the [`SystemClock`].
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Takes over a clock, to have one with whoever renews the tokens.
    pub(super) fn shared_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Returns the clock, and how long a token is good if that was said.
    pub(super) fn timing(&self) -> (&Arc<dyn Clock>, Option<Duration>) {
        (&self.clock, self.lifetime)
    }

    /// Returns the `iss`, and the keys, by which this service knows its own tokens.
    pub(super) fn identity(&self) -> (Option<&str>, &SigningKeys) {
        (self.issuer.as_deref(), &self.keys)
    }

    /// Returns how long before now tokens are dated.
    pub(super) fn backdated(&self) -> Duration {
        self.backdate
    }

    /// Returns the key that signs now.
    #[must_use]
    pub fn key(&self) -> SigningKey {
        self.keys.current()
    }

    /// Makes a token of claims, which are a struct or a map.
    ///
    /// # Errors
    ///
    /// [`MintError`] if the claims are not a JSON object, if the token would live longer than its key is
    /// [published](crate::SigningKeysBuilder::max_lifetime), if no key may sign
    /// ([`MintError::NoSigningKey`]), or if the cryptographic module fails.
    pub fn mint(&self, claims: &impl Serialize) -> Result<MintedToken, MintError> {
        let claims = match serde_json::to_value(claims).map_err(MintError::Claims)? {
            Value::Object(claims) => self.dated(claims)?,
            _ => return Err(MintError::NoObject),
        };
        let date = claims.get("exp").and_then(Value::as_i64).map(NumericDate::from_seconds);
        let id = claims.get("jti").and_then(Value::as_str).map(ToOwned::to_owned);
        self.check_lifetime(date)?;
        let key = self.keys.signing_key()?;
        let signing_input =
            format!("{}.{}", encode(&self.header(&key)), encode(&Value::Object(claims)));
        let signature = key.sign(signing_input.as_bytes())?;
        let signature = URL_SAFE_NO_PAD.encode_to_string(signature);
        let token = format!("{}{signing_input}.{signature}", self.prefix);
        Ok(MintedToken { token, id, expires_at: date })
    }

    /// As [`mint`](Self::mint), on another thread if that takes long.
    ///
    /// A signature with RSA takes a millisecond and more, for which other tasks of this thread should not
    /// wait. The other algorithms take less than the way to another thread and back.
    pub(super) async fn mint_off_thread(
        &self,
        claims: Map<String, Value>,
    ) -> Result<MintedToken, Box<dyn Error + Send + Sync>> {
        match Handle::try_current() {
            Ok(runtime) if is_rsa(self.key().algorithm()) => {
                let minter = self.clone();
                Ok(runtime.spawn_blocking(move || minter.mint(&claims)).await??)
            }
            _ => Ok(self.mint(&claims)?),
        }
    }

    /// Rejects a token that verifiers could not verify until it expires.
    fn check_lifetime(&self, expires_at: Option<NumericDate>) -> Result<(), MintError> {
        let limit = self.keys.max_lifetime();
        let latest = self.clock.now().saturating_add(limit);
        if limit < Duration::MAX && expires_at.is_none_or(|expires_at| expires_at > latest) {
            return Err(MintError::LifetimeTooLong { limit });
        }
        Ok(())
    }

    fn header(&self, key: &SigningKey) -> Value {
        let mut header = Map::new();
        header.insert("alg".to_owned(), key.algorithm().name().into());
        if let Some(key_id) = key.key_id() {
            header.insert("kid".to_owned(), key_id.into());
        }
        if let Some(typ) = &self.token_type {
            header.insert("typ".to_owned(), typ.as_str().into());
        }
        Value::Object(header)
    }

    /// Adds what is not given.
    fn dated(&self, mut claims: Map<String, Value>) -> Result<Map<String, Value>, MintError> {
        let now = self.clock.now();
        let expires_at = now.saturating_add(self.lifetime.unwrap_or(LIFETIME)).seconds();
        let issued_at = now.saturating_sub(self.backdate).seconds();
        let id = URL_SAFE_NO_PAD.encode_to_string(random()?);
        let own: [(&str, Value); 4] = [
            ("iat", issued_at.into()),
            ("nbf", issued_at.into()),
            ("exp", expires_at.into()),
            ("jti", id.into()),
        ];
        let issuer = self.issuer.as_deref().map(|issuer| ("iss", Value::from(issuer)));
        for (name, value) in own.into_iter().chain(issuer) {
            if claims.get(name).is_none_or(Value::is_null) {
                claims.insert(name.to_owned(), value);
            }
        }
        Ok(claims)
    }
}

fn is_rsa(algorithm: Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512
    )
}

fn encode(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode_to_string(json.to_string())
}

/// A token that was made, and what to know it by later. `Debug` does not show the token.
#[derive(Clone)]
pub struct MintedToken {
    token: String,
    id: Option<String>,
    expires_at: Option<NumericDate>,
}

impl MintedToken {
    /// Returns the token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns the token.
    #[must_use]
    pub fn into_token(self) -> String {
        self.token
    }

    /// Returns the `jti`: what a revocation names. `None` where claims were given whose `jti` is no
    /// string.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Returns when it stops being good: how long a revocation must be remembered.
    #[must_use]
    pub fn expires_at(&self) -> Option<NumericDate> {
        self.expires_at
    }
}

impl fmt::Debug for MintedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MintedToken")
            .field("token", &"***")
            .field("id", &self.id)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

/// Returns the bytes of a token id, which nobody can guess.
pub(super) fn random() -> Result<[u8; 16], KeyError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| KeyError::Cryptography)?;
    Ok(bytes)
}
