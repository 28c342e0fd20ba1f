//! Why a ring of keys cannot be made or changed.

use std::{error::Error, fmt, time::Duration};

use portcullis_jose::KeyError;

use super::SigningKeyStoreError;

/// Why a key cannot be one of a ring, or why a ring cannot be made.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SigningKeysError {
    /// The next key is a secret, which has no public half to publish.
    Secret,
    /// A published key has the same key id.
    Duplicate,
    /// There are 50 published keys, or there would be.
    TooMany,
    /// A key would sign before those who keep the published keys know it.
    PublishAhead {
        /// How long a key is published before it signs.
        publish_ahead: Duration,
        /// How long clients may keep the published keys.
        max_age: Duration,
    },
    /// Keys would be replaced before the next one may sign.
    RotateEvery {
        /// How long a key signs.
        rotate_every: Duration,
        /// The shortest time for these settings.
        shortest: Duration,
    },
    /// The keys of a store were given neither an encryption key nor the permission to be unencrypted.
    Unencrypted,
    /// An encryption key does not have 32 bytes.
    EncryptionKey,
    /// A private key in the store cannot be read.
    Unreadable {
        /// The key id.
        key_id: Box<str>,
    },
    /// The keys are in a store, which makes them.
    Shared,
    /// Other replicas changed the keys at the same time, again and again.
    Contended,
    /// The store has no key, although the ring has some.
    Lost,
    /// No published key has this key id.
    Unknown,
    /// The store failed.
    Store(SigningKeyStoreError),
    /// A key could not be generated or written.
    Key(KeyError),
}

impl fmt::Display for SigningKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret => f.write_str(
                "a secret has no public half that could be published, so verifiers would not know it: use a \
                 private key",
            ),
            Self::Duplicate => {
                f.write_str("a published key has the same key id: generate a new key")
            }
            Self::TooMany => f.write_str(
                "there are 50 published keys: rotate less often, or shorten `max_lifetime(…)`",
            ),
            Self::PublishAhead { publish_ahead, max_age } => write!(
                f,
                "a key would sign {publish_ahead:?} after it is published, and clients may keep the keys for \
                 {max_age:?}: set a `publish_ahead(…)` that is at least `max_age(…)`"
            ),
            Self::RotateEvery { rotate_every, shortest } => write!(
                f,
                "a key would sign for {rotate_every:?}, but the next one is published for {shortest:?} before it \
                 signs: raise `rotate_every(…)`, or shorten `publish_ahead(…)` and `read_every(…)`"
            ),
            Self::Unencrypted => f.write_str(
                "private keys in a store must be encrypted: set `encryption_key(…)`, or \
                 `dangerous_unencrypted()` if everyone who can read the store may sign tokens",
            ),
            Self::EncryptionKey => f.write_str(
                "an encryption key has 32 bytes, as text in base64: `openssl rand -base64 32` makes one",
            ),
            Self::Unreadable { key_id } => write!(
                f,
                "the private key `{key_id}` in the store cannot be read: it was encrypted with another \
                 encryption key, or it was changed; help: set `previous_encryption_key(…)` if the encryption key \
                 was replaced"
            ),
            Self::Shared => {
                f.write_str("the keys are in a store, where replicas make them: use `rotate_now()`")
            }
            Self::Contended => f.write_str(
                "other replicas changed the keys in the store at the same time: try again",
            ),
            Self::Lost => f.write_str(
                "the store has lost all signing keys; help: restore it, or restart all replicas to start with a \
                 new key",
            ),
            Self::Unknown => f.write_str("no published key has this key id"),
            Self::Store(error) => error.fmt(f),
            Self::Key(error) => error.fmt(f),
        }
    }
}

impl Error for SigningKeysError {}

impl From<KeyError> for SigningKeysError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<SigningKeyStoreError> for SigningKeysError {
    fn from(error: SigningKeyStoreError) -> Self {
        Self::Store(error)
    }
}
