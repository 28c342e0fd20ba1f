//! Keys that are on their way, and the requests that wait for them.

use std::{sync::Arc, time::Duration};

use crate::{
    AuthError, NumericDate,
    key_source::{CachedSource, FetchEnd, FetchOver, KeyIdUse, any_over},
};

/// Fetches that a request waits for, each with its source.
#[derive(Debug, Default)]
struct Fetches {
    sources: Vec<Arc<CachedSource>>,
    /// In the order of `sources`.
    over: Vec<FetchOver>,
    longest_wait: Duration,
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

    fn give_up(&self, now: NumericDate) {
        for (source, over) in self.sources.iter().zip(&self.over) {
            source.give_up(over, now);
        }
    }
}

/// Fetches that may bring a key that was missing.
#[derive(Debug, Default)]
pub(crate) struct KeysComing {
    fetches: Fetches,
    /// Whether a source that is not among them has not said that it has no such key.
    not_answered: bool,
    key_use: Option<KeyIdUse>,
}

impl KeysComing {
    pub(super) fn push(&mut self, source: &Arc<CachedSource>, over: FetchOver) {
        // Sources may differ, because each remembers what it was asked for. Junk must count as such.
        self.key_use = match (self.key_use, over.late()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.fetches.push(source, over);
    }

    pub(super) fn all_others_answered(self, answered: bool) -> Self {
        Self { not_answered: !answered, ..self }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fetches.over.is_empty()
    }

    /// Returns the longest that a request may wait.
    pub(crate) fn longest_wait(&self) -> Duration {
        self.fetches.longest_wait
    }

    /// Returns how to ask again, for the same token.
    pub(crate) fn key_use(&self) -> KeyIdUse {
        self.key_use.unwrap_or(KeyIdUse::First)
    }

    /// Waits until the next of them is over. Never returns if none is left.
    pub(crate) async fn next_over(&mut self) -> Over {
        let (_, end) = self.fetches.next_over().await;
        self.not_answered |= end != FetchEnd::Answered;
        match (end, self.is_empty(), self.not_answered) {
            (FetchEnd::AskAgain, _, _) => Over::AskAgain,
            (_, false, _) => Over::MoreToCome,
            (_, true, false) => Over::AllAnswered,
            (_, true, true) => Over::NotAnswered,
        }
    }

    /// The request does not wait any longer.
    pub(crate) fn give_up(&self, now: NumericDate) {
        self.fetches.give_up(now);
    }
}

/// What is left to do when a fetch is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Over {
    /// The answer says nothing of the key: another one may bring it.
    AskAgain,
    MoreToCome,
    /// Every source has answered: a key that is not there now is unknown.
    AllAnswered,
    /// Some source has not answered, so that the key is not known to be unknown.
    NotAnswered,
}

/// Fetches that may bring other keys than those that do not verify a token.
#[derive(Debug)]
pub(crate) struct OtherKeysComing {
    fetches: Fetches,
    /// Other keys have come since the token was judged.
    have_come: bool,
    /// The verdict by the keys that it was judged by.
    error: AuthError,
}

impl OtherKeysComing {
    pub(super) fn new(error: AuthError) -> Self {
        Self { fetches: Fetches::default(), have_come: false, error }
    }

    pub(super) fn push(&mut self, source: &Arc<CachedSource>, over: FetchOver) {
        self.fetches.push(source, over);
    }

    pub(super) fn have_come(&mut self) {
        self.have_come = true;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fetches.over.is_empty()
    }

    /// Returns the verdict that holds as long as no other keys come.
    pub(crate) fn error(&self) -> &AuthError {
        &self.error
    }

    /// Returns the longest that a request may wait.
    pub(crate) fn longest_wait(&self) -> Duration {
        self.fetches.longest_wait
    }

    /// Waits until other keys have come. Returns `false` when none will: then the token need not be
    /// verified once more, which would be expensive in a flood of forged ones.
    pub(crate) async fn next_other(&mut self) -> bool {
        if std::mem::take(&mut self.have_come) {
            return true;
        }
        while !self.is_empty() {
            let (over, _) = self.fetches.next_over().await;
            if over.brought_other_keys() {
                return true;
            }
        }
        false
    }

    /// The request does not wait any longer.
    pub(crate) fn give_up(&self, now: NumericDate) {
        self.fetches.give_up(now);
    }
}
