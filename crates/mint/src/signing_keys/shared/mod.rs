//! Keys that the replicas of a service share by a store.

mod encryption;
mod follower;
mod plan;
mod store;
mod time;

use std::{fmt, sync::Arc, time::Duration};

use portcullis::clock::{Clock, SystemClock};
use portcullis_jose::{Algorithm, NumericDate};
use tokio::task::JoinHandle;

pub use encryption::KeyEncryptionKey;
pub(super) use follower::generate;
pub use store::{KeyTimes, SigningKeyStore, SigningKeyStoreError, StoredKey, StoredKeys};
pub(super) use time::StoreTime;

use self::{encryption::Encryption, follower::Follower, plan::Timing, time::CallBegin};
use super::{
    SigningKeys, SigningKeysError,
    builder::{MAX_AGE, MAX_LIFETIME},
    ring::{MAX_KEYS, Ring},
};

/// How long a key signs, unless configured otherwise.
const ROTATE_EVERY: Duration = Duration::from_secs(30 * 24 * 3600);

/// How often a replica reads the store, unless configured otherwise.
const READ_EVERY: Duration = Duration::from_secs(5);

/// The connection of [`SigningKeys`] to their store. Dropping it ends the task.
pub(super) struct Shared {
    follower: Arc<Follower>,
    task: JoinHandle<()>,
}

impl Shared {
    pub(super) async fn rotate_now(&self, ring: &Ring) -> Result<NumericDate, SigningKeysError> {
        self.follower.rotate_now(ring).await
    }

    pub(super) async fn remove(&self, ring: &Ring, id: &str) -> Result<(), SigningKeysError> {
        self.follower.remove(ring, id).await
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Builds [`SigningKeys`] that the replicas of a service share.
///
/// All replicas must have the same settings. A longer `max_lifetime` or `read_every`, or another encryption key, must
/// reach all replicas before one makes use of it.
#[derive(Clone)]
#[must_use]
pub struct SharedSigningKeysBuilder {
    store: Arc<dyn SigningKeyStore>,
    encryption_key: Option<KeyEncryptionKey>,
    previous_encryption_key: Option<KeyEncryptionKey>,
    is_unencrypted: bool,
    algorithm: Algorithm,
    rotate_every: Duration,
    read_every: Duration,
    max_age: Duration,
    publish_ahead: Option<Duration>,
    max_lifetime: Duration,
    clock: Arc<dyn Clock>,
}

impl SharedSigningKeysBuilder {
    pub(super) fn new(store: Arc<dyn SigningKeyStore>) -> Self {
        Self {
            store,
            encryption_key: None,
            previous_encryption_key: None,
            is_unencrypted: false,
            algorithm: Algorithm::ES256,
            rotate_every: ROTATE_EVERY,
            read_every: READ_EVERY,
            max_age: MAX_AGE,
            publish_ahead: None,
            max_lifetime: MAX_LIFETIME,
            clock: Arc::new(SystemClock::default()),
        }
    }

    /// The key that encrypts the private keys in the store. It must be set, unless
    /// [`dangerous_unencrypted`](Self::dangerous_unencrypted) is.
    pub fn encryption_key(self, key: KeyEncryptionKey) -> Self {
        Self { encryption_key: Some(key), ..self }
    }

    /// Another key that private keys in the store may be encrypted with. No private key is written with it.
    pub fn previous_encryption_key(self, key: KeyEncryptionKey) -> Self {
        Self { previous_encryption_key: Some(key), ..self }
    }

    /// Keeps the private keys in the store unencrypted. Everyone who can read the store or a backup of it can sign
    /// tokens of this service then; everyone who can write to it can add a key. Has no effect if an encryption key is
    /// set.
    pub fn dangerous_unencrypted(self) -> Self {
        Self { is_unencrypted: true, ..self }
    }

    /// The algorithm of new keys. Default: ES256. Another one takes effect with the next key.
    pub fn algorithm(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// How long a key signs. Default: 30 days.
    pub fn rotate_every(self, rotate_every: Duration) -> Self {
        Self { rotate_every, ..self }
    }

    /// The pause between two reads of the store, and the time limit of a call. Default: 5 seconds. A replica that has
    /// not read the store for three times as long begins to sign with no other key.
    pub fn read_every(self, read_every: Duration) -> Self {
        Self { read_every, ..self }
    }

    /// How long clients may keep the published keys: the `max-age` of their `Cache-Control`. Default: 5 minutes.
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }

    /// How long a key is published by all replicas before it signs. Default: twice the [`max_age`](Self::max_age).
    pub fn publish_ahead(self, publish_ahead: Duration) -> Self {
        Self { publish_ahead: Some(publish_ahead), ..self }
    }

    /// The longest lifetime of a token. A minter signs no token that lives longer, and a key stays published that
    /// long and two minutes more after it was due to retire. Default: 1 hour.
    ///
    /// A key that [`rotate_now`](SigningKeys::rotate_now) replaces keeps the time at which it was due, because a
    /// replica that cannot read the store signs with it until then: it stays published for up to
    /// [`rotate_every`](Self::rotate_every) longer. [`remove`](SigningKeys::remove) drops a key at once.
    pub fn max_lifetime(self, max_lifetime: Duration) -> Self {
        Self { max_lifetime, ..self }
    }

    /// The clock of this replica. Default: the [`SystemClock`]. When a key signs depends on the clock of the store,
    /// not on this one; this one ends the use of a key if the replica was suspended.
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Reads the keys, and follows the store in a task of this tokio runtime, which ends when the last clone of the
    /// keys is dropped. If the store is empty, one of the replicas that start makes the first key, which signs at once.
    ///
    /// # Errors
    ///
    /// [`SigningKeysError`] if a setting is wrong, if the store cannot be read, or if a private key in it cannot be
    /// read.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn start(self) -> Result<SigningKeys, SigningKeysError> {
        let encryption = match (self.encryption_key.clone(), self.is_unencrypted) {
            (Some(current), _) => {
                Encryption::Keys { current, previous: self.previous_encryption_key.clone() }
            }
            (None, true) => Encryption::None,
            (None, false) => return Err(SigningKeysError::Unencrypted),
        };
        let timing = self.timing()?;
        let follower = Arc::new(Follower::new(self.store, encryption, self.algorithm, timing)?);
        let keys = follower.start(|| CallBegin::now(&*self.clock)).await?;
        let durations = [self.max_age, timing.publish_ahead, self.max_lifetime];
        let max_stale = Some(timing.max_stale());
        let ring = Arc::new(Ring::new(keys, durations, max_stale, self.clock));
        let task = tokio::spawn({
            let (follower, ring) = (Arc::clone(&follower), Arc::clone(&ring));
            async move { follower.run(&ring).await }
        });
        Ok(SigningKeys { ring, shared: Some(Arc::new(Shared { follower, task })) })
    }

    fn timing(&self) -> Result<Timing, SigningKeysError> {
        let max_age = self.max_age;
        let publish_ahead = self.publish_ahead.unwrap_or(max_age.saturating_mul(2));
        if publish_ahead < max_age {
            return Err(SigningKeysError::PublishAhead { publish_ahead, max_age });
        }
        if self.algorithm.is_symmetric() {
            return Err(SigningKeysError::Secret);
        }
        let (read_every, rotate_every, max_lifetime) =
            (self.read_every, self.rotate_every, self.max_lifetime);
        let timing = Timing { read_every, publish_ahead, rotate_every, max_lifetime };
        // A next key is made when a read shows that the current one has begun to sign.
        let shortest = timing.settled().saturating_add(read_every);
        if rotate_every < shortest {
            return Err(SigningKeysError::RotateEvery { rotate_every, shortest });
        }
        if timing.most_keys() > u128::try_from(MAX_KEYS).unwrap_or_default() {
            return Err(SigningKeysError::TooMany);
        }
        Ok(timing)
    }
}

impl fmt::Debug for SharedSigningKeysBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSigningKeysBuilder")
            .field("store", &self.store.label())
            .field("algorithm", &self.algorithm)
            .field("rotate_every", &self.rotate_every)
            .finish_non_exhaustive()
    }
}
