//! Shared secrets for HMAC ([RFC 7518 §3.2]).
//!
//! [RFC 7518 §3.2]: https://www.rfc-editor.org/rfc/rfc7518#section-3.2

use base64_simd::STANDARD;
use serde_json::Value;
use smallvec::SmallVec;

use super::KeyError;
use super::key::{VerificationKey, hmac_algorithm};
use crate::Algorithm;

impl VerificationKey {
    /// Makes a key from a secret that the issuer shares with this service.
    ///
    /// Whoever can verify with it can also sign with it: prefer an asymmetric key wherever issuer
    /// and service are not one program. The secret must be at least as long as the algorithm's hash
    /// ([RFC 7518 §3.2]).
    ///
    /// # Errors
    ///
    /// [`KeyError::SecretTooShort`]; [`KeyError::SecretIsPublicKey`] if the secret is the text
    /// or the DER form of a key or certificate, which is how public keys have been taken for
    /// secrets; [`KeyError::Unusable`] for an algorithm that is not HMAC, and for zero bytes alone.
    ///
    /// [RFC 7518 §3.2]: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
    pub fn from_secret(secret: impl AsRef<[u8]>, algorithm: Algorithm) -> Result<Self, KeyError> {
        let secret = secret.as_ref();
        let needed = hash_len(algorithm)?;
        if secret.len() < needed {
            return Err(KeyError::SecretTooShort { algorithm, needed, found: secret.len() });
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
    ) -> Result<Self, KeyError> {
        let secret = secret.as_ref();
        let needed = hash_len(algorithm)?;
        if secret.is_empty() {
            return Err(KeyError::SecretTooShort { algorithm, needed, found: 0 });
        }
        if is_key(secret) {
            return Err(KeyError::SecretIsPublicKey);
        }
        Self::from_checked_secret(None, &[algorithm], secret)
    }
}

pub(super) fn hash_len(algorithm: Algorithm) -> Result<usize, KeyError> {
    match hmac_algorithm(algorithm) {
        Some(algorithm) => Ok(algorithm.digest_algorithm().output_len()),
        None => Err(KeyError::unusable(format!("a secret does not fit the algorithm {algorithm}"))),
    }
}

/// Tells whether a secret is a key or certificate in one of the forms that these are kept in.
pub(super) fn is_key(secret: &[u8]) -> bool {
    let text = secret.strip_prefix("\u{feff}".as_bytes()).unwrap_or(secret).trim_ascii_start();
    is_pem(text) || is_ssh_key(text) || is_jwk(text) || is_der(secret) || is_base64_of_der(text)
}

/// PEM without its first and last line, as some consoles show a key.
fn is_base64_of_der(text: &[u8]) -> bool {
    let base64: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode_to_vec(base64).is_ok_and(|der| is_der(&der))
}

fn is_pem(text: &[u8]) -> bool {
    // A prefix alone would miss PEM behind a line of comment, which readers of PEM skip.
    memchr::memmem::find(text, b"-----BEGIN ").is_some()
}

fn is_ssh_key(text: &[u8]) -> bool {
    let starts = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "---- BEGIN SSH2"];
    // As with PEM, a comment may stand above.
    text.split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii_start)
        .any(|line| starts.iter().any(|start| line.starts_with(start.as_bytes())))
}

fn is_jwk(text: &[u8]) -> bool {
    match serde_json::from_slice(text) {
        Ok(Value::Object(members)) => members.contains_key("kty") || members.contains_key("keys"),
        Ok(Value::Array(list)) => list.iter().any(|key| key.get("kty").is_some()),
        _ => false,
    }
}

/// Tells by the outline in DER, so that keys too short or of other types are found as well. Bare
/// points and moduli are as random as secrets and cannot be told apart.
fn is_der(secret: &[u8]) -> bool {
    let Some((SEQUENCE, mut members, [])) = der_element(secret) else { return false };
    let mut tags = SmallVec::<[u8; 4]>::new();
    while !members.is_empty() {
        let Some((tag, _, rest)) = der_element(members) else { return false };
        tags.push(tag);
        members = rest;
    }
    // SPKI; PKCS#1; X.509.
    matches!(*tags, [SEQUENCE, BIT_STRING] | [INTEGER, INTEGER] | [SEQUENCE, SEQUENCE, BIT_STRING])
}

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const SEQUENCE: u8 = 0x30;

/// Returns tag and content of the first element, and what follows it.
pub(super) fn der_element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, len, rest) = match der {
        [tag, len @ ..=0x7f, rest @ ..] => (tag, usize::from(*len), rest),
        [tag, 0x81, len, rest @ ..] => (tag, usize::from(*len), rest),
        [tag, 0x82, high, low, rest @ ..] => {
            (tag, usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((*tag, content, rest))
}
