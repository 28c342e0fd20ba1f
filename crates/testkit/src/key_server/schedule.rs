//! Keys that are rotated when their time has come.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis::{Algorithm, NumericDate, clock::Clock};

use crate::TestIssuer;

/// An issuer whose key is replaced at intervals.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    pub(super) issuer: TestIssuer,
    algorithm: Algorithm,
    clock: Arc<dyn Clock>,
    every: Duration,
    next: Arc<Mutex<NumericDate>>,
}

impl Schedule {
    pub(super) fn new(
        issuer: TestIssuer,
        algorithm: Algorithm,
        clock: Arc<dyn Clock>,
        every: Duration,
    ) -> Self {
        let next = Arc::new(Mutex::new(clock.now().saturating_add(every)));
        Self { issuer, algorithm, clock, every, next }
    }

    /// Rotates the key if its time has come, once, however long ago that was. Tells whether it did.
    pub(super) fn turn(&self) -> bool {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        if now < *next {
            return false;
        }
        *next = now.saturating_add(self.every);
        // The key before this one stays published, until the next turn.
        self.issuer.retire_old_keys();
        self.issuer.rotate(self.algorithm);
        true
    }
}
