//! Pays for the fetches that tokens cause.

use std::time::Duration;

use crate::NumericDate;

/// A token bucket. It pays when a fetch starts and not when the fetch succeeds, so that a source that
/// fails is not fetched more often than one that answers.
#[derive(Debug)]
pub(super) struct Bucket {
    capacity: u32,
    refill: Duration,
    left: u32,
    /// Up to when refills are counted.
    since: NumericDate,
}

impl Bucket {
    /// Creates a full bucket that regains one payment in each period.
    pub(super) fn new(capacity: u32, refill: Duration, now: NumericDate) -> Self {
        Self { capacity, refill, left: capacity, since: now }
    }

    /// Pays for one fetch, if anything is left. An empty bucket has paid for one within the last period:
    /// the rule for unknown keys relies on this.
    pub(super) fn take(&mut self, now: NumericDate) -> bool {
        // After a clock step into the past, the old time would keep the bucket empty until it returns.
        self.since = self.since.min(now);
        while self.left < self.capacity && now.saturating_since(self.since) >= self.refill {
            self.left += 1;
            self.since = self.since.saturating_add(self.refill);
        }
        if self.left == self.capacity {
            self.since = now;
        }
        let pays = self.left > 0;
        self.left = self.left.saturating_sub(1);
        pays
    }

    #[cfg(test)]
    pub(super) fn fill(&mut self) {
        self.left = self.capacity;
    }
}
