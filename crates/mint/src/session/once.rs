//! One renewal of a token at a time, and none soon after it.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis::{NumericDate, Principal};

/// How long after its renewal a token is not renewed again. A response that is lost must not lose the session, so
/// that a later request with the old token gets another new one.
pub(super) const PAUSE: Duration = Duration::from_secs(10);

/// How many renewals are remembered. With more than that within the pause, the oldest is forgotten, and its token
/// may be renewed twice, which is harmless.
const CAPACITY: usize = 10_000;

/// The renewals of this process that are under way or were made a short time ago.
#[derive(Debug, Default)]
pub(super) struct Renewals {
    // Seeded at random, because ids may be chosen by clients. Of the key of a token only the hash is kept.
    hasher: RandomState,
    recent: Mutex<Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    /// Until when each token is not renewed.
    pauses: HashMap<u64, NumericDate>,
    /// The same, in order. What was released or replaced is still here.
    order: VecDeque<(u64, NumericDate)>,
}

impl Renewals {
    /// Starts the renewal of a caller's token; `None` if it is under way, or was made a short time ago.
    pub(super) fn start(self: &Arc<Self>, caller: &Principal, now: NumericDate) -> Option<Renewal> {
        let dates = (caller.issued_at(), caller.expires_at());
        let token = (caller.issuer(), caller.subject(), caller.token_id(), dates);
        let key = self.hasher.hash_one(token);
        let started = self.lock().start(key, now);
        started.then(|| Renewal { renewals: Arc::clone(self), key, is_made: false })
    }

    fn lock(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn start(&mut self, key: u64, now: NumericDate) -> bool {
        let until = now.saturating_add(PAUSE);
        // A clock that was set back must not prolong the pause.
        let pauses = |end: &NumericDate| *end > now && *end <= until;
        if self.pauses.get(&key).is_some_and(pauses) {
            return false;
        }
        while self.order.front().is_some_and(|(_, end)| !pauses(end))
            || self.order.len() >= CAPACITY
        {
            self.forget_oldest();
        }
        self.pauses.insert(key, until);
        self.order.push_back((key, until));
        true
    }

    fn forget_oldest(&mut self) {
        let Some((key, end)) = self.order.pop_front() else { return };
        if self.pauses.get(&key) == Some(&end) {
            self.pauses.remove(&key);
        }
    }
}

/// A renewal that is under way. If it is dropped before it is made, another request may renew the token.
pub(super) struct Renewal {
    renewals: Arc<Renewals>,
    key: u64,
    is_made: bool,
}

impl Renewal {
    /// Notes that the token is renewed, by this process or by another one.
    pub(super) fn made(mut self) {
        self.is_made = true;
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        if !self.is_made {
            self.renewals.lock().pauses.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> NumericDate {
        NumericDate::from_seconds(seconds)
    }

    #[test]
    fn a_token_is_renewed_again_after_the_pause_or_if_the_clock_was_set_back() {
        let mut recent = Recent::default();
        assert!(recent.start(1, at(100)));
        assert!(!recent.start(1, at(100)));
        assert!(!recent.start(1, at(109)));
        assert!(recent.start(2, at(109)));
        assert!(recent.start(1, at(110)));
        assert!(!recent.start(1, at(111)));
        assert!(recent.start(1, at(50)));
    }

    #[test]
    fn memory_is_bounded() {
        let mut recent = Recent::default();
        for key in 0..50_000 {
            assert!(recent.start(key, at(100)));
            assert!(recent.pauses.len() <= CAPACITY && recent.order.len() <= CAPACITY);
        }
        assert!(!recent.start(49_999, at(100)));
        assert!(recent.start(0, at(100)), "the oldest is forgotten");
        assert!(recent.start(0, at(200)));
        assert_eq!((recent.pauses.len(), recent.order.len()), (1, 1));
    }
}
