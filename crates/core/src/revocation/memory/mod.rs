//! A store in the memory of this process.

mod expiring;
mod log;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use self::{expiring::Expiring, log::Log};
use super::{
    Changes, Position, ReplayStore, Revocation, RevocationStore, StoreError, StoreErrorKind, Use,
};
use crate::{BoxFuture, NumericDate};

/// How many expired entries one call deletes.
const MAX_DELETED: usize = 1_000;

/// Keeps revocations and the ids of used tokens in the memory of this process: for tests, and for a service
/// of one process that may forget them when it ends.
///
/// It holds at most 1,000,000 revocations and 1,000,000 ids. When it is full, it returns an error for each
/// new one until others have expired: it does not forget any early.
#[derive(Debug)]
#[must_use]
pub struct MemoryStore {
    max_entries: usize,
    revocations: Mutex<Log>,
    used: Mutex<Expiring<(Box<str>, Box<str>)>>,
    changes: watch::Sender<()>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self {
            max_entries: 1_000_000,
            revocations: Mutex::default(),
            used: Mutex::default(),
            changes: watch::Sender::new(()),
        }
    }
}

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the most revocations, and the most ids of used tokens, that it holds. Default: 1,000,000.
    pub fn max_entries(self, max_entries: usize) -> Self {
        Self { max_entries, ..self }
    }

    fn revocations(&self) -> MutexGuard<'_, Log> {
        self.revocations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add_now(&self, entries: &[Revocation]) -> Result<(), StoreError> {
        self.revocations().add(entries, self.max_entries)?;
        self.changes.send_replace(());
        Ok(())
    }

    fn consume_now(
        &self,
        key: (Box<str>, Box<str>),
        until: NumericDate,
    ) -> Result<Use, StoreError> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        match used.until(&key) {
            Some(old) => {
                used.insert(key, old.max(until));
                Ok(Use::Replayed)
            }
            None if used.len() >= self.max_entries => Err(full()),
            None => {
                used.insert(key, until);
                Ok(Use::First)
            }
        }
    }
}

fn full() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the memory store is full")
}

impl RevocationStore for MemoryStore {
    fn label(&self) -> &str {
        "memory"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { self.add_now(entries) })
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        Box::pin(async move { self.revocations().read(after) })
    }

    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        Box::pin(async { Ok(self.revocations().find(wanted)) })
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        // Subscribed here, so that a change between this call and the first poll ends the wait too.
        let mut changes = self.changes.subscribe();
        Box::pin(async move {
            // The sender lives as long as the store.
            let _ = changes.changed().await;
        })
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move { Ok(self.revocations().delete_expired(before)) })
    }
}

impl ReplayStore for MemoryStore {
    fn label(&self) -> &str {
        "memory"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn consume<'a>(
        &'a self,
        issuer: &'a str,
        jti: &'a str,
        until: NumericDate,
    ) -> BoxFuture<'a, Result<Use, StoreError>> {
        Box::pin(async move { self.consume_now((issuer.into(), jti.into()), until) })
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            let deleted = used.take_expired(before, MAX_DELETED).len();
            Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
        })
    }
}
