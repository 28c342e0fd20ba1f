//! Keys that sign, made anew in each process.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    hmac,
    rand::{SecureRandom, SystemRandom},
    rsa::KeySize,
    signature::{
        self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
    },
};
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use portcullis::{Algorithm, ConfigError, VerificationKey};
use serde_json::{Value, json};

/// A key that signs tokens with one algorithm.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    key_id: String,
    pair: Arc<Pair>,
}

enum Pair {
    Rsa(Arc<RsaKeyPair>),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
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
        let pair = match algorithm {
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => Pair::Rsa(rsa.pair()),
            Algorithm::ES256 => ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::ES384 => ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::ES512 => ec(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
            Algorithm::EdDSA => Pair::Ed25519(Ed25519KeyPair::generate().expect("random bytes")),
            _ => Pair::Secret(random(64)),
        };
        Self { algorithm, key_id, pair: Arc::new(pair) }
    }

    /// Makes an HMAC key of a given secret.
    #[must_use]
    pub fn from_secret(algorithm: Algorithm, key_id: impl Into<String>, secret: &[u8]) -> Self {
        let pair = Arc::new(Pair::Secret(secret.to_vec()));
        Self { algorithm, key_id: key_id.into(), pair }
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
        let mut jwk = match &*self.pair {
            Pair::Rsa(pair) => {
                let key = pair.public_key();
                json!({
                    "kty": "RSA",
                    "n": encode(key.modulus().big_endian_without_leading_zero()),
                    "e": encode(key.exponent().big_endian_without_leading_zero()),
                })
            }
            Pair::Ec(pair) => {
                // An uncompressed point: one byte of form, then both coordinates.
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                json!({"kty": "EC", "crv": self.curve(), "x": encode(x), "y": encode(y)})
            }
            Pair::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())})
            }
            Pair::Secret(_) => return None,
        };
        let members = jwk.as_object_mut().expect("an object");
        members.insert("kid".to_owned(), self.key_id.clone().into());
        members.insert("alg".to_owned(), self.algorithm.name().into());
        members.insert("use".to_owned(), "sig".into());
        Some(jwk)
    }

    /// Returns the public half in PEM, as a `PUBLIC KEY`; `None` for a secret.
    #[must_use]
    pub fn public_key_pem(&self) -> Option<String> {
        let der: PublicKeyX509Der<'_> = match &*self.pair {
            Pair::Rsa(pair) => pair.public_key().as_der(),
            Pair::Ec(pair) => pair.public_key().as_der(),
            Pair::Ed25519(pair) => pair.public_key().as_der(),
            Pair::Secret(_) => return None,
        }
        .expect("a public key in DER");
        let base64 = STANDARD.encode_to_string(der.as_ref());
        let lines: Vec<&str> = base64
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap_or_default())
            .collect();
        let body = lines.join("\n");
        Some(format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n"))
    }

    /// Returns the secret of an HMAC key.
    #[must_use]
    pub fn secret(&self) -> Option<&[u8]> {
        match &*self.pair {
            Pair::Secret(secret) => Some(secret),
            _ => None,
        }
    }

    /// Returns what verifies the signatures of this key.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the key is one that Portcullis refuses, such as a short secret.
    pub fn verification_key(&self) -> Result<VerificationKey, ConfigError> {
        if let Some(secret) = self.secret() {
            return VerificationKey::from_secret(secret, self.algorithm)?.key_id(&self.key_id);
        }
        let set = json!({"keys": [self.public_jwk()]}).to_string();
        let set = portcullis::JwkSet::from_json(&set)?;
        Ok(set.keys().first().cloned().expect("a set is never empty"))
    }

    /// Signs a message, in the form that JWS wants ([RFC 7518 §3]).
    ///
    /// [RFC 7518 §3]: https://www.rfc-editor.org/rfc/rfc7518#section-3
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &*self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(rsa_encoding(self.algorithm), &random, message, &mut signature)
                    .expect("an RSA signature");
                signature
            }
            Pair::Ec(pair) => {
                pair.sign(&random, message).expect("an ECDSA signature").as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Secret(secret) => {
                let algorithm = match self.algorithm {
                    Algorithm::HS384 => hmac::HMAC_SHA384,
                    Algorithm::HS512 => hmac::HMAC_SHA512,
                    _ => hmac::HMAC_SHA256,
                };
                hmac::sign(&hmac::Key::new(algorithm, secret), message).as_ref().to_vec()
            }
        }
    }

    fn curve(&self) -> &'static str {
        match self.algorithm {
            Algorithm::ES384 => "P-384",
            Algorithm::ES512 => "P-521",
            _ => "P-256",
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

/// One RSA key pair for the six RSA algorithms of an issuer, because making one is slow.
#[derive(Default)]
pub(crate) struct SharedRsa {
    pair: OnceLock<Arc<RsaKeyPair>>,
}

impl SharedRsa {
    fn pair(&self) -> Arc<RsaKeyPair> {
        let generate = || Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key"));
        Arc::clone(self.pair.get_or_init(generate))
    }
}

impl fmt::Debug for SharedRsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedRsa").finish_non_exhaustive()
    }
}

fn ec(algorithm: &'static EcdsaSigningAlgorithm) -> Pair {
    Pair::Ec(EcdsaKeyPair::generate(algorithm).expect("an EC key"))
}

fn random(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    SystemRandom::new().fill(&mut bytes).expect("random bytes");
    bytes
}

fn rsa_encoding(algorithm: Algorithm) -> &'static dyn RsaEncoding {
    match algorithm {
        Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_SHA512,
        _ => &signature::RSA_PKCS1_SHA256,
    }
}
