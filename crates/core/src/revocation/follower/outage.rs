//! A store that fails, and when it is called again.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

#[cfg(feature = "tracing")]
use crate::error::OneLine;
use crate::{metrics, revocation::StoreError};

const FIRST_BACKOFF: Duration = Duration::from_millis(100);

/// The longest pause between two attempts: how long a replica may take to notice that a store is back.
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// Calls that fail one after the other.
#[derive(Debug)]
pub(super) struct Outage {
    /// What cannot be done meanwhile, for the log.
    purpose: &'static str,
    failures: u32,
    jitter: Jitter,
}

impl Outage {
    pub(super) fn new(purpose: &'static str) -> Self {
        Self { purpose, failures: 0, jitter: Jitter::default() }
    }

    /// Returns how long to wait after a failure. The first one is logged, and the success after it.
    pub(super) fn pause_after(
        &mut self,
        outcome: &Result<(), StoreError>,
        store: &str,
    ) -> Option<Duration> {
        let Err(error) = outcome else {
            if self.failures > 0 {
                log_recovery(self.purpose, store);
            }
            self.failures = 0;
            return None;
        };
        metrics::store_failed(store);
        if self.failures == 0 {
            log_failure(self.purpose, store, error);
        }
        let backoff = FIRST_BACKOFF.saturating_mul(1 << self.failures.min(6)).min(MAX_BACKOFF);
        self.failures = self.failures.saturating_add(1);
        Some(self.jitter.below(backoff))
    }
}

/// Durations at random, so that replicas do not call a store in step.
#[derive(Debug, Default)]
pub(super) struct Jitter {
    random: RandomState,
    drawn: u64,
}

impl Jitter {
    /// Returns between half of a duration and all of it.
    pub(super) fn below(&mut self, duration: Duration) -> Duration {
        duration.saturating_mul(500 + self.draw(501)) / 1000
    }

    /// Returns a duration that differs by up to 10 %.
    pub(super) fn around(&mut self, duration: Duration) -> Duration {
        duration.saturating_mul(900 + self.draw(201)) / 1000
    }

    fn draw(&mut self, count: u64) -> u32 {
        self.drawn = self.drawn.wrapping_add(1);
        u32::try_from(self.random.hash_one(self.drawn) % count).unwrap_or_default()
    }
}

#[cfg(feature = "tracing")]
fn log_failure(purpose: &str, store: &str, error: &StoreError) {
    let cause = std::error::Error::source(error).map(OneLine).map(tracing::field::display);
    let error = OneLine(error);
    tracing::warn!(target: "portcullis::revocation", store, cause, "cannot {purpose}: {error}");
}

#[cfg(not(feature = "tracing"))]
fn log_failure(_: &str, _: &str, _: &StoreError) {}

#[cfg(feature = "tracing")]
fn log_recovery(purpose: &str, store: &str) {
    tracing::info!(target: "portcullis::revocation", store, "can {purpose} again");
}

#[cfg(not(feature = "tracing"))]
fn log_recovery(_: &str, _: &str) {}

/// The store cannot return what follows a position.
#[cfg(feature = "tracing")]
pub(super) fn position_lost(store: &str) {
    tracing::warn!(
        target: "portcullis::revocation",
        store,
        "the store may have lost entries: all are read again, and those of the last minutes that it \
         lacks are written back"
    );
}

#[cfg(not(feature = "tracing"))]
pub(super) fn position_lost(_: &str) {}
