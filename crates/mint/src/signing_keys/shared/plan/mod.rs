//! What has to be done with the keys of a store, next.
//!
//! ```text
//!   no next key ──► generate one ──► it was read from the store ──► it gets its times ──► it signs ──► it retires
//!                   (no times)       (so no later read lacks it)                                      and is deleted
//! ```
//!
//! A next key is made as soon as the current one begins to sign. So an outage of the store delays a rotation only if
//! it is longer than the time for which a key signs.

#[cfg(test)]
mod tests;

use std::time::Duration;

use portcullis_jose::NumericDate;

use super::{super::ring::LEEWAY, KeyTimes, StoredKey, StoredKeys};

/// How long it takes at most until an engine of a replica has a key that the ring has: it reads the ring every
/// second.
const ENGINE: Duration = Duration::from_secs(2);

/// When keys are read, published, and replaced. All replicas must have the same settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) read_every: Duration,
    pub(super) publish_ahead: Duration,
    pub(super) rotate_every: Duration,
    pub(super) max_lifetime: Duration,
}

impl Timing {
    /// Returns how often a replica reads the store at least. Between the beginnings of two reads there are a call,
    /// which takes at most `read_every`, a pause, which does so too, and a call that failed.
    pub(super) fn read_within(&self) -> Duration {
        self.read_every.saturating_mul(3)
    }

    /// Returns how long it takes until all replicas publish a key, and their engines accept its tokens.
    pub(super) fn spread(&self) -> Duration {
        self.read_within().saturating_add(ENGINE)
    }

    /// Returns how long after it was read from the store a key may sign.
    pub(super) fn settled(&self) -> Duration {
        self.spread().saturating_add(self.publish_ahead)
    }

    /// Returns how long after it is due to retire a key is published: verifiers have the leeway, and the clock of the
    /// replica that signed may be ahead by as much.
    fn kept(&self) -> Duration {
        self.max_lifetime.saturating_add(LEEWAY.saturating_mul(2))
    }

    /// Returns how long an engine needs the keys of its last success while the store is away. The key that signs has
    /// begun within `read_within` after the last read, and signs for `rotate_every` and `spread`; then its last token
    /// has to expire.
    pub(super) fn max_stale(&self) -> Duration {
        let signs = self.rotate_every.saturating_add(self.spread().saturating_mul(2));
        signs.saturating_add(self.kept())
    }

    /// Returns how many keys there are at most while keys are replaced by schedule.
    pub(super) fn most_keys(&self) -> u128 {
        let published = self.spread().saturating_add(self.kept());
        // The current one, the next one, and one that is deleted a moment late.
        published.as_nanos().div_ceil(self.rotate_every.as_nanos().max(1)).saturating_add(3)
    }

    fn times(&self, published_from: NumericDate, signs_from: NumericDate) -> KeyTimes {
        // The next key signs from `rotate_every` on. Replicas begin with it at slightly different times.
        let signs_until =
            signs_from.saturating_add(self.rotate_every).saturating_add(self.spread());
        KeyTimes { published_from, signs_from, signs_until }
    }
}

/// What a replica has to do next.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Step {
    Nothing,
    /// Generate a key and add it.
    Make,
    /// Write this list of keys.
    Write(Vec<StoredKey>),
}

/// Sorts keys in the order in which they sign. Those without times are last.
pub(super) fn sort(keys: &mut [StoredKey]) {
    keys.sort_by(|a, b| {
        let order = |key: &StoredKey| (key.times.is_none(), key.times.map(|it| it.signs_from));
        order(a).cmp(&order(b)).then_with(|| a.id.cmp(&b.id))
    });
}

/// Decides what keeps the rotation going. The keys are sorted.
pub(super) fn next_step(state: &StoredKeys, timing: &Timing) -> Step {
    let now = state.read_at;
    if let Some(index) = state.keys.iter().position(|key| key.times.is_none()) {
        return Step::Write(schedule(state, index, timing, timing.rotate_every).0);
    }
    let has_next = state.keys.last().is_some_and(|newest| !has_begun(newest, now));
    if !has_next {
        return Step::Make;
    }
    let kept = without_expired(state, timing);
    if kept.len() < state.keys.len() { Step::Write(kept) } else { Step::Nothing }
}

/// Decides what replaces the current key as soon as possible. With the list comes the time from which the next key
/// signs. `None` if there is no next key. The keys are sorted.
pub(super) fn hurry(state: &StoredKeys, timing: &Timing) -> Option<(Vec<StoredKey>, NumericDate)> {
    let now = state.read_at;
    let index = state.keys.iter().position(|key| !has_begun(key, now))?;
    let Some(times) = state.keys.get(index)?.times else {
        return Some(schedule(state, index, timing, Duration::ZERO));
    };
    let earliest = times.published_from.saturating_add(timing.settled()).max(now);
    let signs_from = whole_millis(earliest).min(times.signs_from);
    let mut keys = state.keys.clone();
    keys.get_mut(index)?.times = Some(timing.times(times.published_from, signs_from));
    Some((keys, signs_from))
}

/// How a key leaves the store before its time.
#[derive(Debug)]
pub(super) enum Removal {
    /// Add another key first.
    Make,
    /// Write this list first, so that another key has its times.
    Prepare(Vec<StoredKey>),
    /// Write this list.
    Write(Vec<StoredKey>),
}

/// Decides how a key is removed. `None` if it is not in the store. The keys are sorted.
pub(super) fn remove(state: &StoredKeys, id: &str, timing: &Timing) -> Option<Removal> {
    let is_removed = |key: &&StoredKey| *key.id == *id;
    let removed = state.keys.iter().find(is_removed)?;
    let mut others = state.keys.iter().enumerate().filter(|(_, key)| !is_removed(key));
    let Some((index, _)) = others.next_back() else { return Some(Removal::Make) };
    // A key without times would be the first one of the store then, and would sign at once.
    if others.all(|(_, key)| key.times.is_none())
        && state.keys.get(index).is_some_and(|key| key.times.is_none())
    {
        return Some(Removal::Prepare(schedule(state, index, timing, Duration::ZERO).0));
    }
    let newest = state.keys.iter().rfind(|key| has_begun(key, state.read_at));
    let is_current = newest.is_some_and(|newest| newest == removed);
    let hurried = hurry(state, timing).filter(|_| is_current).map(|(keys, _)| keys);
    let mut keys = hurried.unwrap_or_else(|| state.keys.clone());
    keys.retain(|key| *key.id != *id);
    Some(Removal::Write(keys))
}

/// Returns whether the key signs or has signed.
pub(super) fn has_begun(key: &StoredKey, now: NumericDate) -> bool {
    key.times.is_some_and(|times| times.signs_from <= now)
}

/// Sets the times of a key that was read from the store.
fn schedule(
    state: &StoredKeys,
    index: usize,
    timing: &Timing,
    after_previous: Duration,
) -> (Vec<StoredKey>, NumericDate) {
    let now = whole_millis(state.read_at);
    let mut keys = state.keys.clone();
    let (before, rest) = keys.split_at_mut(index);
    let previous = before.last_mut().and_then(|key| key.times.as_mut());
    let signs_from = match &previous {
        // Nobody has read the ring before it had this key.
        None => now,
        Some(previous) => now
            .saturating_add(timing.settled())
            .max(previous.signs_from.saturating_add(after_previous)),
    };
    if let Some(previous) = previous {
        // A rotation that is late: the current key signs until it is replaced.
        let replaced = signs_from.saturating_add(timing.spread());
        previous.signs_until = previous.signs_until.max(replaced);
    }
    if let Some(key) = rest.first_mut() {
        key.times = Some(timing.times(now, signs_from));
    }
    (keys, signs_from)
}

/// Returns the keys without those whose last token has expired.
fn without_expired(state: &StoredKeys, timing: &Timing) -> Vec<StoredKey> {
    let now = state.read_at;
    let successors = state.keys.iter().skip(1).map(Some).chain([None]);
    let is_over = |key: &StoredKey| {
        key.times.is_some_and(|it| it.signs_until.saturating_add(timing.kept()) <= now)
    };
    let keys = state.keys.iter().zip(successors);
    let needed = keys.filter(|(key, successor)| {
        !(is_over(key) && successor.is_some_and(|successor| has_begun(successor, now)))
    });
    needed.map(|(key, _)| key.clone()).collect()
}

/// Rounds down, so that stores keep times exactly.
fn whole_millis(date: NumericDate) -> NumericDate {
    let since = date.saturating_since(NumericDate::EPOCH).as_millis();
    let since = Duration::from_millis(u64::try_from(since).unwrap_or(u64::MAX));
    NumericDate::EPOCH.saturating_add(since)
}
