//! Keys that an application already has as types of the crate `jsonwebtoken`.

use jsonwebtoken::{
    AlgorithmFamily, DecodingKey, DecodingKeyKind,
    jwk::{self, Jwk},
};

use super::{
    JwkSetError, KeyError,
    components::{RSA, from_rsa},
    key::VerificationKey,
    pem::{from_curves, from_der},
    secret::{hash_len, is_key},
    set::JwkSet,
};
use crate::Algorithm;

impl TryFrom<&Jwk> for VerificationKey {
    type Error = KeyError;

    /// Takes a public JWK over, with its key id and algorithm.
    fn try_from(jwk: &Jwk) -> Result<Self, KeyError> {
        let value =
            serde_json::to_value(jwk).map_err(|error| KeyError::unusable(error.to_string()))?;
        Self::from_jwk_value(&value)
    }
}

impl TryFrom<&jwk::JwkSet> for JwkSet {
    type Error = JwkSetError;

    /// Takes a JWK Set over, by the rules of [`JwkSet`].
    fn try_from(set: &jwk::JwkSet) -> Result<Self, JwkSetError> {
        let values = set.keys.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>();
        let values = values.map_err(|error| JwkSetError::invalid(error.to_string()))?;
        Self::from_values(values)
    }
}

impl TryFrom<&DecodingKey> for VerificationKey {
    type Error = KeyError;

    /// Takes a key over, for every algorithm of its type and curve. It has no key id.
    ///
    /// A secret may be used with each HMAC algorithm whose hash is no longer than the secret.
    fn try_from(key: &DecodingKey) -> Result<Self, KeyError> {
        match (key.family(), key.kind()) {
            (AlgorithmFamily::Hmac, DecodingKeyKind::SecretOrDer(secret)) => from_hmac(secret),
            (AlgorithmFamily::Rsa, DecodingKeyKind::SecretOrDer(der)) => from_der(&RSA, der),
            (AlgorithmFamily::Rsa, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                from_rsa(None, &RSA, (n, e))
            }
            (AlgorithmFamily::Ec, DecodingKeyKind::SecretOrDer(der)) => {
                from_curves(&[Algorithm::ES256, Algorithm::ES384, Algorithm::ES512], der)
            }
            (AlgorithmFamily::Ed, DecodingKeyKind::SecretOrDer(der)) => {
                from_curves(&[Algorithm::EdDSA], der)
            }
            _ => Err(KeyError::unusable("it is of a form that is not supported")),
        }
    }
}

fn from_hmac(secret: &[u8]) -> Result<VerificationKey, KeyError> {
    if is_key(secret) {
        return Err(KeyError::SecretIsPublicKey);
    }
    let all = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
    let long_enough =
        |algorithm: &Algorithm| hash_len(*algorithm).is_ok_and(|needed| secret.len() >= needed);
    let algorithms: Vec<_> = all.into_iter().filter(long_enough).collect();
    if algorithms.is_empty() {
        let (algorithm, needed) = (Algorithm::HS256, hash_len(Algorithm::HS256)?);
        return Err(KeyError::SecretTooShort { algorithm, needed, found: secret.len() });
    }
    VerificationKey::from_checked_secret(None, &algorithms, secret)
}
