//! A map of limited size.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

use foldhash::fast::RandomState;

/// A map of limited size: a new entry takes the place of the oldest one. No operation walks the map.
#[derive(Debug)]
pub(crate) struct BoundedMap<K, V> {
    // Seeded at random, because keys may come from clients.
    entries: HashMap<K, Entry<V>, RandomState>,
    /// The keys in the order of insertion. An entry that was removed or replaced leaves its old place
    /// behind, which a later insertion drops.
    order: VecDeque<(K, u64)>,
    capacity: usize,
    insertions: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    insertion: u64,
}

impl<K: Clone + Eq + Hash, V> BoundedMap<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::default(),
            order: VecDeque::new(),
            capacity: capacity.max(1),
            insertions: 0,
        }
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entries.get(key).map(|entry| &entry.value)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        while self.order.len() >= self.capacity {
            self.drop_oldest();
        }
        self.insertions = self.insertions.wrapping_add(1);
        let insertion = self.insertions;
        self.order.push_back((key.clone(), insertion));
        self.entries.insert(key, Entry { value, insertion });
    }

    pub(crate) fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entries.remove(key).map(|entry| entry.value)
    }

    fn drop_oldest(&mut self) {
        let Some((key, insertion)) = self.order.pop_front() else { return };
        if self.entries.get(&key).is_some_and(|entry| entry.insertion == insertion) {
            self.entries.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_entry_takes_the_place_of_the_oldest() {
        let mut map = BoundedMap::new(3);
        for number in 0..10 {
            map.insert(number, number);
        }
        let left: Vec<_> = (0..10).filter(|number| map.get(number).is_some()).collect();
        assert_eq!(left, [7, 8, 9]);
    }

    #[test]
    fn an_entry_that_is_replaced_is_as_old_as_its_last_insertion() {
        let mut map = BoundedMap::new(3);
        for number in [0, 1, 0, 2] {
            map.insert(number, number);
        }
        assert_eq!((map.get(&0), map.get(&1), map.get(&2)), (Some(&0), Some(&1), Some(&2)));
        map.insert(3, 3);
        assert_eq!((map.get(&0), map.get(&1)), (Some(&0), None));
    }

    #[test]
    fn stays_within_its_limit_whatever_is_inserted_and_removed() {
        let mut map = BoundedMap::new(4);
        for number in 0..1_000_u32 {
            map.insert(number % 7, number);
            if number % 3 == 0 {
                map.remove(&(number % 7));
            }
            assert!(map.order.len() <= 4 && map.entries.len() <= map.order.len());
        }
    }
}
