//! What a store of signing keys has to do.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use portcullis::{
    future::BoxFuture,
    revocation::{StoreError, StoreErrorKind},
};
use portcullis_jose::NumericDate;

/// A store by which the replicas of a service agree on one ring of [`SigningKeys`](crate::SigningKeys).
///
/// The store has a list of at most 50 keys, a revision of that list, and a lease. It decides nothing: the ring
/// decides which keys there are, and when they sign. The store encrypts nothing: the ring does.
///
/// `portcullis-sql` has stores on SQLite and PostgreSQL. `portcullis_testkit::store_suite::signing_keys` tests a
/// store that you wrote.
pub trait SigningKeyStore: fmt::Debug + Send + Sync {
    /// Returns a name for logs, without credentials.
    fn label(&self) -> &str;

    /// Connects, and creates what is missing. Any number of replicas may call this at once.
    fn prepare(&self) -> BoxFuture<'_, Result<(), SigningKeyStoreError>>;

    /// Returns all keys, as one consistent state, and the time of the store.
    ///
    /// A read that starts after this one has returned sees at least the same writes.
    fn read(&self) -> BoxFuture<'_, Result<StoredKeys, SigningKeyStoreError>>;

    /// Replaces the list of keys by this one, and the revision by a new one, if the revision is still this one.
    /// Returns whether it was.
    ///
    /// The write is durable when this returns `true`, and no read returns it before it is durable. A write is
    /// applied as a whole or not at all, also if the returned future is dropped.
    fn write<'a>(
        &'a self,
        keys: &'a [StoredKey],
        revision: i64,
    ) -> BoxFuture<'a, Result<bool, SigningKeyStoreError>>;

    /// Gives the lease to this replica for this long, by the time of the store, unless another replica has it.
    /// Returns whether this replica has it now. A replica that has it already prolongs it.
    ///
    /// The lease saves work: the replica that has it makes the next key. Two replicas that believe to have it
    /// cannot both write, because of the revision.
    fn lease<'a>(
        &'a self,
        replica: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<bool, SigningKeyStoreError>>;
}

/// For a store that is used for revocations too.
impl<S: SigningKeyStore + ?Sized> SigningKeyStore for Arc<S> {
    fn label(&self) -> &str {
        (**self).label()
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), SigningKeyStoreError>> {
        (**self).prepare()
    }

    fn read(&self) -> BoxFuture<'_, Result<StoredKeys, SigningKeyStoreError>> {
        (**self).read()
    }

    fn write<'a>(
        &'a self,
        keys: &'a [StoredKey],
        revision: i64,
    ) -> BoxFuture<'a, Result<bool, SigningKeyStoreError>> {
        (**self).write(keys, revision)
    }

    fn lease<'a>(
        &'a self,
        replica: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<bool, SigningKeyStoreError>> {
        (**self).lease(replica, duration)
    }
}

/// The state of a [`SigningKeyStore`].
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct StoredKeys {
    /// The keys, in any order.
    pub keys: Vec<StoredKey>,
    /// A number that each [`write`](SigningKeyStore::write) changes.
    pub revision: i64,
    /// The time by the store's own clock, taken after the state was read. All replicas have the same clock thereby.
    pub read_at: NumericDate,
}

impl StoredKeys {
    /// Creates a state.
    #[must_use]
    pub fn new(keys: Vec<StoredKey>, revision: i64, read_at: NumericDate) -> Self {
        Self { keys, revision, read_at }
    }
}

/// A private key in a [`SigningKeyStore`].
#[derive(Clone, Eq, PartialEq)]
#[non_exhaustive]
pub struct StoredKey {
    /// The key id: the thumbprint with SHA-256 ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)).
    pub id: Box<str>,
    /// The name of the algorithm, such as `ES256`. For operators; the ring reads it from the private key.
    pub algorithm: Box<str>,
    /// The private key, encrypted.
    pub private_key: Box<[u8]>,
    /// When the key signs. `None` until a replica has read the key from the store: the time until it signs is
    /// counted from there.
    pub times: Option<KeyTimes>,
}

/// When a key of a [`SigningKeyStore`] signs, by the clock of the store, in whole milliseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "each store has to write all of it")]
pub struct KeyTimes {
    /// When a replica had read the key from the store: no read after this lacks it.
    pub published_from: NumericDate,
    /// From when on the key signs.
    pub signs_from: NumericDate,
    /// When the key is due to retire.
    pub signs_until: NumericDate,
}

impl StoredKey {
    /// Creates a key that does not sign yet.
    #[must_use]
    pub fn new(
        id: impl Into<Box<str>>,
        algorithm: impl Into<Box<str>>,
        private_key: impl Into<Box<[u8]>>,
    ) -> Self {
        let (id, algorithm, private_key) = (id.into(), algorithm.into(), private_key.into());
        Self { id, algorithm, private_key, times: None }
    }

    /// Sets when the key signs.
    #[must_use]
    pub fn with_times(self, times: KeyTimes) -> Self {
        Self { times: Some(times), ..self }
    }
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

/// Why a [`SigningKeyStore`] did not answer. Its text must not contain credentials or a private key.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SigningKeyStoreError {
    /// The store could not be reached, or was too slow. A later call may succeed.
    Unavailable(Box<str>),
    /// The store must not be used as it is, for example because its schema is newer than the library.
    Unusable(Box<str>),
}

impl fmt::Display for SigningKeyStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(text) | Self::Unusable(text) => f.write_str(text),
        }
    }
}

impl Error for SigningKeyStoreError {}

/// For stores that keep revocations too.
impl From<StoreError> for SigningKeyStoreError {
    fn from(error: StoreError) -> Self {
        let text = error.to_string().into();
        match error.kind() {
            StoreErrorKind::Unavailable => Self::Unavailable(text),
            _ => Self::Unusable(text),
        }
    }
}
