//! Keys that sign, made anew in each process.

use std::{fmt, sync::OnceLock};

use aws_lc_rs::hmac;
use base64_simd::URL_SAFE_NO_PAD;
use portcullis::{Algorithm, VerificationKey, error::KeyError};
use serde_json::Value;

/// A key that signs tokens with one algorithm.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    key_id: String,
    key: Key,
}

#[derive(Clone)]
enum Key {
    Private(portcullis::keys::SigningKey),
    /// Of any form and length: attackers sign with what the engine would never take for a secret.
    Secret(Vec<u8>),
}

impl SigningKey {
    /// Generates a key.
    #[must_use]
    pub fn generate(algorithm: Algorithm, key_id: impl Into<String>) -> Self {
        Self::generate_sharing(&SharedRsa::default(), algorithm, key_id.into())
    }

    /// Generates a key; an RSA key is the shared one under another name.
    pub(crate) fn generate_sharing(rsa: &SharedRsa, algorithm: Algorithm, key_id: String) -> Self {
        let key = match algorithm.key_type() {
            "RSA" => rsa.key().for_algorithm(algorithm).expect("an RSA algorithm"),
            _ => portcullis::keys::SigningKey::generate(algorithm).expect("random bytes"),
        };
        let key = key.with_key_id(&key_id);
        let secret = key.secret().map(<[u8]>::to_vec);
        let key = secret.map_or(Key::Private(key), Key::Secret);
        Self { algorithm, key_id, key }
    }

    /// Makes an HMAC key of a given secret.
    #[must_use]
    pub fn from_secret(algorithm: Algorithm, key_id: impl Into<String>, secret: &[u8]) -> Self {
        Self { algorithm, key_id: key_id.into(), key: Key::Secret(secret.to_vec()) }
    }

    /// Returns the algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the key id.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Returns the public half as a JWK; `None` for a secret, which has none.
    #[must_use]
    pub fn public_jwk(&self) -> Option<Value> {
        let jwk = self.private()?.public_jwk()?;
        Some(serde_json::from_str(&jwk).expect("an object"))
    }

    /// Returns the public half in PEM, as a `PUBLIC KEY`; `None` for a secret.
    #[must_use]
    pub fn public_key_pem(&self) -> Option<String> {
        self.private()?.public_key_pem().expect("a public key in DER")
    }

    /// Returns the secret of an HMAC key.
    #[must_use]
    pub fn secret(&self) -> Option<&[u8]> {
        match &self.key {
            Key::Secret(secret) => Some(secret),
            Key::Private(_) => None,
        }
    }

    /// Returns what verifies the signatures of this key.
    ///
    /// # Errors
    ///
    /// [`KeyError`] if the key is one that Portcullis rejects, such as a short secret.
    pub fn verification_key(&self) -> Result<VerificationKey, KeyError> {
        match &self.key {
            Key::Private(key) => key.verification_key(),
            Key::Secret(secret) => {
                VerificationKey::from_secret(secret, self.algorithm)?.key_id(&self.key_id)
            }
        }
    }

    /// Signs a message, in the form that JWS wants ([RFC 7518 §3]).
    ///
    /// [RFC 7518 §3]: https://www.rfc-editor.org/rfc/rfc7518#section-3
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::Private(key) => key.sign(message).expect("a signature"),
            Key::Secret(secret) => {
                let algorithm = match self.algorithm {
                    Algorithm::HS384 => hmac::HMAC_SHA384,
                    Algorithm::HS512 => hmac::HMAC_SHA512,
                    _ => hmac::HMAC_SHA256,
                };
                hmac::sign(&hmac::Key::new(algorithm, secret), message).as_ref().to_vec()
            }
        }
    }

    fn private(&self) -> Option<&portcullis::keys::SigningKey> {
        match &self.key {
            Key::Private(key) => Some(key),
            Key::Secret(_) => None,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// One RSA key for the six RSA algorithms of an issuer, because making one is slow.
#[derive(Debug, Default)]
pub(crate) struct SharedRsa {
    key: OnceLock<portcullis::keys::SigningKey>,
}

impl SharedRsa {
    fn key(&self) -> portcullis::keys::SigningKey {
        let generate =
            || portcullis::keys::SigningKey::generate(Algorithm::RS256).expect("an RSA key");
        self.key.get_or_init(generate).clone()
    }
}
