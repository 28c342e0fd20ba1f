//! A store that does what a test says.

use std::{
    collections::VecDeque,
    future::{pending, ready},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use tokio::sync::Semaphore;

use crate::{
    BoxFuture, NumericDate,
    revocation::{
        Changes, MemoryStore, Position, Revocation, RevocationStore, StoreError, StoreErrorKind,
    },
};

/// A memory store whose calls can fail, wait or panic.
#[derive(Debug, Default)]
pub(super) struct ScriptedStore {
    pub(super) inner: Mutex<Arc<MemoryStore>>,
    /// What the next reads do; later ones succeed.
    pub(super) reads: Mutex<VecDeque<Read>>,
    pub(super) fails: AtomicBool,
    pub(super) add_fails: AtomicBool,
    pub(super) notifies: AtomicBool,
    /// Whether each wait for a change ends at once.
    pub(super) always_changed: AtomicBool,
    /// One permit ends one [`Read::Hold`].
    pub(super) gate: Gate,
    pub(super) read_calls: AtomicUsize,
    pub(super) prepare_calls: AtomicUsize,
    pub(super) reads_from_start: AtomicUsize,
}

#[derive(Debug)]
pub(super) struct Gate(pub(super) Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Read {
    Succeed,
    Hang,
    Panic,
    LosePosition,
    /// Reads, and then waits at the gate before it returns.
    Hold,
    /// Has more, and stays at the same position.
    Stay,
}

impl ScriptedStore {
    pub(super) fn new() -> Arc<Self> {
        let store = Self::default();
        store.notifies.store(true, SeqCst);
        Arc::new(store)
    }

    pub(super) fn inner(&self) -> Arc<MemoryStore> {
        Arc::clone(&self.inner.lock().unwrap())
    }

    /// The store loses all that it has, and every position.
    pub(super) fn lose_everything(&self) {
        *self.inner.lock().unwrap() = Arc::default();
    }

    /// Adds what another replica has revoked.
    pub(super) async fn add_elsewhere(&self, entries: &[Revocation]) {
        self.inner().add(entries).await.unwrap();
    }

    pub(super) fn then(&self, reads: impl IntoIterator<Item = Read>) {
        self.reads.lock().unwrap().extend(reads);
    }

    /// Returns all entries of the store.
    pub(super) async fn content(&self) -> Vec<Revocation> {
        self.inner().read(None).await.unwrap().entries
    }

    pub(super) fn calls(&self) -> usize {
        self.read_calls.load(SeqCst)
    }

    async fn read_now(&self, after: Option<&Position>) -> Result<Changes, StoreError> {
        self.read_calls.fetch_add(1, SeqCst);
        if after.is_none() {
            self.reads_from_start.fetch_add(1, SeqCst);
        }
        if self.fails.load(SeqCst) {
            return Err(unavailable());
        }
        let next = self.reads.lock().unwrap().pop_front().unwrap_or(Read::Succeed);
        match next {
            Read::Succeed => self.inner().read(after).await,
            Read::Hang => pending().await,
            Read::Panic => panic!("the store of a test"),
            Read::LosePosition => Err(StoreError::new(StoreErrorKind::PositionLost, "lost")),
            Read::Stay => {
                let position = after.cloned().unwrap_or(Position::new("x"));
                Ok(Changes::new(Vec::new(), position).with_more())
            }
            Read::Hold => {
                let changes = self.inner().read(after).await;
                self.gate.0.acquire().await.unwrap().forget();
                changes
            }
        }
    }
}

fn unavailable() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "down")
}

impl RevocationStore for ScriptedStore {
    fn label(&self) -> &str {
        "scripted"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.prepare_calls.fetch_add(1, SeqCst);
        let fails = self.fails.load(SeqCst);
        Box::pin(ready(if fails { Err(unavailable()) } else { Ok(()) }))
    }

    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async {
            if self.fails.load(SeqCst) || self.add_fails.load(SeqCst) {
                return Err(unavailable());
            }
            self.inner().add(entries).await
        })
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        Box::pin(self.read_now(after))
    }

    fn find<'a>(
        &'a self,
        _: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        Box::pin(ready(Err(unavailable())))
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if self.always_changed.load(SeqCst) {
                return;
            }
            if self.notifies.load(SeqCst) {
                self.inner().changed().await;
            } else {
                pending::<()>().await;
            }
        })
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            if self.fails.load(SeqCst) {
                return Err(unavailable());
            }
            RevocationStore::delete_expired(&*self.inner(), before).await
        })
    }
}
