//! Keys with the time when they expire.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

use crate::NumericDate;

/// Keys with the time when they expire. No operation walks all of them.
#[derive(Debug)]
pub(super) struct Expiring<K> {
    until: HashMap<K, NumericDate>,
    order: BTreeSet<(NumericDate, K)>,
}

impl<K> Default for Expiring<K> {
    fn default() -> Self {
        Self { until: HashMap::new(), order: BTreeSet::new() }
    }
}

impl<K: Clone + Eq + Hash + Ord> Expiring<K> {
    pub(super) fn len(&self) -> usize {
        self.until.len()
    }

    pub(super) fn until(&self, key: &K) -> Option<NumericDate> {
        self.until.get(key).copied()
    }

    /// Inserts a key, or replaces its time.
    pub(super) fn insert(&mut self, key: K, until: NumericDate) {
        self.remove(&key);
        self.order.insert((until, key.clone()));
        self.until.insert(key, until);
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some((key, until)) = self.until.remove_entry(key) {
            self.order.remove(&(until, key));
        }
    }

    /// Removes keys that expire before a time, the earliest first, and returns them.
    pub(super) fn take_expired(&mut self, before: NumericDate, most: usize) -> Vec<K> {
        let mut taken = Vec::new();
        while taken.len() < most
            && self.order.first().is_some_and(|(until, _)| *until < before)
            && let Some((_, key)) = self.order.pop_first()
        {
            self.until.remove(&key);
            taken.push(key);
        }
        taken
    }
}
