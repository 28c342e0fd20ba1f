//! The peer: what a typical layer on `jsonwebtoken` does.

use std::{collections::HashMap, fmt};

use jsonwebtoken::{Algorithm as Alg, DecodingKey, Validation, decode, decode_header};
use portcullis::Algorithm;
use portcullis_testkit::{SigningKey, TestIssuer};
use serde::Deserialize;

use crate::cases::{AUDIENCE, ISSUER};

/// Keys of an issuer, each with the rules for its tokens.
pub struct Peer {
    keys: HashMap<String, (DecodingKey, Validation)>,
}

/// The claims of a token.
#[derive(Clone, Debug, Deserialize)]
#[expect(dead_code, reason = "the fields are what is paid for")]
pub struct PeerClaims {
    iss: String,
    sub: String,
    aud: Vec<String>,
    exp: u64,
    iat: u64,
    nbf: u64,
    jti: String,
    client_id: String,
    scope: String,
}

impl Peer {
    /// Takes the issuer's keys of some algorithms.
    #[must_use]
    pub fn new(issuer: &TestIssuer, algorithms: &[Algorithm]) -> Self {
        let keys = algorithms.iter().map(|&algorithm| {
            let key = issuer.key(algorithm);
            (key.key_id().to_owned(), (decoding_key(key), validation(algorithm)))
        });
        Self { keys: keys.collect() }
    }

    /// Reads the header, finds the key and decodes the token.
    #[must_use]
    pub fn judge(&self, token: &str) -> Option<PeerClaims> {
        let header = decode_header(token).ok()?;
        let (key, validation) = self.keys.get(&header.kid?)?;
        Some(decode(token, key, validation).ok()?.claims)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").finish_non_exhaustive()
    }
}

fn decoding_key(key: &SigningKey) -> DecodingKey {
    match key.secret() {
        Some(secret) => DecodingKey::from_secret(secret),
        None => {
            let jwk = key.public_jwk().expect("a public key");
            let jwk = serde_json::from_value(jwk).expect("a JWK");
            DecodingKey::from_jwk(&jwk).expect("a usable JWK")
        }
    }
}

fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(match algorithm {
        Algorithm::RS256 => Alg::RS256,
        Algorithm::ES256 => Alg::ES256,
        Algorithm::EdDSA => Alg::EdDSA,
        _ => Alg::HS256,
    });
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation.validate_nbf = true;
    validation
}
