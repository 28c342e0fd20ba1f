//! When expired entries are deleted.

use std::time::Duration;

use crate::NumericDate;

/// How often expired entries are deleted.
pub(super) const EVERY: Duration = Duration::from_secs(60);

/// The most batches of the store in one clean-up.
pub(super) const BATCHES: usize = 100;

/// How long ago an entry must have expired: the clock of another replica may be behind.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// The farthest that the time moves from one clean-up to the next.
const MAX_STEP: Duration = Duration::from_secs(2 * 60);

/// The time of the clean-up.
///
/// What is deleted is gone for all replicas. If the clock of one is set forward by mistake, it must not delete
/// what others need, nor what this replica needs when its clock is set back. So the time follows the clock
/// by at most two minutes at each clean-up, which is twice as fast as a correct clock. A clock that is wrong
/// from the start of the process is not noticed.
#[derive(Debug)]
pub(super) struct CleanUpTime(NumericDate);

impl CleanUpTime {
    pub(super) fn starting_at(now: NumericDate) -> Self {
        Self(now)
    }

    /// Returns the time before which an entry must have expired to be deleted now. Called at each clean-up.
    pub(super) fn before(&mut self, now: NumericDate) -> NumericDate {
        self.0 = now.min(self.0.saturating_add(MAX_STEP));
        self.0.saturating_sub(MARGIN)
    }
}
