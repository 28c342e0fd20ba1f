//! A clock that stands still until a test moves it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis::{Clock, NumericDate};

/// A clock that stands still until a test moves it. Clones show the same time.
///
/// Whoever waits for a time sleeps until the clock is moved there.
#[derive(Clone, Debug)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    now: NumericDate,
    sleepers: Vec<std::task::Waker>,
}

impl ManualClock {
    /// Creates a clock that shows this time.
    #[must_use]
    pub fn at(now: NumericDate) -> Self {
        let state = State { now, sleepers: Vec::new() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Moves the clock on.
    pub fn advance(&self, duration: Duration) {
        self.set(self.now().saturating_add(duration));
    }

    /// Moves the clock to a time, which may be an earlier one.
    pub fn set(&self, now: NumericDate) {
        let mut state = self.lock();
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

    fn sleep(&self, duration: Duration) -> portcullis::BoxFuture<'_, ()> {
        self.sleep_until(self.now().saturating_add(duration))
    }

    fn sleep_until(&self, deadline: NumericDate) -> portcullis::BoxFuture<'_, ()> {
        Box::pin(std::future::poll_fn(move |cx| {
            let mut state = self.lock();
            if state.now >= deadline {
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
