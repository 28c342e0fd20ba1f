//! A store of signing keys in memory.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use portcullis::{NumericDate, clock::Clock, future::BoxFuture};
use portcullis_mint::{SigningKeyStore, SigningKeyStoreError, StoredKey, StoredKeys};

/// A store of signing keys in memory, which fails when a test says so. Clones are one connection to it.
#[derive(Clone, Debug)]
pub struct MemoryKeyStore {
    state: Arc<Mutex<State>>,
    is_cut: Arc<AtomicBool>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct State {
    keys: Vec<StoredKey>,
    revision: i64,
    lease: Option<(Box<str>, NumericDate)>,
}

impl MemoryKeyStore {
    /// Creates an empty store, whose time this clock shows.
    #[must_use]
    pub fn new(clock: impl Clock + 'static) -> Self {
        Self { state: Arc::default(), is_cut: Arc::default(), clock: Arc::new(clock) }
    }

    /// Returns another connection to the same keys, as another replica has it.
    #[must_use]
    pub fn connect(&self) -> Self {
        Self { is_cut: Arc::default(), ..self.clone() }
    }

    /// Makes all calls on this connection fail.
    pub fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
    }

    /// Ends a [`cut`](Self::cut).
    pub fn heal(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
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
            if self.is_cut.load(Ordering::SeqCst) {
                return Err(SigningKeyStoreError::Unavailable("the connection is cut".into()));
            }
            Ok(answer(&mut self.lock(), self.clock.now()))
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
            .finish_non_exhaustive()
    }
}
