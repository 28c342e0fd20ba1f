//! The keys of one issuer: those that never change, and those that its sources bring.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use crate::{
    NumericDate, VerificationKey,
    keys::{KeyMatching, Keys},
};
#[cfg(feature = "remote")]
use crate::{
    key_source::{CachedSource, FetchEnd, FetchOver, KeySource, KeySourceError, any_over},
    keys::MatchBy,
};
#[cfg(feature = "remote")]
use std::time::Duration;

/// The keys of one issuer. Requests read the current set behind one atomic pointer.
#[derive(Debug)]
pub(crate) struct IssuerKeys {
    current: ArcSwap<Keys>,
    #[cfg(feature = "remote")]
    fixed: Vec<VerificationKey>,
    #[cfg(feature = "remote")]
    matching: KeyMatching,
    #[cfg(feature = "remote")]
    sources: Vec<Arc<CachedSource>>,
    /// Held while a new set is made, so that the newest one stands at the end.
    #[cfg(feature = "remote")]
    rebuilding: std::sync::Mutex<()>,
}

#[cfg(not(feature = "remote"))]
impl IssuerKeys {
    pub(crate) fn new(fixed: Vec<VerificationKey>, matching: KeyMatching) -> Self {
        Self { current: ArcSwap::from_pointee(Keys::new(fixed, matching)) }
    }

    pub(crate) fn load(&self, _now: NumericDate) -> Guard<Arc<Keys>> {
        self.current.load()
    }
}

#[cfg(feature = "remote")]
impl IssuerKeys {
    pub(crate) fn new(
        fixed: Vec<VerificationKey>,
        matching: KeyMatching,
        sources: Vec<Arc<dyn KeySource>>,
        now: NumericDate,
    ) -> Self {
        let sources = sources.into_iter().map(|source| Arc::new(CachedSource::new(source, now)));
        let keys = Self {
            current: ArcSwap::from_pointee(Keys::new(Vec::new(), matching)),
            fixed,
            matching,
            sources: sources.collect(),
            rebuilding: std::sync::Mutex::new(()),
        };
        keys.rebuild(now);
        keys
    }

    /// Returns the current keys. Those that have become too old are gone from them.
    pub(crate) fn load(&self, now: NumericDate) -> Guard<Arc<Keys>> {
        let keys = self.current.load();
        if keys.are_usable(now) {
            return keys;
        }
        drop(keys);
        self.rebuild(now);
        self.current.load()
    }

    /// Starts with the keys of the same sources of another engine, so that they need not be fetched
    /// first. They are as old as they were there.
    pub(crate) fn take_over(&self, other: &Self, now: NumericDate) {
        for source in &self.sources {
            if let Some(same) = other.sources.iter().find(|other| source.is_same_source(other)) {
                source.take_over(same);
            }
        }
        self.rebuild(now);
    }

    pub(crate) fn sources(&self) -> &[Arc<CachedSource>] {
        &self.sources
    }

    /// Asks the sources for a key that is not there. It is unknown only where each of them says so.
    pub(crate) fn ask(&self, key_id: Option<&str>, now: NumericDate) -> Asked<KeysComing> {
        let mut asked = KeysComing { coming: Vec::new(), wait: Duration::ZERO, all_answered: true };
        for source in &self.sources {
            match source.miss(key_id, now) {
                Asked::Coming(over) => {
                    asked.wait = asked.wait.max(source.waiting_time());
                    asked.coming.push(over);
                }
                Asked::Unknown => {}
                Asked::NotNow => asked.all_answered = false,
            }
        }
        match (asked.coming.is_empty(), asked.all_answered) {
            (false, _) => Asked::Coming(asked),
            (true, true) => Asked::Unknown,
            (true, false) => Asked::NotNow,
        }
    }

    /// Returns why a key could not be looked up, if a source is in trouble.
    pub(crate) fn trouble(&self) -> Option<KeySourceError> {
        self.sources.iter().find_map(|source| source.trouble())
    }

    /// Puts the keys of all sources together, each with its own last good ones, so that a source
    /// that is down holds no other up.
    pub(crate) fn rebuild(&self, now: NumericDate) {
        let _held = self.rebuilding.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut all = self.fixed.clone();
        let (mut until, mut complete) = (None, true);
        for source in &self.sources {
            match source.usable_keys(now) {
                Some(usable) => {
                    let is_used = |key: &&VerificationKey| {
                        key.id().is_some() || self.matching.by != MatchBy::ByIdAlone
                    };
                    all.extend(usable.keys.iter().filter(is_used).cloned());
                    until = match (until, usable.until) {
                        (Some(a), Some(b)) => Some(NumericDate::min(a, b)),
                        (a, b) => a.or(b),
                    };
                }
                None => complete = false,
            }
        }
        let keys = Keys::new(all, self.matching).usable_until(until).complete(complete);
        self.current.store(Arc::new(keys));
    }
}

/// What asking for a key that is not there leads to.
#[cfg(feature = "remote")]
#[derive(Debug)]
pub(crate) enum Asked<T> {
    /// A fetch is on its way that may bring it.
    Coming(T),
    /// It was asked for a short while ago, and is not there.
    Unknown,
    /// It cannot be asked for now: nobody can say whether it is there.
    NotNow,
}

/// Fetches that may bring a key that was missing.
#[cfg(feature = "remote")]
#[derive(Debug)]
pub(crate) struct KeysComing {
    coming: Vec<FetchOver>,
    wait: Duration,
    /// Whether each source that is not among them any more has said that it has no such key.
    all_answered: bool,
}

#[cfg(feature = "remote")]
impl KeysComing {
    /// Returns the longest that a request may wait.
    pub(crate) fn longest_wait(&self) -> Duration {
        self.wait
    }

    /// Waits until the next of them is over: not for all, so that a source that is down holds no
    /// other up. Never returns if none is left.
    pub(crate) async fn next_over(&mut self) -> Over {
        let (index, end) = any_over(&mut self.coming).await;
        self.coming.swap_remove(index);
        self.all_answered &= end == FetchEnd::Answered;
        match (end, self.coming.is_empty(), self.all_answered) {
            (FetchEnd::AskAgain, _, _) => Over::AskAgain,
            (_, false, _) => Over::MoreToCome,
            (_, true, true) => Over::AllAnswered,
            (_, true, false) => Over::NotAnswered,
        }
    }
}

/// What is left to do when a fetch is over.
#[cfg(feature = "remote")]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Over {
    /// The answer says nothing of the key: another one may bring it.
    AskAgain,
    MoreToCome,
    /// Every source has answered: a key that is not there now is unknown.
    AllAnswered,
    /// Some source has not: nobody can say that the key is unknown.
    NotAnswered,
}
