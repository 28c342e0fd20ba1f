//! A store that fails when a test says so.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use portcullis::{
    NumericDate,
    future::BoxFuture,
    revocation::{
        Changes, MemoryStore, Position, ReplayStore, Revocation, RevocationStore, StoreError,
        StoreErrorKind, Use,
    },
};

/// A store in memory that can be switched off, for writes of revocations and for used tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    memory: Arc<MemoryStore>,
    refuses_entries: Arc<AtomicBool>,
    refuses_ids: Arc<AtomicBool>,
    has_no_place: Arc<AtomicBool>,
}

impl Store {
    pub(crate) fn refuse_entries(&self, refuses: bool) {
        self.refuses_entries.store(refuses, Ordering::SeqCst);
    }

    pub(crate) fn have_no_place(&self) {
        self.has_no_place.store(true, Ordering::SeqCst);
    }

    pub(crate) fn refuse_ids(&self, refuses: bool) {
        self.refuses_ids.store(refuses, Ordering::SeqCst);
    }

    /// Returns all entries.
    pub(crate) async fn entries(&self) -> Vec<Revocation> {
        let changes = self.memory.read(None).await.unwrap();
        assert!(!changes.has_more);
        changes.entries
    }
}

fn check(refuses: &AtomicBool) -> Result<(), StoreError> {
    if refuses.load(Ordering::SeqCst) {
        return Err(StoreError::new(StoreErrorKind::Unavailable, "switched off"));
    }
    Ok(())
}

impl RevocationStore for Store {
    fn label(&self) -> &str {
        "switchable"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        RevocationStore::prepare(&self.memory)
    }

    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async {
            check(&self.refuses_entries)?;
            if self.has_no_place.load(Ordering::SeqCst) {
                return Err(StoreError::new(StoreErrorKind::Unsupported, "no place for the entry"));
            }
            self.memory.add(entries).await
        })
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        self.memory.read(after)
    }

    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        self.memory.find(wanted)
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        self.memory.changed()
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        RevocationStore::delete_expired(&self.memory, before)
    }
}

impl ReplayStore for Store {
    fn label(&self) -> &str {
        "switchable"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        ReplayStore::prepare(&self.memory)
    }

    fn consume<'a>(
        &'a self,
        issuer: &'a str,
        jti: &'a str,
        until: NumericDate,
    ) -> BoxFuture<'a, Result<Use, StoreError>> {
        Box::pin(async move {
            check(&self.refuses_ids)?;
            self.memory.consume(issuer, jti, until).await
        })
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        ReplayStore::delete_expired(&self.memory, before)
    }
}
