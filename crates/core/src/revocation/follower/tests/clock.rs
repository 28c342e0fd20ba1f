//! A clock that a test moves. The one of the testkit is of another crate.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex},
    task::{Poll, Waker},
    time::Duration,
};

use crate::{BoxFuture, Clock, NumericDate};

/// A sleep ends when the clock has moved forward by its duration, as with a real clock.
#[derive(Clone, Debug)]
pub(super) struct ManualClock(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    now: NumericDate,
    elapsed: Duration,
    sleepers: Vec<Waker>,
}

impl ManualClock {
    pub(super) fn at(now: NumericDate) -> Self {
        let state = State { now, elapsed: Duration::ZERO, sleepers: Vec::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Lets time pass.
    pub(super) fn advance(&self, duration: Duration) {
        let mut state = self.0.lock().unwrap();
        state.now = state.now.saturating_add(duration);
        state.elapsed += duration;
        state.sleepers.drain(..).for_each(Waker::wake);
    }

    /// Sets the clock, without any time passing.
    pub(super) fn set(&self, now: NumericDate) {
        self.0.lock().unwrap().now = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> NumericDate {
        self.0.lock().unwrap().now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let until = self.0.lock().unwrap().elapsed + duration;
        Box::pin(poll_fn(move |cx| {
            let mut state = self.0.lock().unwrap();
            if state.elapsed >= until {
                return Poll::Ready(());
            }
            state.sleepers.push(cx.waker().clone());
            Poll::Pending
        }))
    }
}
