//! Finding entries by name without a lock, on every request.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use smallvec::SmallVec;

/// Up to this many names a walk along the list beats hashing.
const LIST_LIMIT: usize = 8;

/// From names to the positions that have them, in order.
#[derive(Clone, Debug)]
pub(crate) enum NameIndex {
    List(Vec<(Box<str>, Positions)>),
    // Seeded at random, so that nobody can choose names that collide.
    Map(HashMap<Box<str>, Positions, RandomState>),
}

type Positions = SmallVec<[usize; 2]>;

impl NameIndex {
    pub(crate) fn new<'a>(names: impl Iterator<Item = (usize, &'a str)>) -> Self {
        let mut list: Vec<(Box<str>, Positions)> = Vec::new();
        let mut sorted: Vec<_> = names.collect();
        sorted.sort_by_key(|&(_, name)| name);
        for (position, name) in sorted {
            match list.last_mut() {
                Some((last, positions)) if **last == *name => positions.push(position),
                _ => list.push((name.into(), SmallVec::from_slice(&[position]))),
            }
        }
        if list.len() <= LIST_LIMIT {
            Self::List(list)
        } else {
            Self::Map(list.into_iter().collect())
        }
    }

    /// Returns the positions of a name, none if nothing has it.
    pub(crate) fn get(&self, name: &str) -> &[usize] {
        let found = match self {
            Self::List(list) => {
                list.iter().find(|(own, _)| **own == *name).map(|(_, positions)| positions)
            }
            Self::Map(map) => map.get(name),
        };
        found.map_or(&[], SmallVec::as_slice)
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::List(list) => list.is_empty(),
            Self::Map(map) => map.is_empty(),
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
