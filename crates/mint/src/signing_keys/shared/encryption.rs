//! Private keys in a store are encrypted.

use std::{fmt, str::FromStr, sync::Arc};

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use portcullis_jose::{KeyError, SigningKey};

use super::{SigningKeysError, StoredKey};

/// What the bytes of a private key in the store start with.
const ENCRYPTED: u8 = 1;
const UNENCRYPTED: u8 = 0;

/// A key of 256 bits that encrypts the private keys in a [`SigningKeyStore`](crate::SigningKeyStore)
/// (AES-256-GCM). It must be in no store and in no backup of one.
///
/// From a text, it is read in base64, with or without padding: `openssl rand -base64 32` makes one.
///
/// # Examples
///
/// ```
/// use portcullis_mint::KeyEncryptionKey;
///
/// let key: KeyEncryptionKey = "3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".parse()?;
/// assert_eq!(format!("{key:?}"), "KeyEncryptionKey(***)");
/// assert!("too short".parse::<KeyEncryptionKey>().is_err());
/// # Ok::<(), portcullis_mint::SigningKeysError>(())
/// ```
#[derive(Clone)]
pub struct KeyEncryptionKey(Arc<RandomizedNonceKey>);

impl KeyEncryptionKey {
    /// Creates a key from 32 random bytes.
    ///
    /// # Errors
    ///
    /// [`SigningKeysError::EncryptionKey`] if there are not 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SigningKeysError> {
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes);
        key.map(|key| Self(Arc::new(key))).map_err(|_| SigningKeysError::EncryptionKey)
    }
}

impl FromStr for KeyEncryptionKey {
    type Err = SigningKeysError;

    fn from_str(text: &str) -> Result<Self, SigningKeysError> {
        let digits = text.trim().trim_end_matches('=');
        let bytes = base64_simd::STANDARD_NO_PAD.decode_to_vec(digits);
        Self::from_bytes(&bytes.map_err(|_| SigningKeysError::EncryptionKey)?)
    }
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyEncryptionKey(***)")
    }
}

/// How private keys are written to the store and read from it.
#[derive(Clone, Debug)]
pub(super) enum Encryption {
    Keys { current: KeyEncryptionKey, previous: Option<KeyEncryptionKey> },
    None,
}

impl Encryption {
    /// Returns the bytes for the store.
    ///
    /// ```text
    ///  1 │ nonce, 12 bytes, random │ private key in PEM, encrypted │ tag, 16 bytes
    ///  0 │ private key in PEM
    /// ```
    pub(super) fn seal(&self, id: &str, key: &SigningKey) -> Result<Box<[u8]>, SigningKeysError> {
        let pem = key.to_pem()?.ok_or(SigningKeysError::Secret)?;
        let Self::Keys { current, .. } = self else {
            return Ok([&[UNENCRYPTED], pem.as_bytes()].concat().into());
        };
        let mut text = pem.into_bytes();
        let nonce = current
            .0
            .seal_in_place_append_tag(Aad::from(id.as_bytes()), &mut text)
            .map_err(|_| KeyError::Cryptography)?;
        Ok([&[ENCRYPTED], nonce.as_ref().as_slice(), &text].concat().into())
    }

    /// Returns the private key, if it is the one that the ring wrote for this id.
    ///
    /// With encryption, an unencrypted key is rejected: who can write to the store could add a key of their own,
    /// and sign tokens with it.
    pub(super) fn open(&self, stored: &StoredKey) -> Result<SigningKey, SigningKeysError> {
        let unreadable = || SigningKeysError::Unreadable { key_id: stored.id.clone() };
        let (form, bytes) = stored.private_key.split_first().ok_or_else(unreadable)?;
        let pem = match (self, *form) {
            (Self::Keys { current, previous }, ENCRYPTED) => [Some(current), previous.as_ref()]
                .into_iter()
                .flatten()
                .find_map(|key| decrypt(key, &stored.id, bytes))
                .ok_or_else(unreadable)?,
            (Self::None, UNENCRYPTED) => bytes.to_vec(),
            _ => return Err(unreadable()),
        };
        let pem = String::from_utf8(pem).map_err(|_| unreadable())?;
        let key = SigningKey::from_pem(&pem).map_err(|_| unreadable())?;
        // The id is the thumbprint, so that no other private key can have it.
        if key.key_id() == Some(&stored.id) { Ok(key) } else { Err(unreadable()) }
    }
}

fn decrypt(key: &KeyEncryptionKey, id: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let (nonce, text) = bytes.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut text = text.to_vec();
    let pem = key.0.open_in_place(nonce, Aad::from(id.as_bytes()), &mut text).ok()?;
    Some(pem.to_vec())
}
