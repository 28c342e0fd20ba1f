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

/// A store in memory that can be switched off.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    memory: Arc<MemoryStore>,
    is_off: Arc<AtomicBool>,
}

impl Store {
    pub(crate) fn switch_off(&self, is_off: bool) {
        self.is_off.store(is_off, Ordering::SeqCst);
    }
}

fn check(is_off: &AtomicBool) -> Result<(), StoreError> {
    if is_off.load(Ordering::SeqCst) {
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
            check(&self.is_off)?;
            self.memory.add(entries).await
        })
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        Box::pin(async move {
            check(&self.is_off)?;
            self.memory.read(after).await
        })
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
            check(&self.is_off)?;
            self.memory.consume(issuer, jti, until).await
        })
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        ReplayStore::delete_expired(&self.memory, before)
    }
}
