//! How old the revocations in memory are.

use std::{
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
    time::Duration,
};

use crate::NumericDate;

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

/// What [`Freshness::read_at`] has until all entries have been read.
const NEVER: u64 = 0;

/// How old the revocations in memory are, by the clock of the engine, which a request has read anyway.
///
/// That clock may be set. Set forward, it makes the revocations look older than they are, until the next
/// read. Set back, it would make them look younger: the follower looks at the clock at least at every poll,
/// and moves the time of the last read back as far as the clock, less the time of a call meanwhile. Until it does, and if it is gone, a last
/// read in the future counts for as long as one in the past.
#[derive(Debug)]
pub(super) struct Freshness {
    max_staleness: u64,
    /// When the last read that reached the end began: nanoseconds since 1970, or [`NEVER`].
    read_at: AtomicU64,
    /// When the follower last looked at the clock.
    looked_at: AtomicU64,
}

impl Freshness {
    pub(super) fn new(max_staleness: Duration) -> Self {
        Self {
            max_staleness: nanos(max_staleness),
            read_at: AtomicU64::new(NEVER),
            looked_at: AtomicU64::new(0),
        }
    }

    #[inline]
    pub(super) fn state(&self, now: NumericDate) -> FeedState {
        match self.read_at.load(Acquire) {
            NEVER => FeedState::Loading,
            at if since_epoch(now).abs_diff(at) > self.max_staleness => FeedState::Stale,
            _ => FeedState::Current,
        }
    }

    /// Returns how long ago the last read was.
    pub(super) fn age(&self, now: NumericDate) -> Option<Duration> {
        let at = self.read_at.load(Acquire);
        let age = since_epoch(now).saturating_sub(at);
        (at != NEVER).then_some(Duration::from_nanos(age))
    }

    /// Notes a read that reached the end, and when it began.
    pub(super) fn read(&self, begun_at: NumericDate) {
        self.read_at.store(since_epoch(begun_at).max(1), Release);
    }

    /// Looks at the clock. The follower does this before and after each wait; `passed` is the time that has
    /// passed at least since it did last.
    pub(super) fn look_at(&self, now: NumericDate, passed: Duration) {
        let now = since_epoch(now);
        let expected = self.looked_at.swap(now, Relaxed).saturating_add(nanos(passed));
        let step_back = expected.saturating_sub(now);
        let read_at = self.read_at.load(Acquire);
        if step_back > 0 && read_at != NEVER {
            self.read_at.store(read_at.saturating_sub(step_back).max(1), Release);
        }
    }
}

#[inline]
fn since_epoch(time: NumericDate) -> u64 {
    nanos(time.saturating_since(NumericDate::EPOCH))
}

/// Returns a duration in nanoseconds: up to 584 years.
#[inline]
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
