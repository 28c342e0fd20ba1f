//! Finding entries by name without a lock, on every request.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

/// Up to this many names a walk along the list beats hashing.
const LIST_LIMIT: usize = 8;

/// From names to the positions that have them, in order.
#[derive(Clone, Debug)]
pub struct NameIndex(Inner);

#[derive(Clone, Debug)]
enum Inner {
    List(Vec<(Box<str>, Positions)>),
    // Seeded at random, so that nobody can choose names that collide.
    Map(HashMap<Box<str>, Positions, RandomState>),
}

type Positions = SmallVec<[usize; 2]>;

impl NameIndex {
    /// Creates the index of these positions and names.
    pub fn new<'a>(names: impl Iterator<Item = (usize, &'a str)>) -> Self {
        let mut list: Vec<(Box<str>, Positions)> = Vec::new();
        let mut sorted: Vec<_> = names.collect();
        sorted.sort_by_key(|&(_, name)| name);
        for (position, name) in sorted {
            match list.last_mut() {
                Some((last, positions)) if **last == *name => positions.push(position),
                _ => list.push((name.into(), SmallVec::from_slice(&[position]))),
            }
        }
        Self(if list.len() <= LIST_LIMIT {
            Inner::List(list)
        } else {
            Inner::Map(list.into_iter().collect())
        })
    }

    /// Returns the positions of a name, none if nothing has it.
    #[inline]
    #[must_use]
    pub fn get(&self, name: &str) -> &[usize] {
        let found = match &self.0 {
            Inner::List(list) => {
                list.iter().find(|(own, _)| **own == *name).map(|(_, positions)| positions)
            }
            Inner::Map(map) => map.get(name),
        };
        found.map_or(&[], SmallVec::as_slice)
    }

    /// Returns whether nothing has a name.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Inner::List(list) => list.is_empty(),
            Inner::Map(map) => map.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_position_of_a_name_in_short_and_long_lists() {
        for count in [0, 1, 8, 9, 100] {
            let names: Vec<String> = (0..count).map(|i| format!("name-{}", i % 50)).collect();
            let index = NameIndex::new(names.iter().map(String::as_str).enumerate());
            for name in &names {
                let expected: Vec<_> = (0..count).filter(|&i| names[i] == *name).collect();
                assert_eq!(index.get(name), expected);
            }
            assert_eq!(index.get("name-"), [0_usize; 0]);
            assert_eq!(index.is_empty(), count == 0);
        }
    }
}
