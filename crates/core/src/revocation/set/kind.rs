//! The entries of one kind.

use std::sync::{
    Arc,
    atomic::{
        AtomicUsize,
        Ordering::{Acquire, Release},
    },
};

use arc_swap::ArcSwap;

use super::{
    SetFull,
    fingerprint::Fingerprint,
    table::{Added, Entry, Table},
};

const MIN_SLOTS: usize = 16;

/// The largest table that is copied in less than a millisecond.
const MAX_QUICK_SLOTS: usize = 16 * 1024;

/// Tables that readers may still hold. They are dropped here, because it takes milliseconds to free a large
/// one, and a reader is a request.
pub(super) type Retired = Vec<Arc<Table>>;

/// The entries of one kind: a table that is replaced by a larger one when it is three quarters full.
///
/// A reader that took the table before it was replaced misses only what was added after that, so after its
/// look-up began.
#[derive(Debug)]
pub(super) struct KindSet {
    table: ArcSwap<Table>,
    len: AtomicUsize,
    has_cut_off: bool,
    max_entries: usize,
}

impl KindSet {
    pub(super) fn new(has_cut_off: bool, max_entries: usize) -> Self {
        Self {
            table: ArcSwap::from_pointee(Table::new(0, has_cut_off)),
            len: AtomicUsize::new(0),
            has_cut_off,
            max_entries,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len.load(Acquire)
    }

    /// Checks that this many entries can be added without copying a large table.
    pub(super) fn takes_quickly(&self, entries: usize) -> bool {
        let slots = self.table.load().slots();
        slots <= MAX_QUICK_SLOTS || self.len().saturating_add(entries) <= max_entries(slots)
    }

    /// Returns the cut-off time of an entry, or 0 for a kind without; `None` if there is no such entry.
    #[inline]
    pub(super) fn cut_off(&self, fingerprint: Fingerprint) -> Option<u64> {
        self.table.load().cut_off(fingerprint)
    }

    /// Adds an entry or merges it. Only one thread may do this at a time.
    pub(super) fn add(&self, entry: Entry, retired: &mut Retired) -> Result<(), SetFull> {
        let (len, table) = (self.len(), self.table.load());
        let is_at_limit = len >= max_entries(table.slots()).min(self.max_entries);
        if is_at_limit && table.cut_off(entry.fingerprint).is_none() {
            if len >= self.max_entries {
                return Err(SetFull);
            }
            self.replace(table.entries(), slots_for(len.saturating_add(1)), retired);
        }
        match self.table.load().add(entry) {
            Added::New => self.len.store(len.saturating_add(1), Release),
            Added::Merged => {}
            Added::Full => return Err(SetFull),
        }
        Ok(())
    }

    /// Drops the entries that are needed until an earlier time. Only one thread may do this at a time.
    pub(super) fn drop_expired(&self, now: u64, retired: &mut Retired) {
        let (len, table) = (self.len(), self.table.load());
        let live = || table.entries().filter(|entry| entry.times.until >= now);
        let count = live().count();
        if !is_worth_copying(len, len.saturating_sub(count)) {
            return;
        }
        self.replace(live(), slots_for(count), retired);
        self.len.store(count, Release);
    }

    pub(super) fn table(&self) -> Arc<Table> {
        self.table.load_full()
    }

    #[cfg(test)]
    pub(super) fn table_for_test(&self) -> Arc<Table> {
        self.table.load_full()
    }

    fn replace(&self, entries: impl Iterator<Item = Entry>, slots: usize, retired: &mut Retired) {
        let table = Table::new(slots, self.has_cut_off);
        for entry in entries {
            table.add(entry);
        }
        retired.push(self.table.swap(Arc::new(table)));
        drop_unused(retired);
    }
}

/// Drops the tables that no reader holds. None can take them any more.
pub(super) fn drop_unused(retired: &mut Retired) {
    retired.retain(|table| Arc::strong_count(table) > 1);
}

/// Returns how many entries a table may have: three quarters of its slots.
fn max_entries(slots: usize) -> usize {
    slots.saturating_sub(slots.div_ceil(4))
}

/// Returns the slots of a table that begins with this many entries: 55 % of its slots.
fn slots_for(entries: usize) -> usize {
    entries.saturating_mul(20).div_ceil(11).max(MIN_SLOTS)
}

/// A copy takes time in proportion to the entries, and so it waits until an eighth of them have expired.
fn is_worth_copying(entries: usize, expired: usize) -> bool {
    expired > 0 && (expired >= entries / 8 || entries < 1024)
}
