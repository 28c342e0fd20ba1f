//! The keys that a service signs with, one after the other.

mod builder;
mod error;
mod key_source;
mod published;
mod ring;
mod shared;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, PoisonError},
    time::Duration,
};

use portcullis_jose::{Algorithm, NumericDate, SigningKey, VerificationKey};

use crate::MintError;

pub use builder::SigningKeysBuilder;
pub use error::SigningKeysError;
pub use published::PublishedKeys;
pub use shared::{
    KeyEncryptionKey, KeyTimes, SharedSigningKeysBuilder, SigningKeyStore, SigningKeyStoreError,
    StoredKey, StoredKeys,
};

use self::{
    ring::{MAX_KEYS, Ring, RingKey},
    shared::Shared,
};

/// The keys that a service signs with: the current one, the next one, and retired ones.
///
/// A new key must be known to every verifier before the first token is signed with it, and a retired key must
/// be known until its last token has expired. So each key has three times:
///
/// ```text
///  rotate(next)          publish_ahead later       the next key signs       max_lifetime + 60 s later
///       │                        │                        │                        │
///       ├── published ───────────┼── published ───────────┼── published ───────────┤ not published
///                                └── signs ───────────────┘
/// ```
///
/// [`Minter::new`](crate::Minter::new) accepts it in place of one key. As a [`KeySource`](portcullis::keys::KeySource)
/// it gives an engine of the same program the keys, and [`published`](Self::published) is the JWK Set for other
/// services. Cloning is cheap, and clones share the keys.
///
/// There is no task: which key signs depends on the clock alone. [`shared`](Self::shared) has the same ring for all
/// replicas of a service, with a task that follows a store and replaces the keys by schedule.
///
/// # Examples
///
/// ```
/// use portcullis_jose::{Algorithm, SigningKey};
/// use portcullis_mint::{Minter, SigningKeys};
/// use serde_json::json;
///
/// let keys = SigningKeys::new(SigningKey::generate(Algorithm::ES256)?);
/// let minter = Minter::new(keys.clone()).issuer("https://orders.example.com");
///
/// let signs_from = keys.rotate(SigningKey::generate(Algorithm::ES256)?)?;
/// assert_eq!(keys.published().json().matches("\"kid\"").count(), 2);
/// let minted = minter.mint(&json!({"sub": "worker-7", "aud": "orders"}))?; // still signed with the first key
/// # let _ = (signs_from, minted);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SigningKeys {
    ring: Arc<Ring>,
    /// What follows the store, if there is one.
    shared: Option<Arc<Shared>>,
}

impl SigningKeys {
    /// Starts with a key that signs at once, and the default settings.
    #[must_use]
    pub fn new(current: SigningKey) -> Self {
        SigningKeysBuilder::new(current).start()
    }

    /// Starts the configuration of a ring, with a key that signs at once.
    pub fn builder(current: SigningKey) -> SigningKeysBuilder {
        SigningKeysBuilder::new(current)
    }

    /// Starts the configuration of a ring that the replicas of a service share by a store.
    pub fn shared(store: impl SigningKeyStore + 'static) -> SharedSigningKeysBuilder {
        SharedSigningKeysBuilder::new(Arc::new(store))
    }

    /// Returns the key that signs now.
    ///
    /// If [shared](Self::shared) keys are due to retire, this is the last one that signed, but a
    /// [`Minter`](crate::Minter) returns an error.
    #[must_use]
    pub fn current(&self) -> SigningKey {
        self.ring.signing_key().unwrap_or_else(|retired| retired)
    }

    /// Returns the key that signs now, unless it is due to retire.
    pub(crate) fn signing_key(&self) -> Result<SigningKey, MintError> {
        self.ring.signing_key().map_err(|_| MintError::NoSigningKey)
    }

    /// Publishes the next key now, and lets it sign as soon as every verifier knows it. Returns when that is.
    /// Retired keys whose last token has expired are dropped.
    ///
    /// # Errors
    ///
    /// [`SigningKeysError`]; nothing has changed then. [`SigningKeysError::Shared`] for [shared](Self::shared) keys.
    pub fn rotate(&self, next: SigningKey) -> Result<NumericDate, SigningKeysError> {
        let ring = &*self.ring;
        if self.shared.is_some() {
            return Err(SigningKeysError::Shared);
        }
        if next.public_jwk().is_none() {
            return Err(SigningKeysError::Secret);
        }
        let _writing = ring.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let now = ring.clock.now();
        let mut keys = ring.published_at(now);
        if keys.iter().any(|key| key.key.key_id() == next.key_id()) {
            return Err(SigningKeysError::Duplicate);
        }
        if keys.iter().count() >= MAX_KEYS {
            return Err(SigningKeysError::TooMany);
        }
        // Keys sign in the order in which they were added, also after a clock step into the past.
        let latest = keys.later.last().and_then(|key| key.signs_from);
        let signs_from = now.saturating_add(ring.publish_ahead).max(latest.unwrap_or(now));
        keys.later.push(RingKey::new(next, signs_from));
        ring.keys.store(Arc::new(keys));
        Ok(signs_from)
    }

    /// Replaces the current key as soon as every verifier knows the next one, and returns when that is. The next
    /// key is a new one of the same algorithm.
    ///
    /// [Shared](Self::shared) keys usually have a next key that has been published for long enough; then it signs at
    /// once. The time is that of the store. A second call replaces that key too. The replaced key stays published until
    /// the last token has expired that it could have signed without this call; [`remove`](Self::remove) drops a key at
    /// once.
    ///
    /// # Errors
    ///
    /// [`SigningKeysError`]. [`SigningKeysError::Store`] if the store failed; it may have changed then.
    pub async fn rotate_now(&self) -> Result<NumericDate, SigningKeysError> {
        match &self.shared {
            Some(shared) => shared.rotate_now(&self.ring).await,
            None => self.rotate(shared::generate(self.current().algorithm()).await?),
        }
    }

    /// Removes a key of [shared](Self::shared) keys from the store: one that others know. Its tokens are rejected as
    /// soon as verifiers have fetched the keys again.
    ///
    /// If it is the key that signs, the next one replaces it. If that one has not been published for long enough,
    /// minting fails until it was. A replica that cannot read the store may sign with the removed key until that is
    /// due to retire. Verifiers may have cached it for as long as [`PublishedKeys::max_age`]; a
    /// [revocation](portcullis::revocation::Revoked::Key) of the key takes effect at once where it is checked.
    ///
    /// # Errors
    ///
    /// [`SigningKeysError::Unknown`] if there is no such key, and always for keys without a store.
    /// [`SigningKeysError::Store`] if the store failed; it may have changed then.
    pub async fn remove(&self, key_id: &str) -> Result<(), SigningKeysError> {
        match &self.shared {
            Some(shared) => shared.remove(&self.ring, key_id).await,
            None => Err(SigningKeysError::Unknown),
        }
    }

    /// Returns the longest lifetime of a token.
    #[must_use]
    pub fn max_lifetime(&self) -> Duration {
        self.ring.max_lifetime
    }

    /// Returns whether a key is the public half of a published key, or the secret.
    pub(crate) fn are_verified_by(&self, key: &VerificationKey) -> bool {
        self.ring.published_at(self.ring.clock.now()).iter().any(|own| own.key.is_verified_by(key))
    }

    /// Returns the algorithms of the published keys, without those of secrets.
    pub(crate) fn published_algorithms(&self) -> BTreeSet<Algorithm> {
        let keys = self.ring.published_at(self.ring.clock.now());
        let is_public = |key: &&RingKey| key.public_jwk.is_some();
        keys.iter().filter(is_public).map(|key| key.key.algorithm()).collect()
    }

    /// Returns the public keys that verifiers need now, as a JWK Set. Secrets are not part of it.
    #[must_use]
    pub fn published(&self) -> PublishedKeys {
        self.ring.published()
    }
}

/// A key that is never replaced, for tokens of any lifetime.
impl From<SigningKey> for SigningKeys {
    fn from(key: SigningKey) -> Self {
        SigningKeysBuilder::new(key).max_lifetime(Duration::MAX).start()
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.ring.keys.load();
        let ids: Vec<_> = keys.iter().map(|key| (key.key.key_id(), key.signs_from)).collect();
        f.debug_struct("SigningKeys").field("keys", &ids).finish_non_exhaustive()
    }
}
