//! The limit for look-ups of names that no verified token has carried.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Notify, Semaphore};

use crate::{Clock, NumericDate};

/// The number of look-ups that may start at once.
const BURST: u32 = 10;

/// One more look-up may start after each of these times.
const INTERVAL: Duration = Duration::from_secs(1);

/// The number of requests that may wait for a look-up of another name to end.
const MAX_WAITING: usize = 1_000;

/// A token bucket for look-ups of unverified names.
///
/// A look-up that leads to a verified token is refunded. So a service that starts anew learns all of its
/// tenants at the speed of the database, and only names that lead to nothing use the bucket up.
#[derive(Debug)]
pub(super) struct LookupBudget {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// The head of the queue alone waits for look-ups to end, so that requests go on in order.
    head: Semaphore,
    waiting: Semaphore,
    /// Notified when a look-up has ended, or was refunded.
    ended: Notify,
}

#[derive(Debug)]
struct State {
    /// When the bucket is full again, if nothing more is paid.
    full_at: NumericDate,
    under_way: usize,
}

/// A look-up that was paid for and whose outcome is open: no token was verified or rejected yet.
#[derive(Debug)]
pub(super) struct Permit(Arc<LookupBudget>);

enum Payment {
    Paid,
    /// The bucket is empty. A look-up that is under way may be refunded.
    MayBeRefunded,
    Empty,
}

impl LookupBudget {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::new(State { full_at: NumericDate::EPOCH, under_way: 0 }),
            head: Semaphore::new(1),
            waiting: Semaphore::new(MAX_WAITING),
            ended: Notify::new(),
        }
    }

    /// Pays for a look-up. If the bucket is empty, waits while look-ups that are under way may be
    /// refunded; `None` if nothing was paid.
    pub(super) async fn pay(self: &Arc<Self>) -> Option<Permit> {
        let _waiting = self.waiting.try_acquire().ok()?;
        // An error is impossible: the semaphore is never closed.
        let _head = self.head.acquire().await;
        loop {
            match self.try_pay() {
                Payment::Paid => return Some(Permit(Arc::clone(self))),
                Payment::Empty => return None,
                Payment::MayBeRefunded => self.ended.notified().await,
            }
        }
    }

    fn try_pay(&self) -> Payment {
        let now = self.clock.now();
        let mut state = self.lock();
        let latest = now.saturating_add(INTERVAL * BURST);
        // If the clock was ahead, the bucket counts as empty now and fills from now on.
        let full_at = state.full_at.min(latest).max(now).saturating_add(INTERVAL);
        if full_at > latest {
            state.full_at = state.full_at.min(latest);
            return if state.under_way > 0 { Payment::MayBeRefunded } else { Payment::Empty };
        }
        state.full_at = full_at;
        state.under_way = state.under_way.saturating_add(1);
        Payment::Paid
    }

    /// Gives back what was paid for a look-up that led to a verified token.
    pub(super) fn refund(&self) {
        let mut state = self.lock();
        state.full_at = state.full_at.saturating_sub(INTERVAL);
        drop(state);
        self.ended.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.under_way = state.under_way.saturating_sub(1);
        drop(state);
        self.0.ended.notify_one();
    }
}
