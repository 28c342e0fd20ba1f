//! Mistakes that the histories must notice.

use std::sync::{Mutex, MutexGuard, PoisonError};

use portcullis::{
    NumericDate,
    future::BoxFuture,
    revocation::{Changes, Position, Revocation, RevocationStore, StoreError},
};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Defect {
    None,
    /// After a cut, the feed goes on with what is new.
    NoGapRead,
    /// A revocation is written to memory although the store failed.
    IgnoresFailedWrite,
}

/// A store as one on PostgreSQL would be that takes the highest number of a sequence for its position: of two
/// transactions, the one with the lower number may be committed last, and is skipped.
#[derive(Debug, Default)]
pub(crate) struct SequenceStore(Mutex<Data>);

#[derive(Debug, Default)]
struct Data {
    sequence: u64,
    committed: Vec<(u64, Revocation)>,
}

impl SequenceStore {
    fn lock(&self) -> MutexGuard<'_, Data> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> u64 {
        let mut data = self.lock();
        data.sequence += 1;
        data.sequence
    }
}

impl RevocationStore for SequenceStore {
    fn label(&self) -> &str {
        "sequence"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async {
            let numbers: Vec<u64> = entries.iter().map(|_| self.next()).collect();
            // Transactions with odd numbers are slow.
            let pauses = if numbers.first().is_some_and(|number| number % 2 == 1) { 40 } else { 0 };
            for _ in 0..pauses {
                tokio::task::yield_now().await;
            }
            self.lock().committed.extend(numbers.into_iter().zip(entries.iter().cloned()));
            Ok(())
        })
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        Box::pin(async move {
            let after = after.map_or(0, |position| position.as_str().parse().unwrap_or(0));
            let data = self.lock();
            let new = data.committed.iter().filter(|(number, _)| *number > after);
            let last = new.clone().map(|(number, _)| *number).max().unwrap_or(after);
            let entries = new.map(|(_, entry)| entry.clone()).collect();
            Ok(Changes::new(entries, Position::new(last.to_string())))
        })
    }

    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        Box::pin(async {
            let data = self.lock();
            let entries = data.committed.iter().map(|(_, entry)| entry);
            let is_wanted = |entry: &Revocation| {
                wanted.iter().any(|it| it.issuer == entry.issuer && it.revoked == entry.revoked)
            };
            Ok(entries.filter(|entry| is_wanted(entry)).cloned().collect())
        })
    }

    fn delete_expired(&self, _: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async { Ok(0) })
    }
}
