//! Keeps the ring equal to the keys in the store, and makes the next key when it is due.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_lc_rs::rand;
use portcullis::future::BoxFuture;
use portcullis_jose::{Algorithm, KeyError, NumericDate, SigningKey};
use tokio::{
    runtime::Handle,
    sync::{Mutex, watch},
    time::{sleep, timeout},
};

use super::{
    SigningKeyStore, SigningKeyStoreError, SigningKeysError, StoreTime, StoredKey, StoredKeys,
    encryption::Encryption,
    plan::{self, Removal, Step, Timing},
    time::CallBegin,
};
use crate::{
    renewing::panic_caught::PanicCaught,
    signing_keys::ring::{Keys, MAX_KEYS, Ring, RingKey},
};

/// How often a change is tried that other replicas get in the way of.
const ATTEMPTS: usize = 20;

/// The longest time to connect and to create or update the schema.
const MAX_PREPARE: Duration = Duration::from_secs(30);

/// What one replica does with the store.
pub(super) struct Follower {
    store: Arc<dyn SigningKeyStore>,
    /// Kept, so that the task runs no code of the store but what it catches panics of.
    label: Box<str>,
    encryption: Encryption,
    algorithm: Algorithm,
    timing: Timing,
    /// The name under which this replica takes the lease.
    replica: String,
    /// Locked while the store is read, so that an older state never replaces a newer one.
    reading: Mutex<Private>,
    read: watch::Sender<Option<StoredKeys>>,
}

type Answer<'a, T> = BoxFuture<'a, Result<T, SigningKeyStoreError>>;

/// The private keys that were decrypted, by key id.
type Private = HashMap<Box<str>, (Box<[u8]>, SigningKey)>;

impl Follower {
    pub(super) fn new(
        store: Arc<dyn SigningKeyStore>,
        encryption: Encryption,
        algorithm: Algorithm,
        timing: Timing,
    ) -> Result<Self, SigningKeysError> {
        let mut replica = [0; 16];
        rand::fill(&mut replica).map_err(|_| KeyError::Cryptography)?;
        Ok(Self {
            label: store.label().into(),
            store,
            encryption,
            algorithm,
            timing,
            replica: base64_simd::URL_SAFE_NO_PAD.encode_to_string(replica),
            reading: Mutex::default(),
            read: watch::Sender::new(None),
        })
    }

    /// Reads the keys for the first time. In an empty store, makes the first one.
    pub(super) async fn start(
        &self,
        begin: impl Fn() -> CallBegin,
    ) -> Result<Keys, SigningKeysError> {
        self.call_within(MAX_PREPARE, |store| store.prepare()).await?;
        for _ in 0..ATTEMPTS {
            let (state, keys) = self.read_keys(&mut *self.reading.lock().await, begin()).await?;
            match (plan::next_step(&state, &self.timing), keys) {
                (Step::Make, None) => drop(self.make(&state).await?),
                (Step::Write(keys), None) => drop(self.write(&keys, &state).await?),
                (_, Some(keys)) => return Ok(keys),
                (Step::Nothing, None) => {}
            }
        }
        Err(SigningKeysError::Contended)
    }

    /// Follows the store until this future is dropped.
    pub(super) async fn run(&self, ring: &Ring) {
        tokio::join!(self.follow(ring), self.rotate(ring));
    }

    async fn follow(&self, ring: &Ring) {
        let mut last_error = None;
        loop {
            sleep(self.timing.read_every).await;
            let error = self.read(ring).await.err();
            self.report(&mut last_error, error, "signing keys not read");
        }
    }

    /// Makes the next key, and deletes retired ones, whenever a read shows that this is due.
    async fn rotate(&self, ring: &Ring) {
        let mut read = self.read.subscribe();
        let mut last_error = None;
        // The sender is a field of `self`, so that waiting does not fail.
        while read.changed().await.is_ok() {
            let error = self.advance(ring).await.err();
            self.report(&mut last_error, error, "signing keys not rotated");
        }
    }

    async fn advance(&self, ring: &Ring) -> Result<(), SigningKeysError> {
        let read = self.read.borrow().clone();
        let Some(mut state) = read else { return Ok(()) };
        for _ in 0..ATTEMPTS {
            let step = plan::next_step(&state, &self.timing);
            let duration = self.timing.read_within();
            if step == Step::Nothing
                || !self.call(|store| store.lease(&self.replica, duration)).await?
            {
                return Ok(());
            }
            match step {
                Step::Nothing => {}
                Step::Make => drop(self.make(&state).await?),
                Step::Write(keys) => drop(self.write(&keys, &state).await?),
            }
            state = self.read(ring).await?;
        }
        Ok(())
    }

    /// Replaces the current key as soon as possible, and returns when that is.
    pub(super) async fn rotate_now(&self, ring: &Ring) -> Result<NumericDate, SigningKeysError> {
        for _ in 0..ATTEMPTS {
            let state = self.read(ring).await?;
            let Some((keys, signs_from)) = plan::hurry(&state, &self.timing) else {
                self.make(&state).await?;
                continue;
            };
            if self.write(&keys, &state).await? {
                self.read(ring).await?;
                return Ok(signs_from);
            }
        }
        Err(SigningKeysError::Contended)
    }

    /// Deletes a key before its time.
    pub(super) async fn remove(&self, ring: &Ring, id: &str) -> Result<(), SigningKeysError> {
        for _ in 0..ATTEMPTS {
            let state = self.read(ring).await?;
            let removal = plan::remove(&state, id, &self.timing);
            match removal.ok_or(SigningKeysError::Unknown)? {
                Removal::Make => drop(self.make(&state).await?),
                Removal::Prepare(keys) => drop(self.write(&keys, &state).await?),
                Removal::Write(keys) => {
                    if self.write(&keys, &state).await? {
                        return self.read(ring).await.map(drop);
                    }
                }
            }
        }
        Err(SigningKeysError::Contended)
    }

    /// Reads the keys into the ring.
    async fn read(&self, ring: &Ring) -> Result<StoredKeys, SigningKeysError> {
        let mut private = self.reading.lock().await;
        let began = CallBegin::now(&*ring.clock);
        let (state, keys) = self.read_keys(&mut private, began).await?;
        // An empty store is not that of this ring any more. The ring must not lose its keys by that.
        ring.keys.store(Arc::new(keys.ok_or(SigningKeysError::Lost)?));
        self.read.send_replace(Some(state.clone()));
        Ok(state)
    }

    /// Reads the keys. There are none for a ring if no key has times.
    async fn read_keys(
        &self,
        private: &mut Private,
        began: CallBegin,
    ) -> Result<(StoredKeys, Option<Keys>), SigningKeysError> {
        let mut state = self.call(|store| store.read()).await?;
        let time = StoreTime::new(state.read_at, began, self.timing.read_within());
        plan::sort(&mut state.keys);
        let mut opened = Private::new();
        let mut ring_keys = Vec::with_capacity(state.keys.len());
        for stored in &state.keys {
            let key = match private.get(&stored.id) {
                Some((sealed, key)) if *sealed == stored.private_key => key.clone(),
                _ => self.encryption.open(stored)?,
            };
            opened.insert(stored.id.clone(), (stored.private_key.clone(), key.clone()));
            ring_keys.push(RingKey::stored(key, stored.times));
        }
        *private = opened;
        let has_times = state.keys.first().is_some_and(|key| key.times.is_some());
        let mut ring_keys = ring_keys.into_iter();
        let oldest = ring_keys.next().filter(|_| has_times);
        let keys = oldest.map(|oldest| Keys {
            oldest,
            later: ring_keys.collect(),
            store_time: Some(time),
        });
        Ok((state, keys))
    }

    /// Generates a key and adds it. It is published then, and gets its times when it was read from the store.
    async fn make(&self, state: &StoredKeys) -> Result<bool, SigningKeysError> {
        if state.keys.len() >= MAX_KEYS {
            return Err(SigningKeysError::TooMany);
        }
        let key = generate(self.algorithm).await?;
        let id = key.key_id().ok_or(SigningKeysError::Secret)?;
        let private_key = self.encryption.seal(id, &key)?;
        let mut keys = state.keys.clone();
        keys.push(StoredKey::new(id, self.algorithm.name(), private_key));
        self.write(&keys, state).await
    }

    /// Returns whether no other replica has changed the keys since they were read.
    async fn write(
        &self,
        keys: &[StoredKey],
        state: &StoredKeys,
    ) -> Result<bool, SigningKeysError> {
        self.call(|store| store.write(keys, state.revision)).await
    }

    /// Limits the time of a call, so that a slow store does not delay the next read.
    async fn call<'a, T: Send>(
        &'a self,
        call: impl FnOnce(&'a dyn SigningKeyStore) -> Answer<'a, T> + Send + 'a,
    ) -> Result<T, SigningKeysError> {
        self.call_within(self.timing.read_every, call).await
    }

    /// A store that panics counts as one that is unavailable, so that it does not end the task.
    async fn call_within<'a, T: Send>(
        &'a self,
        limit: Duration,
        call: impl FnOnce(&'a dyn SigningKeyStore) -> Answer<'a, T> + Send + 'a,
    ) -> Result<T, SigningKeysError> {
        let answer = PanicCaught(Box::pin(async { call(&*self.store).await }));
        let answer = timeout(limit, answer).await.map_err(|_| unavailable("is too slow"))?;
        Ok(answer.ok_or_else(|| unavailable("panicked"))??)
    }

    /// Logs an error when it begins, changes or ends.
    fn report(
        &self,
        last: &mut Option<SigningKeysError>,
        error: Option<SigningKeysError>,
        what: &'static str,
    ) {
        if *last == error {
            return;
        }
        #[cfg(feature = "tracing")]
        match &error {
            Some(error) => tracing::warn!(
                target: "portcullis::signing_keys", store = &*self.label, "{what}: {error}"
            ),
            None => tracing::info!(
                target: "portcullis::signing_keys", store = &*self.label, "{what}: over"
            ),
        }
        #[cfg(not(feature = "tracing"))]
        let _ = (&self.label, what);
        *last = error;
    }
}

/// Generates a key. RSA takes a tenth of a second and more.
pub(in crate::signing_keys) async fn generate(
    algorithm: Algorithm,
) -> Result<SigningKey, SigningKeysError> {
    let generated = match Handle::try_current() {
        Ok(runtime) => runtime
            .spawn_blocking(move || SigningKey::generate(algorithm))
            .await
            .map_err(|_| KeyError::Cryptography)?,
        Err(_) => SigningKey::generate(algorithm),
    };
    Ok(generated?)
}

fn unavailable(why: &str) -> SigningKeyStoreError {
    SigningKeyStoreError::Unavailable(format!("the store of the signing keys {why}").into())
}
