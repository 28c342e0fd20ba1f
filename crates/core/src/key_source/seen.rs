//! The key ids that tokens have named lately and that the keys lacked.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use crate::NumericDate;

/// How long a key id is remembered.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);

/// How many key ids are remembered. A flood of 1,000 new ones a second still leaves 16 s to the second
/// use of a new key.
const MAX_REMEMBERED: usize = 16 * 1024;

/// Remembers missing key ids as hashes: they are hostile text of up to 256 bytes. The hash has a random
/// seed, so that no client can choose key ids with equal hashes. If two are equal by chance, one of the
/// key ids counts as seen before.
#[derive(Debug, Default)]
pub(super) struct SeenKeyIds {
    seed: RandomState,
    seen: HashMap<u64, Seen>,
    /// The hashes in `seen`, oldest first.
    order: VecDeque<u64>,
}

/// The first use of a key id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    at: NumericDate,
    /// The first fetch that began after it: what this one or a later one does not bring, the source
    /// does not have.
    pub(super) answered_by: u64,
}

impl SeenKeyIds {
    /// Returns the first use of a key id, or remembers this use as the first. Takes constant time.
    pub(super) fn first_use(
        &mut self,
        key_id: &str,
        next_fetch: u64,
        now: NumericDate,
    ) -> Option<Seen> {
        self.forget_old(now);
        let hash = self.seed.hash_one(key_id);
        let this = Seen { at: now, answered_by: next_fetch };
        if let Some(seen) = self.seen.get_mut(&hash) {
            if is_within(seen.at, now, REMEMBERED_FOR) {
                return Some(*seen);
            }
            *seen = this;
            return None;
        }
        if self.order.len() >= MAX_REMEMBERED {
            self.forget_oldest();
        }
        self.seen.insert(hash, this);
        self.order.push_back(hash);
        None
    }

    /// Forgets two at most: as each use adds one at most, this keeps up, and no request pays for a
    /// flood of the past.
    fn forget_old(&mut self, now: NumericDate) {
        for _ in 0..2 {
            let oldest = self.order.front().and_then(|hash| self.seen.get(hash));
            if oldest.is_some_and(|oldest| !is_within(oldest.at, now, REMEMBERED_FOR)) {
                self.forget_oldest();
            }
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(hash) = self.order.pop_front() {
            self.seen.remove(&hash);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }
}

/// Checks that two times are less than a period apart. The later one may come first: requests read the
/// clock before they get here, and a clock may be stepped back, after which older entries must not stay.
pub(super) fn is_within(a: NumericDate, b: NumericDate, period: Duration) -> bool {
    a.saturating_since(b).max(b.saturating_since(a)) < period
}
