//! A table of fingerprints that is read without a lock while one writer adds to it.

use std::{
    ops::ControlFlow,
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use super::fingerprint::Fingerprint;

/// The words of a slot: both halves of the fingerprint, and until when it is needed.
const WORDS: usize = 3;

/// The same, and the cut-off time.
const WORDS_WITH_CUT_OFF: usize = 4;

/// The slots of a group: one for each byte of a word.
const GROUP: usize = 8;

/// Each byte is 1.
const ONES: u64 = 0x0101_0101_0101_0101;

/// The upper bit of each byte.
const UPPER_BITS: u64 = 0x8080_8080_8080_8080;

/// Open addressing with linear probing of groups. Nothing is ever removed from a table: one without the
/// expired entries takes its place.
///
/// Each slot has a mark of one byte, which is 0 while the slot is free, and else eight bits of the
/// fingerprint. A look-up that finds nothing, as nearly all do, reads the marks of one or two groups. Those of
/// a million entries take 2 MB, which a processor keeps in its caches.
///
/// The writer fills the words of a free slot and then sets its mark, with release ordering. A reader that
/// sees the mark, with acquire ordering, also sees the words. Times only ever move to later ones, by atomic
/// maximum.
#[derive(Debug)]
pub(super) struct Table {
    marks: Box<[AtomicU64]>,
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
    /// Creates a table with at least this number of slots, all of them free.
    pub(super) fn new(slots: usize, has_cut_off: bool) -> Self {
        let words_per_slot = if has_cut_off { WORDS_WITH_CUT_OFF } else { WORDS };
        let groups = slots.div_ceil(GROUP);
        let zeros = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self {
            marks: zeros(groups),
            words: zeros(groups.saturating_mul(GROUP).saturating_mul(words_per_slot)),
            words_per_slot,
        }
    }

    pub(super) fn slots(&self) -> usize {
        self.marks.len().saturating_mul(GROUP)
    }

    /// Returns the cut-off time of an entry, or 0 in a table without; `None` if there is no such entry.
    #[inline]
    pub(super) fn cut_off(&self, fingerprint: Fingerprint) -> Option<u64> {
        let slot = match self.probe(fingerprint) {
            ControlFlow::Break(slot) => slot,
            ControlFlow::Continue(_) => return None,
        };
        Some(slot.get(3).map_or(0, |cut_off| cut_off.load(Acquire)))
    }

    /// Adds an entry, or merges it with the one there is. Only one thread may do this at a time.
    pub(super) fn add(&self, entry: Entry) -> Added {
        let Entry { fingerprint, times } = entry;
        match self.probe(fingerprint) {
            ControlFlow::Break(slot) => {
                for (word, value) in slot.iter().skip(2).zip([times.until, times.cut_off]) {
                    word.fetch_max(value, Release);
                }
                Added::Merged
            }
            ControlFlow::Continue(Some(free)) => {
                let values = [fingerprint.place, fingerprint.check, times.until, times.cut_off];
                for (word, value) in self.words_of(free).iter().zip(values) {
                    word.store(value, Relaxed);
                }
                let Some(group) = self.marks.get(free / GROUP) else { return Added::Full };
                group.fetch_or(fingerprint.mark() << (free % GROUP * 8), Release);
                Added::New
            }
            ControlFlow::Continue(None) => Added::Full,
        }
    }

    /// Returns all entries, in the order of their slots.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        let marks = self.marks.iter().flat_map(|group| group.load(Acquire).to_le_bytes());
        let slots = marks.zip(self.words.chunks(self.words_per_slot));
        slots.filter(|(mark, _)| *mark != 0).map(|(_, words)| {
            let mut words = words.iter().map(|word| word.load(Relaxed));
            let mut next = || words.next().unwrap_or_default();
            let fingerprint = Fingerprint { place: next(), check: next() };
            Entry { fingerprint, times: Times { until: next(), cut_off: next() } }
        })
    }

    /// Finds the words of an entry, or else the free slot where it belongs, if any.
    #[inline]
    fn probe(&self, fingerprint: Fingerprint) -> ControlFlow<&[AtomicU64], Option<usize>> {
        let home = self.home(fingerprint.place);
        let (before, after) = self.marks.split_at_checked(home).unwrap_or((&self.marks, &[]));
        let wanted = fingerprint.mark().wrapping_mul(ONES);
        for (group, marks) in (home..).zip(after).chain((0..).zip(before)) {
            let marks = marks.load(Acquire);
            let first = group.saturating_mul(GROUP);
            let mut equal = zero_bytes(marks ^ wanted);
            while equal != 0 {
                let words = self.words_of(first.saturating_add(lowest_byte(equal)));
                if is_at(words, fingerprint) {
                    return ControlFlow::Break(words);
                }
                equal &= equal.wrapping_sub(1);
            }
            let free = zero_bytes(marks);
            if free != 0 {
                return ControlFlow::Continue(Some(first.saturating_add(lowest_byte(free))));
            }
        }
        ControlFlow::Continue(None)
    }

    /// Returns the group where a search starts. The groups are in the order of the fingerprints, so that the
    /// entries of one table are copied to another nearly in order of memory.
    #[inline]
    fn home(&self, place: u64) -> usize {
        let groups = u128::try_from(self.marks.len()).unwrap_or_default();
        usize::try_from((u128::from(place) * groups) >> 64).unwrap_or_default()
    }

    #[inline]
    fn words_of(&self, slot: usize) -> &[AtomicU64] {
        let start = slot.saturating_mul(self.words_per_slot);
        self.words.get(start..start.saturating_add(self.words_per_slot)).unwrap_or_default()
    }
}

#[inline]
fn is_at(words: &[AtomicU64], fingerprint: Fingerprint) -> bool {
    let [place, check, ..] = words else { return false };
    place.load(Relaxed) == fingerprint.place && check.load(Relaxed) == fingerprint.check
}

/// Returns the upper bit of each byte that is zero. Above the lowest of these, there may be others.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & UPPER_BITS
}

/// Returns the number of the lowest byte that has a bit.
#[inline]
fn lowest_byte(bits: u64) -> usize {
    usize::try_from(bits.trailing_zeros() / 8).unwrap_or_default()
}
