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

/// What both times of [`Freshness`] are until all entries have been read.
const NEVER: u64 = 0;

/// What [`Freshness::counts_from`] is after the follower has seen that the last read was too long ago.
const TOO_LONG_AGO: u64 = u64::MAX;

/// How old the revocations in memory are, by the clock of the engine, which a request has read anyway.
///
/// That clock may be set. Set forward, it makes the revocations look older than they are, until the next
/// read. Set back, it would make them look younger: the follower looks at the clock at least every two
/// seconds, and moves the time of the last read back as far as the clock, less the time of a call meanwhile.
/// If that time is too long ago then, only a read makes the revocations current again, wherever the clock is set.
/// Until the follower looks, and if it is gone, a last read in the future counts for as long as one in the past.
#[derive(Debug)]
pub(super) struct Freshness {
    max_staleness: u64,
    /// When the last read that reached the end began: nanoseconds since 1970, or [`NEVER`].
    read_at: AtomicU64,
    /// The same for requests, or [`TOO_LONG_AGO`].
    counts_from: AtomicU64,
    /// When the follower last looked at the clock.
    looked_at: AtomicU64,
}

impl Freshness {
    pub(super) fn new(max_staleness: Duration) -> Self {
        Self {
            max_staleness: nanos(max_staleness),
            read_at: AtomicU64::new(NEVER),
            counts_from: AtomicU64::new(NEVER),
            looked_at: AtomicU64::new(0),
        }
    }

    #[inline]
    pub(super) fn state(&self, now: NumericDate) -> FeedState {
        match self.counts_from.load(Acquire) {
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
        let begun_at = since_epoch(begun_at).max(1);
        self.read_at.store(begun_at, Release);
        self.counts_from.store(begun_at, Release);
    }

    /// Looks at the clock. The follower does this before and after each wait; `passed` is the time that has
    /// passed at least since it did last.
    pub(super) fn look_at(&self, now: NumericDate, passed: Duration) {
        let now = since_epoch(now);
        let expected = self.looked_at.swap(now, Relaxed).saturating_add(nanos(passed));
        let step_back = expected.saturating_sub(now);
        let read_at = self.read_at.load(Acquire);
        if read_at == NEVER {
            return;
        }
        let read_at = read_at.saturating_sub(step_back).max(1);
        self.read_at.store(read_at, Release);
        let was_too_long_ago = self.counts_from.load(Acquire) == TOO_LONG_AGO;
        let is_too_long_ago = was_too_long_ago || now.abs_diff(read_at) > self.max_staleness;
        self.counts_from.store(if is_too_long_ago { TOO_LONG_AGO } else { read_at }, Release);
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

#[cfg(test)]
mod tests {
    use super::*;

    const STALENESS: Duration = Duration::from_secs(10);

    fn at(seconds: i64) -> NumericDate {
        NumericDate::from_seconds(1_800_000_000 + seconds)
    }

    #[test]
    fn a_clock_that_is_set_back_makes_no_old_read_current() {
        let freshness = Freshness::new(STALENESS);
        freshness.look_at(at(0), Duration::ZERO);
        assert_eq!(freshness.state(at(0)), FeedState::Loading);
        freshness.read(at(0));
        freshness.look_at(at(1), Duration::from_secs(1));
        assert_eq!(freshness.state(at(10)), FeedState::Current);
        assert_eq!(freshness.state(at(11)), FeedState::Stale);
        freshness.look_at(at(30), Duration::from_secs(2));
        // Before the follower looks again.
        assert_eq!(freshness.state(at(5)), FeedState::Stale);
        freshness.look_at(at(5), Duration::from_secs(2));
        assert_eq!(freshness.state(at(5)), FeedState::Stale);
        assert_eq!(freshness.age(at(5)), Some(Duration::from_secs(32)));
        freshness.read(at(6));
        assert_eq!(freshness.state(at(6)), FeedState::Current);
    }
}
