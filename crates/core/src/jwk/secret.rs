//! Shared secrets for HMAC ([RFC 7518 §3.2]).
//!
//! [RFC 7518 §3.2]: https://www.rfc-editor.org/rfc/rfc7518#section-3.2

use rustls_pki_types::CertificateDer;

use super::{
    components::RSA,
    key::{VerificationKey, hmac_algorithm, unusable},
    pem,
};
use crate::{Algorithm, ConfigError};

impl VerificationKey {
    /// Makes a key from a secret that the issuer shares with this service.
    ///
    /// Whoever can verify with it can also sign with it: prefer an asymmetric key wherever issuer
    /// and service are not one program. The secret must be at least as long as the algorithm's hash
    /// ([RFC 7518 §3.2]).
    ///
    /// # Errors
    ///
    /// [`ConfigError::SecretTooShort`]; [`ConfigError::SecretIsPublicKey`] if the secret is the text
    /// or the DER form of a key or certificate, which is how public keys have been taken for
    /// secrets; [`ConfigError::UnusableKey`] for an algorithm that is not HMAC.
    ///
    /// [RFC 7518 §3.2]: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
    pub fn from_secret(
        secret: impl AsRef<[u8]>,
        algorithm: Algorithm,
    ) -> Result<Self, ConfigError> {
        let secret = secret.as_ref();
        let needed = hash_len(algorithm)?;
        if secret.len() < needed {
            return Err(ConfigError::SecretTooShort { algorithm, needed, found: secret.len() });
        }
        Self::dangerous_from_short_secret(secret, algorithm)
    }

    /// Makes a key from a secret that may be shorter than the hash, for systems that exist.
    ///
    /// # Security
    ///
    /// A short secret can be guessed offline from a single token, and then anyone can sign.
    ///
    /// # Errors
    ///
    /// As [`from_secret`](Self::from_secret), but only an empty secret is too short.
    pub fn dangerous_from_short_secret(
        secret: impl AsRef<[u8]>,
        algorithm: Algorithm,
    ) -> Result<Self, ConfigError> {
        let secret = secret.as_ref();
        let needed = hash_len(algorithm)?;
        if secret.is_empty() {
            return Err(ConfigError::SecretTooShort { algorithm, needed, found: 0 });
        }
        if is_key(secret) {
            return Err(ConfigError::SecretIsPublicKey);
        }
        Self::from_checked_secret(None, &[algorithm], secret)
    }
}

pub(super) fn hash_len(algorithm: Algorithm) -> Result<usize, ConfigError> {
    match hmac_algorithm(algorithm) {
        Some(algorithm) => Ok(algorithm.digest_algorithm().output_len()),
        None => Err(unusable(format!("a secret does not fit the algorithm {algorithm}"))),
    }
}

/// Tells whether a secret is a key or certificate in one of the forms that these are kept in.
pub(super) fn is_key(secret: &[u8]) -> bool {
    let text = secret.strip_prefix("\u{feff}".as_bytes()).unwrap_or(secret).trim_ascii_start();
    is_pem(text) || is_ssh_key(text) || is_jwk(text) || is_der(secret)
}

fn is_pem(text: &[u8]) -> bool {
    // A prefix alone would miss PEM behind a line of comment, which readers of PEM skip.
    memchr::memmem::find(text, b"-----BEGIN ").is_some()
}

fn is_ssh_key(text: &[u8]) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "---- BEGIN SSH2"]
        .into_iter()
        .any(|prefix| text.starts_with(prefix.as_bytes()))
}

fn is_jwk(text: &[u8]) -> bool {
    match serde_json::from_slice(text) {
        Ok(serde_json::Value::Object(members)) => {
            members.contains_key("kty") || members.contains_key("keys")
        }
        _ => false,
    }
}

fn is_der(secret: &[u8]) -> bool {
    // ASN.1 SEQUENCE. Raw points and moduli are as random as secrets and cannot be told apart.
    secret.first() == Some(&0x30)
        && (pem::from_spki(secret).is_ok()
            || pem::from_der(&RSA, secret).is_ok()
            || webpki::EndEntityCert::try_from(&CertificateDer::from(secret)).is_ok())
}
