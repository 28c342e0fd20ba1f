//! The entries of the last minutes, which a store may lose.

use std::{
    collections::{HashMap, HashSet, VecDeque, hash_map::IntoValues},
    time::Duration,
};

use crate::{NumericDate, revocation::Revocation};

/// How long an entry is kept whole. A store that loses more than that is beyond help.
const KEPT_FOR: Duration = Duration::from_secs(10 * 60);

/// How many entries are kept whole.
const MAX_KEPT: usize = 10_000;

/// The entries of the last minutes. The set has only their hashes, from which they cannot be written back.
#[derive(Debug, Default)]
pub(super) struct Recent {
    entries: HashSet<Revocation>,
    /// The oldest first.
    order: VecDeque<(NumericDate, Revocation)>,
}

impl Recent {
    /// Keeps entries. One that is there already does not become younger: a store may return it again and
    /// again.
    pub(super) fn add(&mut self, entries: &[Revocation], now: NumericDate) {
        for entry in entries {
            if !self.entries.contains(entry) {
                self.entries.insert(entry.clone());
                self.order.push_back((now, entry.clone()));
            }
        }
        self.forget_old(now);
    }

    fn forget_old(&mut self, now: NumericDate) {
        let is_old = |order: &VecDeque<(NumericDate, Revocation)>| {
            order.len() > MAX_KEPT
                || order.front().is_some_and(|(at, _)| now.saturating_since(*at) > KEPT_FOR)
        };
        while is_old(&self.order)
            && let Some((_, entry)) = self.order.pop_front()
        {
            self.entries.remove(&entry);
        }
    }

    /// Returns the entries that a store should have, before any was seen in it: those kept here, and earlier
    /// ones that could not be written back yet.
    pub(super) fn missing(&mut self, unwritten: Vec<Revocation>, now: NumericDate) -> Missing {
        self.forget_old(now);
        let kept = self.order.iter().rev().map(|(_, entry)| entry.clone());
        let mut missing = Missing::default();
        for entry in kept.chain(unwritten).take(MAX_KEPT) {
            missing.add(entry);
        }
        missing
    }
}

/// The recent entries that were not seen in the store.
#[derive(Debug, Default)]
pub(super) struct Missing(HashMap<Key, Revocation>);

/// Kind, issuer and id.
type Key = (&'static str, Box<str>, Box<str>);

impl Missing {
    fn add(&mut self, entry: Revocation) {
        self.0.entry(key(&entry)).and_modify(|old| old.merge(&entry)).or_insert(entry);
    }

    /// Removes the entries that the store has.
    pub(super) fn remove(&mut self, seen: &[Revocation]) {
        if self.0.is_empty() {
            return;
        }
        for seen in seen {
            let key = key(seen);
            if self.0.get(&key).is_some_and(|missing| covers(seen, missing)) {
                self.0.remove(&key);
            }
        }
    }
}

impl IntoIterator for Missing {
    type Item = Revocation;
    type IntoIter = IntoValues<Key, Revocation>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_values()
    }
}

fn key(entry: &Revocation) -> Key {
    (entry.revoked.kind(), entry.issuer.clone(), entry.revoked.id().into())
}

/// Returns whether one entry holds for as many tokens, and for as long, as another of the same kind and id.
fn covers(entry: &Revocation, other: &Revocation) -> bool {
    let lasts = entry.until.is_none_or(|until| other.until.is_some_and(|other| other <= until));
    lasts && entry.revoked.issued_until() >= other.revoked.issued_until()
}
