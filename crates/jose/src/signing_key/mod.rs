//! A key that signs.

mod pair;
mod public;
#[cfg(test)]
mod tests;

use std::{fmt, path::Path, sync::Arc};

use aws_lc_rs::error::Unspecified;
use serde_json::Value;

use self::pair::{Pair, Signer};
use crate::{Algorithm, FileError, KeyError, VerificationKey, jwk};

/// A private key or a secret, bound to the algorithm that it signs with.
///
/// It is parsed when it is made, so that no token pays for that, and cloning it is cheap. A private
/// key's id is its thumbprint with SHA-256 ([RFC 7638]), unless it is given another one; a secret has
/// none, because a thumbprint of it would help to guess it ([RFC 7638 §7]). `Debug` never shows the key.
///
/// # Examples
///
/// ```
/// use portcullis_jose::{Algorithm, SigningKey};
///
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let again = SigningKey::from_pem(&key.to_pem()?.expect("a private key"))?;
/// assert_eq!(again.key_id(), key.key_id());
/// assert_eq!(again.public_jwk(), key.public_jwk());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
/// [RFC 7638 §7]: https://www.rfc-editor.org/rfc/rfc7638#section-7
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    key_id: Option<Arc<str>>,
    pair: Arc<Pair>,
    signer: Arc<Signer>,
}

/// What stands above the block of an RSA key which signs with another algorithm than RS256: PKCS#8
/// has no place for it, and [RFC 7468 §2] lets readers pass over it.
///
/// [RFC 7468 §2]: https://www.rfc-editor.org/rfc/rfc7468#section-2
const ALGORITHM_LINE: &str = "alg: ";

impl SigningKey {
    /// Generates a key: RSA with 2048 bits, or a secret as long as the hash.
    ///
    /// # Errors
    ///
    /// [`KeyError::Cryptography`] if there are no random bytes.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let pair = Pair::generate(algorithm).map_err(cryptography)?;
        Self::new(pair, algorithm).map_err(|_| KeyError::Cryptography)
    }

    /// Reads a private key in PEM: `PRIVATE KEY` (PKCS#8: RSA, P-256, P-384, P-521 or Ed25519).
    ///
    /// An RSA key signs with RS256, unless a line such as `alg: PS256` stands above the block, as
    /// [`to_pem`](Self::to_pem) writes it; see [`for_algorithm`](Self::for_algorithm). Line breaks may be
    /// written as the two characters `\n`, as environment files hold them.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidSigningKey`] if the text is not one such block, and
    /// [`KeyError::Unusable`] if the key is too short or of another type.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let invalid = |reason: String| KeyError::InvalidSigningKey { reason };
        let text = jwk::with_line_breaks(text);
        let block = pem::parse(&*text).map_err(|error| invalid(error.to_string()))?;
        if block.tag() != "PRIVATE KEY" {
            return Err(invalid(format!("found a block `{}`", block.tag())));
        }
        let pair = Pair::from_pkcs8(block.contents()).ok_or_else(|| {
            KeyError::unusable("its private key is of a type or size that is not supported")
        })?;
        let named = text
            .lines()
            .take_while(|line| !line.starts_with("-----"))
            .find_map(|line| line.strip_prefix(ALGORITHM_LINE)?.trim().parse().ok());
        let algorithm = named.unwrap_or(pair.first_algorithm());
        Self::new(pair, algorithm)
    }

    /// Reads a PEM file, like [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    ///
    /// [`FileError::Unreadable`] if the file cannot be read, and [`FileError::Unusable`] with an error
    /// of [`from_pem`](Self::from_pem).
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, FileError> {
        jwk::read_file(path.as_ref(), Self::from_pem)
    }

    /// Takes a secret that signer and verifier share. It must be at least as long as the algorithm's
    /// hash ([RFC 7518 §3.2]).
    ///
    /// # Errors
    ///
    /// As [`VerificationKey::from_secret`].
    ///
    /// [RFC 7518 §3.2]: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
    pub fn from_secret(secret: impl AsRef<[u8]>, algorithm: Algorithm) -> Result<Self, KeyError> {
        VerificationKey::from_secret(secret.as_ref(), algorithm)?;
        Self::new(Pair::Secret(secret.as_ref().to_vec()), algorithm)
    }

    /// Reads a private key in PEM, like [`from_pem`](Self::from_pem), or takes the text as a secret for HS512: for a
    /// setting that may be either. So the algorithm depends on the key: RS256 for RSA, that of its curve for an
    /// elliptic curve, EdDSA for Ed25519, and HS512 for a secret, as Apache Airflow guesses it.
    ///
    /// A text with `-----BEGIN` is never a secret.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem) and [`from_secret`](Self::from_secret): a secret has at least 64 bytes.
    pub fn from_pem_or_secret(text: &str) -> Result<Self, KeyError> {
        if text.contains("-----BEGIN") {
            Self::from_pem(text)
        } else {
            Self::from_secret(text, Algorithm::HS512)
        }
    }

    /// Takes a secret that may be shorter than the hash, for systems that exist.
    ///
    /// # Security
    ///
    /// A short secret can be guessed offline from a single token, and then anyone can sign.
    ///
    /// # Errors
    ///
    /// As [`VerificationKey::dangerous_from_short_secret`].
    pub fn dangerous_from_short_secret(
        secret: impl AsRef<[u8]>,
        algorithm: Algorithm,
    ) -> Result<Self, KeyError> {
        VerificationKey::dangerous_from_short_secret(secret.as_ref(), algorithm)?;
        Self::new(Pair::Secret(secret.as_ref().to_vec()), algorithm)
    }

    fn new(pair: Pair, algorithm: Algorithm) -> Result<Self, KeyError> {
        let signer = Arc::new(Signer::new(&pair, algorithm)?);
        let members = public::required_members(&pair);
        let key_id = members.as_ref().and_then(jwk::thumbprint).map(Arc::from);
        Ok(Self { algorithm, key_id, pair: Arc::new(pair), signer })
    }

    /// Returns the key for another algorithm of its type, such as PS256 in place of RS256. The key id
    /// stays: it names the key, not its use.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unusable`] if the key cannot be used with the algorithm, and
    /// [`KeyError::SecretTooShort`].
    pub fn for_algorithm(self, algorithm: Algorithm) -> Result<Self, KeyError> {
        if let (Pair::Secret(secret), true) = (&*self.pair, algorithm.is_symmetric()) {
            VerificationKey::from_secret(secret, algorithm)?;
        }
        let signer = Arc::new(Signer::new(&self.pair, algorithm)?);
        Ok(Self { algorithm, signer, ..self })
    }

    /// Returns the key with this key id in place of its thumbprint.
    #[must_use]
    pub fn with_key_id(self, key_id: &str) -> Self {
        Self { key_id: Some(key_id.into()), ..self }
    }

    /// Returns the algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the key id: `None` for a secret that was not given one.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Returns the public half as the JSON text of a JWK; `None` for a secret, which has none.
    #[must_use]
    pub fn public_jwk(&self) -> Option<String> {
        let mut members = public::required_members(&self.pair)?;
        if let Some(key_id) = &self.key_id {
            members.insert("kid".to_owned(), key_id.as_ref().into());
        }
        members.insert("alg".to_owned(), self.algorithm.name().into());
        members.insert("use".to_owned(), "sig".into());
        Some(Value::Object(members).to_string())
    }

    /// Returns the public half in PEM, as a `PUBLIC KEY`; `None` for a secret.
    ///
    /// # Errors
    ///
    /// [`KeyError::Cryptography`].
    pub fn public_key_pem(&self) -> Result<Option<String>, KeyError> {
        let spki = public::spki(&self.pair).map_err(cryptography)?;
        Ok(spki.map(|der| encode_pem("PUBLIC KEY", der)))
    }

    /// Returns the private key in PEM, as a `PRIVATE KEY` (PKCS#8); `None` for a secret.
    ///
    /// Above the block of an RSA key for another algorithm than RS256 there is a line that names it.
    ///
    /// # Errors
    ///
    /// [`KeyError::Cryptography`].
    pub fn to_pem(&self) -> Result<Option<String>, KeyError> {
        let Some(der) = self.pair.to_pkcs8().map_err(cryptography)? else { return Ok(None) };
        let block = encode_pem("PRIVATE KEY", der);
        Ok(Some(if self.algorithm == self.pair.first_algorithm() {
            block
        } else {
            format!("{ALGORITHM_LINE}{}\n{block}", self.algorithm)
        }))
    }

    /// Returns the secret; `None` for a private key.
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
    /// [`KeyError::Unusable`] for a key id longer than 256 bytes.
    pub fn verification_key(&self) -> Result<VerificationKey, KeyError> {
        match (self.public_jwk(), self.secret(), &self.key_id) {
            (Some(jwk), ..) => VerificationKey::from_jwk_text(&jwk),
            (None, secret, key_id) => {
                // Its length was checked when this key was made.
                let secret = secret.unwrap_or_default();
                let key = VerificationKey::dangerous_from_short_secret(secret, self.algorithm)?;
                match key_id {
                    Some(key_id) => key.key_id(key_id.as_ref()),
                    None => Ok(key),
                }
            }
        }
    }

    /// Signs a message, in the form that JWS wants ([RFC 7518 §3]).
    ///
    /// # Errors
    ///
    /// [`KeyError::Cryptography`].
    ///
    /// [RFC 7518 §3]: https://www.rfc-editor.org/rfc/rfc7518#section-3
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.signer.sign(&self.pair, message).map_err(cryptography)
    }

    /// Returns whether a key verifies the signatures of this one: public keys are compared by their
    /// thumbprints, and secrets by a signature.
    #[must_use]
    pub fn is_verified_by(&self, key: &VerificationKey) -> bool {
        if let Some(members) = public::required_members(&self.pair) {
            let own = jwk::thumbprint(&members);
            return own.is_some() && own.as_deref() == key.thumbprint();
        }
        // No JWS has this signing input: it has no dot.
        const MESSAGE: &[u8] = b"which key is this";
        let signature = self.sign(MESSAGE);
        signature.is_ok_and(|signature| key.verify(self.algorithm, MESSAGE, &signature).is_some())
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

fn cryptography(_: Unspecified) -> KeyError {
    KeyError::Cryptography
}

fn encode_pem(tag: &str, der: Vec<u8>) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new(tag, der), config)
}
