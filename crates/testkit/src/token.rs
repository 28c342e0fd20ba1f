//! Tokens, right or wrong in exactly one way.

use std::time::Duration;

use portcullis::{Algorithm, NumericDate};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{SigningKey, TestIssuer, key::encode};

/// Builds a token. What is not changed is valid.
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenBuilder {
    issuer: TestIssuer,
    now: NumericDate,
    algorithm: Algorithm,
    key: Option<SigningKey>,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    raw_header: Option<Vec<u8>>,
    raw_claims: Option<Vec<u8>>,
    damage: Damage,
}

#[derive(Clone, Debug)]
enum Damage {
    None,
    FlippedBit,
    Signature(Vec<u8>),
}

impl TokenBuilder {
    pub(crate) fn new(issuer: TestIssuer, now: NumericDate) -> Self {
        let expires_at = now.saturating_add(Duration::from_secs(3600));
        let (name, issued_at) = (issuer.name().to_owned(), now.seconds());
        let token = Self {
            issuer,
            now,
            algorithm: Algorithm::ES256,
            key: None,
            header: Map::new(),
            claims: Map::new(),
            raw_header: None,
            raw_claims: None,
            damage: Damage::None,
        };
        token
            .claim("iss", name)
            .claim("sub", "alice")
            .claim("iat", issued_at)
            .claim("exp", expires_at.seconds())
    }

    /// The algorithm; the issuer's key of it signs. Default: ES256.
    pub fn algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// A key of the test's own that signs; its algorithm and key id go into the header.
    pub fn key(self, key: &SigningKey) -> Self {
        Self { algorithm: key.algorithm(), key: Some(key.clone()), ..self }
    }

    /// The subject. Default: `alice`.
    pub fn subject(self, subject: impl Into<String>) -> Self {
        self.claim("sub", subject.into())
    }

    /// The audience. Default: none.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.claim("aud", audience.into())
    }

    /// The scope. Default: none.
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.claim("scope", scope.into())
    }

    /// The roles. Default: none.
    pub fn roles<I: IntoIterator<Item: Into<String>>>(self, roles: I) -> Self {
        self.claim("roles", roles.into_iter().map(Into::into).collect::<Vec<String>>())
    }

    /// When the token expires, from now. Default: in an hour.
    pub fn expires_in(self, lifetime: Duration) -> Self {
        let expires_at = self.now.saturating_add(lifetime).seconds();
        self.claim("exp", expires_at)
    }

    /// The token was issued two hours ago and expired an hour ago.
    pub fn expired(self) -> Self {
        let ago = |hours: u64| self.now.saturating_sub(Duration::from_secs(3600 * hours)).seconds();
        let (issued_at, expires_at) = (ago(2), ago(1));
        self.claim("iat", issued_at).claim("exp", expires_at)
    }

    /// Any claim, of any type.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("a JSON value");
        self.claims.insert(name.into(), value);
        self
    }

    /// Leaves a claim out.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Any member of the header, of any type: also in place of `alg` and `kid`.
    pub fn header(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("a JSON value");
        self.header.insert(name.into(), value);
        self
    }

    /// The token has no `kid`.
    pub fn without_key_id(mut self) -> Self {
        // `null` stands for "leave out"; a `kid` that is really null is set by a raw header.
        self.header.insert("kid".to_owned(), Value::Null);
        self
    }

    /// The bytes of the header, whatever they are.
    pub fn raw_header(self, header: impl Into<Vec<u8>>) -> Self {
        Self { raw_header: Some(header.into()), ..self }
    }

    /// The bytes of the payload, whatever they are.
    pub fn raw_claims(self, claims: impl Into<Vec<u8>>) -> Self {
        Self { raw_claims: Some(claims.into()), ..self }
    }

    /// One bit of the signature is wrong.
    pub fn wrong_signature(self) -> Self {
        Self { damage: Damage::FlippedBit, ..self }
    }

    /// These bytes stand in place of the signature.
    pub fn signature(self, signature: impl Into<Vec<u8>>) -> Self {
        Self { damage: Damage::Signature(signature.into()), ..self }
    }

    /// Returns the claims as JSON text.
    #[must_use]
    pub fn claims_json(&self) -> String {
        Value::Object(self.claims.clone()).to_string()
    }

    /// Signs the token and returns it in compact form.
    #[must_use]
    pub fn build(&self) -> String {
        let key = self.key.as_ref().unwrap_or_else(|| self.issuer.key(self.algorithm));
        let header = self.raw_header.clone().unwrap_or_else(|| self.header_of(key));
        let claims = self.raw_claims.clone().unwrap_or_else(|| self.claims_json().into_bytes());
        let signing_input = format!("{}.{}", encode(&header), encode(&claims));
        let signature = match &self.damage {
            Damage::None => key.sign(signing_input.as_bytes()),
            Damage::FlippedBit => {
                let mut signature = key.sign(signing_input.as_bytes());
                if let Some(last) = signature.last_mut() {
                    *last ^= 1;
                }
                signature
            }
            Damage::Signature(signature) => signature.clone(),
        };
        format!("{signing_input}.{}", encode(&signature))
    }

    fn header_of(&self, key: &SigningKey) -> Vec<u8> {
        let mut header = Map::new();
        header.insert("alg".to_owned(), key.algorithm().name().into());
        header.insert("kid".to_owned(), key.key_id().into());
        header.extend(self.header.clone());
        header.retain(|_, value| !value.is_null());
        Value::Object(header).to_string().into_bytes()
    }
}
