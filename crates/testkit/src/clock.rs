//! A clock that stands still until a test moves it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis::{Clock, NumericDate};

/// A clock that stands still until a test moves it. Clones show the same time.
#[derive(Clone, Debug)]
pub struct ManualClock {
    now: Arc<Mutex<NumericDate>>,
}

impl ManualClock {
    /// Creates a clock that shows this time.
    #[must_use]
    pub fn at(now: NumericDate) -> Self {
        Self { now: Arc::new(Mutex::new(now)) }
    }

    /// Moves the clock on.
    pub fn advance(&self, duration: Duration) {
        self.set(self.now().saturating_add(duration));
    }

    /// Moves the clock to a time, which may be an earlier one.
    pub fn set(&self, now: NumericDate) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> NumericDate {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
