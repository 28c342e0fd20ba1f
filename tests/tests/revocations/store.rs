//! A store that works, is slow, or is gone.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use portcullis::{
    NumericDate,
    future::BoxFuture,
    revocation::{
        Changes, MemoryStore, Position, ReplayStore, Revocation, RevocationStore, StoreError,
        StoreErrorKind, Use,
    },
};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    Up,
    /// It never answers.
    Slow,
    /// It answers with an error.
    Gone,
    /// It answers, and takes no entry.
    Full,
    /// Its setting must be corrected.
    Unusable,
    /// It panics.
    Panics,
}

/// A store in memory whose state a test sets. Clones are the same store.
#[derive(Clone, Debug)]
pub(crate) struct TestStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    memory: MemoryStore,
    state: Mutex<State>,
    /// How often it was asked for single entries.
    found: AtomicUsize,
    consumed: AtomicUsize,
}

impl TestStore {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            memory: MemoryStore::new(),
            state: Mutex::new(State::Up),
            found: AtomicUsize::new(0),
            consumed: AtomicUsize::new(0),
        }))
    }

    pub(crate) fn set(&self, state: State) {
        *self.0.state.lock().unwrap() = state;
    }

    pub(crate) fn found(&self) -> usize {
        self.0.found.load(Ordering::SeqCst)
    }

    pub(crate) fn consumed(&self) -> usize {
        self.0.consumed.load(Ordering::SeqCst)
    }

    async fn reach(&self) -> Result<&MemoryStore, StoreError> {
        let error = |kind, text: &str| Err(StoreError::new(kind, text));
        let state = *self.0.state.lock().unwrap();
        match state {
            State::Up | State::Full => Ok(&self.0.memory),
            State::Slow => pending().await,
            State::Gone => error(StoreErrorKind::Unavailable, "connection refused"),
            State::Unusable => error(StoreErrorKind::Unusable, "the schema is newer"),
            #[expect(clippy::panic, reason = "a store of an application may")]
            State::Panics => panic!("a store that panics"),
        }
    }
}

impl RevocationStore for TestStore {
    fn label(&self) -> &str {
        "test"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { RevocationStore::prepare(self.reach().await?).await })
    }

    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async {
            let memory = self.reach().await?;
            if *self.0.state.lock().unwrap() == State::Full {
                return Err(StoreError::new(StoreErrorKind::Unavailable, "the disk is full"));
            }
            memory.add(entries).await
        })
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        Box::pin(async move { self.reach().await?.read(after).await })
    }

    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        self.0.found.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { self.reach().await?.find(wanted).await })
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move { RevocationStore::delete_expired(self.reach().await?, before).await })
    }
}

impl ReplayStore for TestStore {
    fn label(&self) -> &str {
        "test"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { ReplayStore::prepare(self.reach().await?).await })
    }

    fn consume<'a>(
        &'a self,
        issuer: &'a str,
        jti: &'a str,
        until: NumericDate,
    ) -> BoxFuture<'a, Result<Use, StoreError>> {
        self.0.consumed.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { self.reach().await?.consume(issuer, jti, until).await })
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move { ReplayStore::delete_expired(self.reach().await?, before).await })
    }
}
