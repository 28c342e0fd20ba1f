//! The connection of one replica to the store.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
};

use portcullis::{
    NumericDate,
    future::BoxFuture,
    revocation::{Changes, Position, Revocation, RevocationStore, StoreError, StoreErrorKind},
};

use crate::defects::Defect;

/// It can be cut. A clone is the same connection.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    store: Arc<dyn RevocationStore>,
    defect: Defect,
    is_cut: Arc<AtomicBool>,
    /// Whether a read failed since the last one that succeeded.
    has_missed: Arc<AtomicBool>,
    /// How many revocations were acknowledged, to all replicas.
    acknowledged: Arc<AtomicU64>,
    /// How many were when the last read that reached the end began.
    acknowledged_at_read: Arc<AtomicU64>,
}

impl Link {
    pub(crate) fn new(
        store: Arc<dyn RevocationStore>,
        defect: Defect,
        acknowledged: &Arc<AtomicU64>,
    ) -> Self {
        Self {
            store,
            defect,
            is_cut: Arc::default(),
            has_missed: Arc::default(),
            acknowledged: Arc::clone(acknowledged),
            acknowledged_at_read: Arc::default(),
        }
    }

    /// Returns how many revocations were acknowledged before the last read that reached the end.
    pub(crate) fn acknowledged_at_read(&self) -> u64 {
        self.acknowledged_at_read.load(SeqCst)
    }

    pub(crate) fn cut(&self) {
        self.is_cut.store(true, SeqCst);
    }

    pub(crate) fn heal(&self) {
        self.is_cut.store(false, SeqCst);
    }

    fn reach(&self) -> Result<&dyn RevocationStore, StoreError> {
        if self.is_cut.load(SeqCst) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "the connection is cut"));
        }
        Ok(self.store.as_ref())
    }

    async fn read_page(&self, after: Option<&Position>) -> Result<Changes, StoreError> {
        let store = self.reach().inspect_err(|_| self.has_missed.store(true, SeqCst))?;
        let has_missed = self.has_missed.swap(false, SeqCst);
        if self.defect != Defect::NoGapRead || !has_missed || after.is_none() {
            return store.read(after).await;
        }
        // The defect: the replica subscribes again, and what happened meanwhile is not read.
        let mut changes = store.read(after).await?;
        while changes.has_more {
            changes = store.read(Some(&changes.position)).await?;
        }
        Ok(Changes::new(Vec::new(), changes.position))
    }
}

impl RevocationStore for Link {
    fn label(&self) -> &str {
        "link"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { self.reach()?.prepare().await })
    }

    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async {
            let added = match self.reach() {
                Ok(store) => store.add(entries).await,
                Err(error) => Err(error),
            };
            // The defect: the caller goes on to write to memory.
            if self.defect == Defect::IgnoresFailedWrite { Ok(()) } else { added }
        })
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        Box::pin(async move {
            let acknowledged = self.acknowledged.load(SeqCst);
            let changes = self.read_page(after).await?;
            if !changes.has_more {
                self.acknowledged_at_read.store(acknowledged, SeqCst);
            }
            Ok(changes)
        })
    }

    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        Box::pin(async { self.reach()?.find(wanted).await })
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move { self.reach()?.delete_expired(before).await })
    }
}
