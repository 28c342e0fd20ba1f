//! A table of fingerprints that is read without a lock while one writer adds to it.

use std::{
    ops::ControlFlow,
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use super::fingerprint::Fingerprint;

/// What marks a free slot.
const FREE: u64 = 0;

/// The words of a slot beside its tag: the other half of the fingerprint, and until when it is needed.
const WORDS: usize = 2;

/// The same, and the cut-off time.
const WORDS_WITH_CUT_OFF: usize = 3;

/// Open addressing with linear probing. Nothing is ever removed from a table: one without the expired
/// entries takes its place.
///
/// The tags are apart from the rest, so that a look-up that finds nothing, as nearly all do, reads one or
/// two cache lines.
///
/// The writer fills the words of a free slot and then publishes its tag, with release ordering. A reader
/// that sees the tag, with acquire ordering, also sees the words. Times only ever move to later ones, by
/// atomic maximum.
#[derive(Debug)]
pub(super) struct Table {
    tags: Box<[AtomicU64]>,
    words: Box<[AtomicU64]>,
    words_per_slot: usize,
}

/// One entry of a table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    pub(super) fingerprint: Fingerprint,
    /// The times, as [`Times`] orders them.
    pub(super) times: Times,
}

/// The times of an entry, as integers in the order of time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Times {
    /// Until when the entry is needed.
    pub(super) until: u64,
    /// Up to when tokens are revoked that were issued. Only in tables with a cut-off.
    pub(super) cut_off: u64,
}

/// What became of an entry that was to be added.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Added {
    New,
    Merged,
    /// No slot is free.
    Full,
}

impl Table {
    /// Creates a table with a number of slots, all of them free.
    pub(super) fn new(slots: usize, has_cut_off: bool) -> Self {
        let words_per_slot = if has_cut_off { WORDS_WITH_CUT_OFF } else { WORDS };
        let zeros = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self {
            tags: zeros(slots),
            words: zeros(slots.saturating_mul(words_per_slot)),
            words_per_slot,
        }
    }

    pub(super) fn slots(&self) -> usize {
        self.tags.len()
    }

    /// Returns the cut-off time of an entry, or 0 in a table without; `None` if there is no such entry.
    #[inline]
    pub(super) fn cut_off(&self, fingerprint: Fingerprint) -> Option<u64> {
        let slot = match self.probe(fingerprint) {
            ControlFlow::Break(slot) => slot,
            ControlFlow::Continue(_) => return None,
        };
        Some(slot.get(2).map_or(0, |cut_off| cut_off.load(Acquire)))
    }

    /// Adds an entry, or merges it with the one there is. Only one thread may do this at a time.
    pub(super) fn add(&self, entry: Entry) -> Added {
        let Entry { fingerprint, times } = entry;
        match self.probe(fingerprint) {
            ControlFlow::Break(slot) => {
                for (word, value) in slot.iter().skip(1).zip([times.until, times.cut_off]) {
                    word.fetch_max(value, Release);
                }
                Added::Merged
            }
            ControlFlow::Continue(Some(free)) => {
                let values = [fingerprint.check, times.until, times.cut_off];
                for (word, value) in self.words_of(free).iter().zip(values) {
                    word.store(value, Relaxed);
                }
                let Some(tag) = self.tags.get(free) else { return Added::Full };
                tag.store(fingerprint.tag, Release);
                Added::New
            }
            ControlFlow::Continue(None) => Added::Full,
        }
    }

    /// Returns all entries, in the order of their slots.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.tags.iter().zip(self.words.chunks(self.words_per_slot)).filter_map(|(tag, words)| {
            let tag = tag.load(Acquire);
            let mut words = words.iter().map(|word| word.load(Relaxed));
            let mut next = || words.next().unwrap_or_default();
            let (check, until, cut_off) = (next(), next(), next());
            let fingerprint = Fingerprint { tag, check };
            (tag != FREE).then_some(Entry { fingerprint, times: Times { until, cut_off } })
        })
    }

    /// Finds the words of an entry, or else the free slot where it belongs, if any.
    #[inline]
    fn probe(&self, fingerprint: Fingerprint) -> ControlFlow<&[AtomicU64], Option<usize>> {
        let home = self.home(fingerprint.tag);
        let (before, after) = self.tags.split_at_checked(home).unwrap_or((&self.tags, &[]));
        let slots = (home..).zip(after).chain((0..).zip(before));
        for (slot, tag) in slots {
            let tag = tag.load(Acquire);
            if tag == FREE {
                return ControlFlow::Continue(Some(slot));
            }
            if tag == fingerprint.tag {
                let words = self.words_of(slot);
                if words.first().is_some_and(|check| check.load(Relaxed) == fingerprint.check) {
                    return ControlFlow::Break(words);
                }
            }
        }
        ControlFlow::Continue(None)
    }

    /// Returns the slot where the search for a tag starts. Tags are in proportion to their slots, so that
    /// the entries of one table are copied to another nearly in order of memory.
    #[inline]
    fn home(&self, tag: u64) -> usize {
        let slots = u128::try_from(self.slots()).unwrap_or_default();
        usize::try_from((u128::from(tag) * slots) >> 64).unwrap_or_default()
    }

    #[inline]
    fn words_of(&self, slot: usize) -> &[AtomicU64] {
        let start = slot.saturating_mul(self.words_per_slot);
        self.words.get(start..start.saturating_add(self.words_per_slot)).unwrap_or_default()
    }
}
