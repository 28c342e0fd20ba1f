//! Follows the store: keeps the revocations in memory equal to those of the store.

mod call;
mod clean_up;
mod freshness;
mod outage;
mod recent;
#[cfg(test)]
mod tests;

use std::{
    future::{pending, poll_fn},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    task::Poll,
    time::Duration,
};

use tokio::sync::watch;

pub(super) use self::call::call;
pub(crate) use self::freshness::FeedState;
use self::{
    clean_up::CleanUpTime,
    freshness::Freshness,
    outage::{Jitter, Outage},
    recent::{Missing, Recent},
};
use super::{
    Changes, Position, Revocation, RevocationStatus, RevocationStore, StoreError, StoreErrorKind,
    handle::{ANY_ISSUER, Settings},
    set::{RevokedSet, SetFull},
};
use crate::{BoxFuture, Clock, NumericDate, future::PanicCaught, interleave::point, metrics};

/// The longest time to connect and to create or update the schema.
const MAX_PREPARE: Duration = Duration::from_secs(30);

/// The longest time for any other call.
const MAX_CALL: Duration = Duration::from_secs(5);

/// How many reads in a row must have been complete before requests no longer query the store. A request looks
/// into memory first and decides after that whether to query; the list must not become complete in between.
const COMPLETE_READS: u32 = 60;

/// How many entries are written back in one call.
const WRITE_BACK: usize = 1_000;

/// Follows a store.
///
/// ```text
///              ┌─────────┐  last page   ┌─────────┐
///   start ───► │ Loading │ ───────────► │ Current │ ◄─┐ each read that reaches the end
///              └─────────┘              └─────────┘ ──┘
///                                         │     ▲
///             no such read for too long   ▼     │ such a read
///                                       ┌─────────┐
///                                       │  Stale  │
///                                       └─────────┘
/// ```
///
/// A position that the store has lost changes no state: all entries are read again and merged with those in
/// memory. What memory has of the last minutes and the store no longer has is written back to the store.
#[derive(Debug)]
pub(super) struct Follower {
    store: Arc<dyn RevocationStore>,
    set: Arc<RevokedSet>,
    settings: Settings,
    freshness: Freshness,
    recent: Mutex<Recent>,
    error: Mutex<Option<StoreError>>,
    attempts: watch::Sender<u64>,
    /// How many more reads must be complete before memory alone may be used.
    complete_reads_needed: AtomicU32,
    /// Locked by the one task that reads. A task that takes over from it goes on where it was.
    feed: tokio::sync::Mutex<Feed>,
}

/// Where the reading is.
#[derive(Debug, Default)]
struct Feed {
    is_prepared: bool,
    position: Option<Position>,
    /// While all entries are read: the recent ones that were not among them yet.
    missing: Option<Missing>,
    /// Entries that the store has lost.
    to_write_back: Vec<Revocation>,
}

impl Follower {
    pub(super) fn new(
        store: Arc<dyn RevocationStore>,
        set: Arc<RevokedSet>,
        settings: Settings,
    ) -> Self {
        Self {
            store,
            set,
            settings,
            freshness: Freshness::new(settings.max_staleness),
            recent: Mutex::default(),
            error: Mutex::default(),
            attempts: watch::Sender::new(0),
            complete_reads_needed: AtomicU32::new(0),
            feed: tokio::sync::Mutex::default(),
        }
    }

    /// Returns whether the revocations in memory may be used. A request calls this.
    #[inline]
    pub(super) fn state(&self, now: NumericDate) -> FeedState {
        self.freshness.state(now)
    }

    /// Returns whether memory may lack entries that the store has, so that a request must query the store.
    #[inline]
    pub(super) fn is_incomplete(&self) -> bool {
        self.complete_reads_needed.load(Ordering::Acquire) > 0
    }

    /// Returns what operators want to know.
    pub(super) fn status(&self, now: NumericDate) -> RevocationStatus {
        let feed = self.state(now);
        RevocationStatus {
            is_loaded: feed != FeedState::Loading,
            is_current: feed == FeedState::Current,
            entries: self.set.len(),
            age: self.freshness.age(now),
            error: self.error.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// The task has ended before it should. Those who wait for an attempt need not wait any longer.
    pub(super) fn task_ended(&self) {
        self.attempts.send_modify(|count| *count = count.wrapping_add(1));
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
    pub(super) async fn added(
        &self,
        entries: &[Revocation],
        now: NumericDate,
    ) -> Result<(), StoreError> {
        self.recent().add(entries, now);
        point("revocations: remembered");
        self.insert(entries).await
    }

    /// Follows the store until this future is dropped. It may be called again then.
    pub(super) async fn run(&self, clock: &dyn Clock) {
        tokio::join!(self.follow(clock), self.clean_up(clock));
    }

    async fn follow(&self, clock: &dyn Clock) {
        let mut feed = self.feed.lock().await;
        let mut outage = Outage::new("read the revocations");
        loop {
            // Before the read, so that a change during the read ends the wait after it.
            let changed = self.subscribe().await;
            let read = self.read(&mut feed, clock).await;
            self.freshness.look_at(clock.now(), Duration::ZERO);
            let pause = outage.pause_after(&read, self.store.label());
            *self.error.lock().unwrap_or_else(PoisonError::into_inner) = read.err();
            self.attempts.send_modify(|count| *count = count.wrapping_add(1));
            self.measure(clock);
            let passed = match pause {
                // A broken connection may look like a change, and must not cause attempts without a pause.
                Some(pause) => sleep(clock, pause).await,
                None => tokio::select! {
                    () = changed => Duration::ZERO,
                    passed = sleep(clock, self.settings.poll) => passed,
                },
            };
            self.freshness.look_at(clock.now(), passed);
        }
    }

    /// Starts to wait for a change.
    async fn subscribe(&self) -> BoxFuture<'_, ()> {
        // The first may end at once, because of a change before the read that follows.
        for _ in 0..2 {
            // Inside of a future, because a store may panic before it returns one.
            let mut changed = PanicCaught(Box::pin(async { self.store.changed().await }));
            // Many futures subscribe when they are polled.
            let poll = poll_fn(|cx| Poll::Ready(Pin::new(&mut changed).poll(cx))).await;
            if poll.is_pending() {
                return Box::pin(async {
                    if changed.await.is_none() {
                        pending::<()>().await;
                    }
                });
            }
        }
        // One that always ends must not cause reads without a pause.
        Box::pin(pending())
    }

    /// Reads what is new, up to the end.
    async fn read(&self, feed: &mut Feed, clock: &dyn Clock) -> Result<(), StoreError> {
        if !feed.is_prepared {
            call(clock, MAX_PREPARE, || self.store.prepare()).await?;
            feed.is_prepared = true;
        }
        let mut outcome = self.read_pages(feed, clock).await;
        if outcome.is_ok() {
            outcome = self.write_back(feed, clock).await;
        }
        // After an error, the store is prepared again.
        feed.is_prepared = outcome.is_ok();
        outcome
    }

    /// Reads pages up to the last one.
    async fn read_pages(&self, feed: &mut Feed, clock: &dyn Clock) -> Result<(), StoreError> {
        let (mut may_start_again, mut is_incomplete) = (true, false);
        loop {
            let begun_at = clock.now();
            let after = feed.position.as_ref();
            if after.is_none() && feed.missing.is_none() {
                let unwritten = std::mem::take(&mut feed.to_write_back);
                feed.missing = Some(self.recent().missing(unwritten, begun_at));
            }
            let page = call(clock, MAX_CALL, || self.store.read(after)).await;
            point("revocations: page read");
            match page {
                Ok(page) if page.has_more => {
                    if after == Some(&page.position) {
                        return Err(failed("the store returns the same position again"));
                    }
                    is_incomplete |= page.is_incomplete;
                    self.apply(feed, page, begun_at).await?;
                }
                Ok(page) => {
                    is_incomplete |= page.is_incomplete;
                    self.apply(feed, page, begun_at).await?;
                    // First, so that no request relies on memory alone that lacks entries.
                    self.read_to_end(is_incomplete);
                    feed.to_write_back.extend(feed.missing.take().into_iter().flatten());
                    self.freshness.read(begun_at.min(clock.now()));
                    return Ok(());
                }
                Err(error) if error.kind() == StoreErrorKind::PositionLost && may_start_again => {
                    outage::position_lost(self.store.label());
                    (feed.position, feed.missing, may_start_again) = (None, None, false);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Remembers whether a read returned all entries.
    fn read_to_end(&self, is_incomplete: bool) {
        let needed = self.complete_reads_needed.load(Ordering::Relaxed);
        let needed = if is_incomplete { COMPLETE_READS } else { needed.saturating_sub(1) };
        self.complete_reads_needed.store(needed, Ordering::Release);
    }

    async fn apply(
        &self,
        feed: &mut Feed,
        mut page: Changes,
        now: NumericDate,
    ) -> Result<(), StoreError> {
        if self.store.ignores_issuers() {
            page.entries.iter_mut().for_each(|entry| entry.issuer = ANY_ISSUER.into());
        }
        self.insert(&page.entries).await?;
        point("revocations: page inserted");
        match &mut feed.missing {
            Some(missing) => missing.remove(&page.entries),
            None => self.recent().add(&page.entries, now),
        }
        // Last, so that a task that ends before reads the page again.
        feed.position = Some(page.position);
        Ok(())
    }

    /// Writes back what the store has lost. What fails is tried again after the next read.
    async fn write_back(&self, feed: &mut Feed, clock: &dyn Clock) -> Result<(), StoreError> {
        while !feed.to_write_back.is_empty() {
            let count = feed.to_write_back.len().min(WRITE_BACK);
            let batch = feed.to_write_back.get(..count).unwrap_or_default();
            call(clock, MAX_CALL, || self.store.add(batch)).await?;
            feed.to_write_back.drain(..count);
        }
        Ok(())
    }

    /// Inserts entries, on another thread if that may take long.
    async fn insert(&self, entries: &[Revocation]) -> Result<(), StoreError> {
        let full = |SetFull| failed("there are too many revocations");
        if let Some(inserted) = self.set.try_insert(entries) {
            return inserted.map_err(full);
        }
        let (set, copies) = (Arc::clone(&self.set), entries.to_vec());
        match on_another_thread(move || set.insert(&copies)).await {
            Some(inserted) => inserted.map_err(full),
            None => self.set.insert(entries).map_err(full),
        }
    }

    /// Deletes expired entries from memory and from the store, at intervals.
    async fn clean_up(&self, clock: &dyn Clock) {
        let mut time = CleanUpTime::starting_at(clock.now());
        let mut outage = Outage::new("delete the expired revocations");
        let mut jitter = Jitter::default();
        loop {
            clock.sleep(jitter.around(clean_up::EVERY)).await;
            let before = time.before(clock.now());
            let set = Arc::clone(&self.set);
            on_another_thread(move || set.drop_expired(before)).await;
            let deleted = self.delete_expired(clock, before).await;
            outage.pause_after(&deleted, self.store.label());
            self.measure(clock);
        }
    }

    async fn delete_expired(
        &self,
        clock: &dyn Clock,
        before: NumericDate,
    ) -> Result<(), StoreError> {
        for _ in 0..clean_up::BATCHES {
            if call(clock, MAX_CALL, || self.store.delete_expired(before)).await? == 0 {
                break;
            }
        }
        Ok(())
    }

    fn measure(&self, clock: &dyn Clock) {
        let age = self.freshness.age(clock.now());
        metrics::revocations(self.store.label(), self.set.len(), age);
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits, and returns how long.
async fn sleep(clock: &dyn Clock, duration: Duration) -> Duration {
    clock.sleep(duration).await;
    duration
}

/// Runs a function that may take some time where no request waits for it. Returns `None` if it could not be
/// run there, for example without a runtime.
pub(super) async fn on_another_thread<T: Send + 'static>(
    run: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let runtime = tokio::runtime::Handle::try_current().ok()?;
    runtime.spawn_blocking(run).await.ok()
}

fn failed(text: &'static str) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, text)
}
