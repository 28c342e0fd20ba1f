//! Revocations in the order of their changes.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher, RandomState},
    ops::Bound,
};

use super::{MAX_DELETED, expiring::Expiring, full};
use crate::{
    NumericDate,
    revocation::{Changes, Position, Revocation, StoreError, StoreErrorKind},
};

/// How many entries a read returns.
const PAGE: usize = 10_000;

/// Revocations in the order of their changes. An entry that changes moves to the end.
#[derive(Debug)]
pub(super) struct Log {
    /// In each position, so that one of another process's store is not continued here.
    name: u64,
    last: u64,
    by_number: BTreeMap<u64, Revocation>,
    numbers: HashMap<Key, u64>,
    expiring: Expiring<u64>,
}

/// Kind, issuer and id.
type Key = (&'static str, Box<str>, Box<str>);

impl Default for Log {
    fn default() -> Self {
        Self {
            name: RandomState::new().hash_one(0_u8),
            last: 0,
            by_number: BTreeMap::new(),
            numbers: HashMap::new(),
            expiring: Expiring::default(),
        }
    }
}

impl Log {
    /// Adds all entries, or none if there would be too many.
    pub(super) fn add(
        &mut self,
        entries: &[Revocation],
        max_entries: usize,
    ) -> Result<(), StoreError> {
        let new = entries.iter().filter(|entry| !self.numbers.contains_key(&key(entry))).count();
        if new > 0 && self.numbers.len().saturating_add(new) > max_entries {
            return Err(full());
        }
        for entry in entries {
            self.add_one(entry.clone());
        }
        Ok(())
    }

    fn add_one(&mut self, mut entry: Revocation) {
        let key = key(&entry);
        if let Some(old) = self.numbers.get(&key).copied()
            && let Some(old_entry) = self.by_number.get(&old)
        {
            entry.merge(old_entry);
            if entry == *old_entry {
                return;
            }
            self.by_number.remove(&old);
            self.expiring.remove(&old);
        }
        self.last = self.last.saturating_add(1);
        if let Some(until) = entry.until {
            self.expiring.insert(self.last, until);
        }
        self.by_number.insert(self.last, entry);
        self.numbers.insert(key, self.last);
    }

    pub(super) fn read(&self, after: Option<&Position>) -> Result<Changes, StoreError> {
        let after = match after {
            Some(position) => self.number_of(position).ok_or_else(|| {
                StoreError::new(StoreErrorKind::PositionLost, "the position is of another store")
            })?,
            None => 0,
        };
        let mut following = self.by_number.range((Bound::Excluded(after), Bound::Unbounded));
        let page: Vec<_> = following.by_ref().take(PAGE).collect();
        let has_more = following.next().is_some();
        let last = match page.last() {
            Some((number, _)) if has_more => **number,
            _ => self.last,
        };
        let entries = page.into_iter().map(|(_, entry)| entry.clone()).collect();
        let changes = Changes::new(entries, Position::new(format!("{:016x}-{last}", self.name)));
        Ok(if has_more { changes.with_more() } else { changes })
    }

    fn number_of(&self, position: &Position) -> Option<u64> {
        let (name, number) = position.as_str().split_once('-')?;
        let is_ours = name == format!("{:016x}", self.name);
        number.parse().ok().filter(|number| is_ours && *number <= self.last)
    }

    pub(super) fn find(&self, wanted: &[Revocation]) -> Vec<Revocation> {
        let find = |wanted| self.by_number.get(self.numbers.get(&key(wanted))?).cloned();
        wanted.iter().filter_map(find).collect()
    }

    pub(super) fn delete_expired(&mut self, before: NumericDate) -> u64 {
        let expired = self.expiring.take_expired(before, MAX_DELETED);
        for number in &expired {
            if let Some(entry) = self.by_number.remove(number) {
                self.numbers.remove(&key(&entry));
            }
        }
        u64::try_from(expired.len()).unwrap_or(u64::MAX)
    }
}

fn key(entry: &Revocation) -> Key {
    (entry.revoked.kind(), entry.issuer.clone(), entry.revoked.id().into())
}
