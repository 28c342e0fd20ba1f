//! Key sets that are the reader's own, with secrets in them.

use jsonwebtoken::jwk::CommonParameters;
use serde_json::Value;

use super::{
    JwkSetError, KeyError, VerificationKey,
    components::{check_use, decode, named_algorithm, read},
    secret::{hash_len, is_key},
    set::{JwkSet, Members},
};
use crate::Algorithm;

impl JwkSet {
    /// Reads the JSON text of a JWK Set, or of a single JWK, in which shared secrets (`oct`) may stand.
    ///
    /// A secret may be used with its `alg`; without one, with each HMAC algorithm whose hash is no longer
    /// than the secret ([RFC 7518 §3.2]).
    ///
    /// # Security
    ///
    /// This is for a file that is the reader's own. A set that others publish holds no secrets, and if
    /// one does, everyone can sign with it: for those there is [`from_json`](Self::from_json).
    ///
    /// # Errors
    ///
    /// As [`from_json`](Self::from_json).
    ///
    /// [RFC 7518 §3.2]: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
    pub fn dangerous_from_json_with_secrets(text: &str) -> Result<Self, JwkSetError> {
        match Members::read(text)? {
            Members::Keys(entries) => Self::read_each(&entries, from_own_jwk),
            Members::Single(entry) => Self::read_each(&[entry], from_own_jwk),
        }
    }
}

fn from_own_jwk(jwk: &Value) -> Result<VerificationKey, KeyError> {
    if jwk.get("kty").and_then(Value::as_str) != Some("oct") {
        return VerificationKey::from_jwk_value(jwk);
    }
    let common: CommonParameters = read(jwk)?;
    check_use(&common)?;
    let secret = jwk.get("k").and_then(Value::as_str);
    let secret = decode("k", secret.ok_or_else(|| KeyError::unusable("it has no `k`"))?)?;
    if is_key(&secret) {
        return Err(KeyError::SecretIsPublicKey);
    }
    let named = named_algorithm(jwk.get("alg"))?;
    let algorithms = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
    if let Some(named) = named.filter(|named| !algorithms.contains(named)) {
        return Err(KeyError::unusable(format!(
            "its `alg` {named} does not fit its `kty` or `crv`"
        )));
    }
    let fits = |algorithm: &Algorithm| {
        named.is_none_or(|named| named == *algorithm)
            && hash_len(*algorithm).is_ok_and(|needed| secret.len() >= needed)
    };
    let fitting: Vec<_> = algorithms.into_iter().filter(fits).collect();
    if fitting.is_empty() {
        let algorithm = named.unwrap_or(Algorithm::HS256);
        let needed = hash_len(algorithm)?;
        return Err(KeyError::SecretTooShort { algorithm, needed, found: secret.len() });
    }
    VerificationKey::from_checked_secret(common.key_id, &fitting, &secret)
}
