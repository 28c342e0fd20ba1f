//! A store of signing keys in memory.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis::{NumericDate, clock::Clock, future::BoxFuture};
use portcullis_mint::{SigningKeyStore, SigningKeyStoreError, StoredKey, StoredKeys};

/// A store of signing keys in memory, which fails when a test says so. Clones share the keys.
#[derive(Clone, Debug)]
pub struct MemoryKeyStore {
    state: Arc<Mutex<State>>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct State {
    keys: Vec<StoredKey>,
    revision: i64,
    lease: Option<(Box<str>, NumericDate)>,
    is_away: bool,
}

impl MemoryKeyStore {
    /// Creates an empty store, whose time this clock shows.
    #[must_use]
    pub fn new(clock: impl Clock + 'static) -> Self {
        Self { state: Arc::default(), clock: Arc::new(clock) }
    }

    /// From now on, all calls fail, or no longer.
    pub fn set_away(&self, is_away: bool) {
        self.lock().is_away = is_away;
    }

    /// Returns the keys.
    #[must_use]
    pub fn keys(&self) -> Vec<StoredKey> {
        self.lock().keys.clone()
    }

    /// Replaces the keys, as someone does who can write to the store.
    pub fn set_keys(&self, keys: Vec<StoredKey>) {
        let mut state = self.lock();
        state.keys = keys;
        state.revision += 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer<'a, T: Send + 'a>(
        &'a self,
        answer: impl FnOnce(&mut State, NumericDate) -> T + Send + 'a,
    ) -> BoxFuture<'a, Result<T, SigningKeyStoreError>> {
        Box::pin(async move {
            let mut state = self.lock();
            if state.is_away {
                return Err(SigningKeyStoreError::Unavailable("the store is away".into()));
            }
            Ok(answer(&mut state, self.clock.now()))
        })
    }
}

impl SigningKeyStore for MemoryKeyStore {
    fn label(&self) -> &str {
        "memory"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), SigningKeyStoreError>> {
        self.answer(|_, _| ())
    }

    fn read(&self) -> BoxFuture<'_, Result<StoredKeys, SigningKeyStoreError>> {
        self.answer(|state, now| StoredKeys::new(state.keys.clone(), state.revision, now))
    }

    fn write<'a>(
        &'a self,
        keys: &'a [StoredKey],
        revision: i64,
    ) -> BoxFuture<'a, Result<bool, SigningKeyStoreError>> {
        self.answer(move |state, _| {
            let is_unchanged = state.revision == revision;
            if is_unchanged {
                state.keys = keys.to_vec();
                state.revision += 1;
            }
            is_unchanged
        })
    }

    fn lease<'a>(
        &'a self,
        replica: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<bool, SigningKeyStoreError>> {
        self.answer(move |state, now| {
            let other = state.lease.as_ref().filter(|(of, until)| **of != *replica && now < *until);
            let is_free = other.is_none();
            if is_free {
                state.lease = Some((replica.into(), now.saturating_add(duration)));
            }
            is_free
        })
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("keys", &self.keys)
            .field("revision", &self.revision)
            .field("is_away", &self.is_away)
            .finish_non_exhaustive()
    }
}
