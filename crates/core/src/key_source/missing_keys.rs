//! Keys that a request waits for.

use std::{sync::Arc, time::Duration};

use super::{CachedSource, FetchEnd, FetchOver, KeyIdUse, any_over};
use crate::{AuthError, NumericDate};

/// Whether the sources of an issuer were asked for the key of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Asked {
    NotYet,
    /// While a fetch was under way that may have begun too early: another one may bring the key.
    TooEarly(KeyIdUse),
    /// Every source has answered: a key that is not at hand now is unknown.
    AllAnswered,
    /// Some source has not answered, so that the key may exist.
    NotAllAnswered,
}

/// Fetches that a request waits for, each with its source.
#[derive(Debug, Default)]
pub(crate) struct Fetches {
    sources: Vec<Arc<CachedSource>>,
    /// In the order of `sources`.
    over: Vec<FetchOver>,
    /// The longest that a request may wait.
    pub(crate) longest_wait: Duration,
}

impl Fetches {
    fn push(&mut self, source: &Arc<CachedSource>, over: FetchOver) {
        self.longest_wait = self.longest_wait.max(source.waiting_time());
        self.sources.push(Arc::clone(source));
        self.over.push(over);
    }

    /// Waits until the next of them is over: not for all, so that a source that is down delays no
    /// other. Never returns if none is left.
    async fn next_over(&mut self) -> (FetchOver, FetchEnd) {
        let (index, end) = any_over(&mut self.over).await;
        self.sources.swap_remove(index);
        (self.over.swap_remove(index), end)
    }

    /// Returns whether none is left to wait for.
    pub(crate) fn is_empty(&self) -> bool {
        self.over.is_empty()
    }

    /// The request does not wait any longer.
    pub(crate) fn give_up(&self, now: NumericDate) {
        for (source, over) in self.sources.iter().zip(&self.over) {
            source.give_up(over, now);
        }
    }
}

/// A key that is missing, and the fetches that may bring it.
#[derive(Debug, Default)]
pub(crate) struct MissingKey {
    pub(crate) fetches: Fetches,
    /// Whether a source that is not among them has not said that it has no such key.
    pub(super) not_answered: bool,
    key_use: Option<KeyIdUse>,
}

impl MissingKey {
    pub(super) fn push(&mut self, source: &Arc<CachedSource>, over: FetchOver) {
        // Sources may differ, because each remembers what it was asked for. Junk must count as such.
        self.key_use = match (self.key_use, over.late()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.fetches.push(source, over);
    }

    /// Waits until the next fetch is over. Never returns if none is left.
    pub(crate) async fn next_over(&mut self) -> Asked {
        let (_, end) = self.fetches.next_over().await;
        self.not_answered |= end != FetchEnd::Answered;
        if end == FetchEnd::AskAgain {
            Asked::TooEarly(self.key_use.unwrap_or(KeyIdUse::First))
        } else if self.fetches.is_empty() && !self.not_answered {
            Asked::AllAnswered
        } else {
            Asked::NotAllAnswered
        }
    }
}

/// The fetches that may bring other keys than those that do not verify a token.
#[derive(Debug)]
pub(crate) struct OtherKeys {
    pub(crate) fetches: Fetches,
    /// Whether other keys have come since the token was judged.
    pub(super) have_come: bool,
    /// The verdict that holds as long as no other keys come.
    pub(crate) error: AuthError,
}

impl OtherKeys {
    pub(super) fn new(error: AuthError) -> Self {
        Self { fetches: Fetches::default(), have_come: false, error }
    }

    pub(super) fn push(&mut self, source: &Arc<CachedSource>, over: FetchOver) {
        self.fetches.push(source, over);
    }

    /// Waits until other keys have come. Returns `false` when none will: then the token need not be
    /// verified once more, which would be expensive in a flood of forged ones.
    pub(crate) async fn next_other(&mut self) -> bool {
        if std::mem::take(&mut self.have_come) {
            return true;
        }
        while !self.fetches.is_empty() {
            let (over, _) = self.fetches.next_over().await;
            if over.brought_other_keys() {
                return true;
            }
        }
        false
    }
}
