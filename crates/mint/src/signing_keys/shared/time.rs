//! What time it is by the clock of the store.

use std::time::Duration;

use portcullis::clock::Clock;
use portcullis_jose::NumericDate;
use tokio::time::Instant;

/// The time of the store when it was read, from which its time now is estimated.
///
/// The clock of the store counts, so that the clocks of replicas may differ. Between two reads, time is measured by
/// the monotonic clock. It may not count the time during which the machine was suspended; so what must end in time
/// also ends if the clock of this replica says so.
///
/// ```text
///   the call begins        the store takes its time        the call ends
///        │◄──────────── latest: as if it was here ...            │
///        │                 earliest: as if it was here ... ─────►│
/// ```
#[derive(Clone, Debug)]
pub(in super::super) struct StoreTime {
    read_at: NumericDate,
    began: CallBegin,
    ended: Instant,
    /// How long the keys of a read are up to date: every replica reads the store at least that often.
    read_within: Duration,
}

/// When a call of the store began.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallBegin {
    instant: Instant,
    date: NumericDate,
}

impl CallBegin {
    pub(super) fn now(clock: &dyn Clock) -> Self {
        Self { instant: Instant::now(), date: clock.now() }
    }

    fn elapsed(&self, clock: &dyn Clock) -> Duration {
        self.instant.elapsed().max(clock.now().saturating_since(self.date))
    }
}

impl StoreTime {
    pub(super) fn new(read_at: NumericDate, began: CallBegin, read_within: Duration) -> Self {
        Self { read_at, began, ended: Instant::now(), read_within }
    }

    /// Returns the earliest time that it may be. It does not advance further than the keys are up to date, so that
    /// a replica which cannot read the store begins to sign with no other key.
    pub(in super::super) fn earliest_to_begin(&self) -> NumericDate {
        self.read_at.saturating_add(self.ended.elapsed().min(self.read_within))
    }

    /// Returns the latest time that it may be.
    pub(in super::super) fn latest(&self, clock: &dyn Clock) -> NumericDate {
        self.read_at.saturating_add(self.began.elapsed(clock))
    }

    /// Returns whether the keys are up to date.
    pub(in super::super) fn is_recent(&self, clock: &dyn Clock) -> bool {
        self.began.elapsed(clock) <= self.read_within
    }
}
