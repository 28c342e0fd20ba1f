//! Follows the store: keeps the revocations in memory equal to those of the store.
//!
//! The owner of this file replaces the loop below. What others call: `new`, `run`, `state`, `status`,
//! `attempts` and `added`.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::{
    Position, Revocation, RevocationStatus, RevocationStore, StoreError, StoreErrorKind,
    handle::Settings, set::RevokedSet,
};
use crate::{Clock, NumericDate};

/// Whether the revocations in memory may be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FeedState {
    /// Not all entries have been read yet.
    Loading,
    /// They were read a short time ago.
    Current,
    /// They were read too long ago.
    Stale,
}

/// Follows a store.
#[derive(Debug)]
pub(super) struct Follower {
    store: Arc<dyn RevocationStore>,
    set: Arc<RevokedSet>,
    settings: Settings,
    state: Mutex<State>,
    attempts: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    position: Option<Position>,
    read_at: Option<NumericDate>,
    error: Option<StoreError>,
}

impl Follower {
    pub(super) fn new(
        store: Arc<dyn RevocationStore>,
        set: Arc<RevokedSet>,
        settings: Settings,
    ) -> Self {
        Self { store, set, settings, state: Mutex::default(), attempts: watch::Sender::new(0) }
    }

    /// Tells whether the revocations in memory may be used. A request calls this: it must be quick.
    #[inline]
    pub(super) fn state(&self, now: NumericDate) -> FeedState {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.read_at {
            None => FeedState::Loading,
            Some(at) if now.saturating_since(at) > self.settings.max_staleness => FeedState::Stale,
            Some(_) => FeedState::Current,
        }
    }

    /// Returns what operators want to know.
    pub(super) fn status(&self, now: NumericDate) -> RevocationStatus {
        let feed = self.state(now);
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        RevocationStatus {
            is_loaded: feed != FeedState::Loading,
            is_current: feed == FeedState::Current,
            entries: self.set.len(),
            age: state.read_at.map(|at| now.saturating_since(at)),
            error: state.error.clone(),
        }
    }

    /// Returns a receiver that changes after each attempt to read the store, whether it succeeded or not.
    pub(super) fn attempts(&self) -> watch::Receiver<u64> {
        self.attempts.subscribe()
    }

    /// Adds entries that this replica has written to the store.
    ///
    /// # Errors
    ///
    /// If memory has no room for them.
    pub(super) fn added(&self, entries: &[Revocation]) -> Result<(), StoreError> {
        let full =
            |_| StoreError::new(StoreErrorKind::Unavailable, "there are too many revocations");
        self.set.insert(entries).map_err(full)
    }

    /// Follows the store until this future is dropped. It may be called again then.
    pub(super) async fn run(&self, clock: &dyn Clock) {
        loop {
            let read = self.read_all(clock).await;
            {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.error = read.err();
                if state.error.is_none() {
                    state.read_at = Some(clock.now());
                }
            }
            self.attempts.send_modify(|count| *count = count.wrapping_add(1));
            tokio::select! {
                () = self.store.changed() => {}
                () = clock.sleep(self.settings.poll) => {}
            }
        }
    }

    async fn read_all(&self, _: &dyn Clock) -> Result<(), StoreError> {
        self.store.prepare().await?;
        loop {
            let position = {
                let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                state.position.clone()
            };
            let changes = self.store.read(position.as_ref()).await?;
            self.added(&changes.entries)?;
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.position = Some(changes.position);
            if !changes.has_more {
                return Ok(());
            }
        }
    }
}
