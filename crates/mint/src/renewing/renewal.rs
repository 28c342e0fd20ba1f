//! The one renewal that is under way, and how the last one ended.

use std::{sync::Arc, time::Duration};

use portcullis_jose::NumericDate;
use tokio::sync::watch;

use super::{IssuedToken, Shared, TokenError, jitter::jitter, metrics};

pub(super) type Outcome = Result<IssuedToken, TokenError>;

/// What is known of renewals.
#[derive(Debug, Default)]
pub(super) struct Renewals {
    /// Tells the outcome of the one that is under way. It closes without one where that was dropped.
    pub(super) in_progress: Option<watch::Receiver<Option<Outcome>>>,
    pub(super) failure: Option<Failure>,
    /// When a token was discarded.
    pub(super) discarded_at: Option<NumericDate>,
    /// How often a token was discarded or replaced. A renewal that began before has no effect.
    generation: u64,
}

/// How the last one failed, and until when no other begins.
#[derive(Debug)]
pub(super) struct Failure {
    error: TokenError,
    at: NumericDate,
    /// Doubled with each failure.
    backoff: Duration,
    pause: Duration,
}

/// How long after a token was discarded no other is: a server that rejects every token must not cause a request to
/// the source for each of its responses.
const DISCARD_PAUSE: Duration = Duration::from_secs(30);

impl Renewals {
    /// Returns whether a token may be discarded now, and records that it is.
    pub(super) fn may_discard(&mut self, now: NumericDate) -> bool {
        // A clock that was set back ends the pause.
        let is_pause = |at: NumericDate| at <= now && now < at.saturating_add(DISCARD_PAUSE);
        if self.discarded_at.is_some_and(is_pause) {
            return false;
        }
        self.discarded_at = Some(now);
        true
    }

    /// Takes the effect from the renewal that is in progress: what began before a token was discarded or replaced must
    /// not undo it. Calls that wait for it begin or join another one.
    pub(super) fn supersede(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.in_progress = None;
    }
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Short beside the margin, because while no token is good every call fails until the next try.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Failure {
    fn after(last: Option<&Self>, error: TokenError, now: NumericDate, draw: u32) -> Self {
        let doubled = |last: &Self| last.backoff.saturating_mul(2).min(LONGEST_PAUSE);
        let backoff = last.map_or(FIRST_PAUSE, doubled);
        let pause = backoff.max(error.retry_after().unwrap_or_default());
        Self { error, at: now, backoff, pause: pause.saturating_add(jitter(pause / 4, draw)) }
    }

    /// Returns the error as long as no other renewal may begin. A clock that was set back ends the pause.
    pub(super) fn pauses(&self, now: NumericDate) -> Option<&TokenError> {
        let is_pause = self.at <= now && now < self.at.saturating_add(self.pause);
        is_pause.then_some(&self.error)
    }
}

/// A renewal. Whoever holds it carries it out; where it is dropped before its end, the next who needs a
/// token begins another.
#[derive(Debug)]
pub(super) struct Renewal {
    shared: Arc<Shared>,
    generation: u64,
    outcome: watch::Sender<Option<Outcome>>,
}

impl Renewal {
    pub(super) fn begin(shared: &Arc<Shared>, renewals: &mut Renewals) -> Self {
        let (outcome, in_progress) = watch::channel(None);
        renewals.in_progress = Some(in_progress);
        Self { shared: Arc::clone(shared), generation: renewals.generation, outcome }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Option<Outcome>> {
        self.outcome.subscribe()
    }

    pub(super) async fn run(self) {
        let brought = self.shared.request_token().await;
        let outcome = match brought {
            Ok(cached) => {
                let token = cached.token.clone();
                let mut renewals = self.shared.lock();
                if self.is_superseded(&renewals) {
                    return;
                }
                metrics::renewed(&self.shared.name, "success", cached.expiry());
                renewals.failure = None;
                self.shared.cached.store(Some(Arc::new(cached)));
                Ok(token)
            }
            Err(error) => {
                metrics::failed(&self.shared.name);
                self.shared.report(&error);
                let now = self.shared.clock.now();
                let mut renewals = self.shared.lock();
                if self.is_superseded(&renewals) {
                    return;
                }
                let draw = (self.shared.draw)();
                let failure = Failure::after(renewals.failure.as_ref(), error.clone(), now, draw);
                renewals.failure = Some(failure);
                Err(error)
            }
        };
        self.outcome.send_replace(Some(outcome));
    }

    /// Returns whether a token was discarded or replaced since this began.
    fn is_superseded(&self, renewals: &Renewals) -> bool {
        renewals.generation != self.generation
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        // Here, so that it happens once, and in the end, however that comes. Those who wait hear of it
        // afterwards.
        let mut renewals = self.shared.lock();
        if !self.is_superseded(&renewals) {
            renewals.in_progress = None;
        }
    }
}
