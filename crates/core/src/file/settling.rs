//! When a changed file counts as complete.

use std::time::Duration;

use crate::NumericDate;

/// For how long a changed file must stay the same before it is adopted.
///
/// Two equal looks prove only that the writer wrote nothing in between. A second is longer than the
/// pauses of a writer that is at work; only a rename is safe from a writer that hangs.
pub const SETTLED: Duration = Duration::from_secs(1);

/// Measures for how long looks have found the same.
#[derive(Debug)]
pub struct Settling<T> {
    seen: Option<(T, NumericDate)>,
}

impl<T> Default for Settling<T> {
    fn default() -> Self {
        Self { seen: None }
    }
}

impl<T: PartialEq> Settling<T> {
    /// Returns the time since the first of the looks in a row that found exactly this. Zero at a change,
    /// and when the clock went back, because then nothing is known about the time between the looks.
    pub fn unchanged_for(&mut self, found: T, now: NumericDate) -> Duration {
        match &self.seen {
            Some((seen, since)) if *seen == found && *since <= now => now.saturating_since(*since),
            _ => {
                self.seen = Some((found, now));
                Duration::ZERO
            }
        }
    }

    /// Ends the wait: what is there was adopted, or the change is gone.
    pub fn end(&mut self) {
        self.seen = None;
    }

    /// Returns whether a change waits to be adopted.
    pub fn is_waiting(&self) -> bool {
        self.seen.is_some()
    }
}
