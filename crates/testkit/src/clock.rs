//! A clock that stands still until a test moves it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis::{NumericDate, clock::Clock};

/// A clock that stands still until a test moves it. Clones show the same time.
///
/// A sleep ends when the clock has moved forward by its duration. As with a real clock, a step into the
/// past does not prolong a sleep.
#[derive(Clone, Debug)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    now: NumericDate,
    /// How far the clock has moved forward in all.
    elapsed: Duration,
    sleepers: Vec<std::task::Waker>,
}

impl ManualClock {
    /// Creates a clock that shows this time.
    #[must_use]
    pub fn at(now: NumericDate) -> Self {
        let state = State { now, elapsed: Duration::ZERO, sleepers: Vec::new() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Moves the clock on.
    pub fn advance(&self, duration: Duration) {
        self.set(self.now().saturating_add(duration));
    }

    /// Moves the clock to a time, which may be an earlier one.
    pub fn set(&self, now: NumericDate) {
        let mut state = self.lock();
        let forward = now.saturating_since(state.now);
        state.elapsed = state.elapsed.saturating_add(forward);
        state.now = now;
        for sleeper in std::mem::take(&mut state.sleepers) {
            sleeper.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> NumericDate {
        self.lock().now
    }

    fn sleep(&self, duration: Duration) -> portcullis::future::BoxFuture<'_, ()> {
        let until = self.lock().elapsed.saturating_add(duration);
        Box::pin(std::future::poll_fn(move |cx| {
            let mut state = self.lock();
            if state.elapsed >= until {
                return std::task::Poll::Ready(());
            }
            // Each is woken at every move, and looks again.
            if !state.sleepers.iter().any(|sleeper| sleeper.will_wake(cx.waker())) {
                state.sleepers.push(cx.waker().clone());
            }
            std::task::Poll::Pending
        }))
    }
}
