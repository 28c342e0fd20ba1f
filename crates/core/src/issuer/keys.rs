//! The keys of one issuer: those that never change, and those that its sources bring.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use super::coming::{KeysComing, OtherKeysComing};
use crate::{
    AuthError,
    key_source::{CachedSource, KeyIdUse, KeySource, KeySourceError},
    keys::MatchBy,
};
use crate::{
    NumericDate, SkippedKey, VerificationKey,
    keys::{KeyMatching, Keys},
};

/// The keys of one issuer. Requests read the current set behind one atomic pointer.
#[derive(Debug)]
pub(crate) struct IssuerKeys {
    current: ArcSwap<Keys>,
    fixed: Vec<VerificationKey>,
    fixed_skipped: Vec<SkippedKey>,
    matching: KeyMatching,
    sources: Vec<Arc<CachedSource>>,
    /// Held while a new set is made, so that the newest one stands at the end.
    rebuilding: std::sync::Mutex<()>,
}

impl IssuerKeys {
    pub(crate) fn new(
        fixed: Vec<VerificationKey>,
        fixed_skipped: Vec<SkippedKey>,
        matching: KeyMatching,
        sources: Vec<Arc<dyn KeySource>>,
        now: NumericDate,
    ) -> Self {
        let sources = sources.into_iter().map(|source| Arc::new(CachedSource::new(source, now)));
        let keys = Self {
            current: ArcSwap::from_pointee(Keys::new(Vec::new(), matching)),
            fixed,
            fixed_skipped,
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
                source.take_over(same, now);
            }
        }
        self.rebuild(now);
    }

    pub(crate) fn sources(&self) -> &[Arc<CachedSource>] {
        &self.sources
    }

    /// Requests a key that is not at hand from the sources. It is unknown only where each of them says
    /// so. `again` is what an earlier call for the same token has returned.
    pub(crate) fn ask(
        &self,
        key_id: Option<&str>,
        again: Option<KeyIdUse>,
        now: NumericDate,
    ) -> Asked<KeysComing> {
        let (mut coming, mut all_answered) = (KeysComing::default(), true);
        for source in &self.sources {
            match source.miss(key_id, again, now) {
                Asked::Coming(over) => coming.push(source, over),
                Asked::Unknown => {}
                Asked::NotNow => all_answered = false,
            }
        }
        match (coming.is_empty(), all_answered) {
            (false, _) => Asked::Coming(coming.all_others_answered(all_answered)),
            (true, true) => Asked::Unknown,
            (true, false) => Asked::NotNow,
        }
    }

    /// Requests other keys, because those that a token was judged by do not verify it: a source may
    /// have replaced one under the same key id, or where there are no ids. Returns what to wait for, if
    /// anything may change the verdict, which is `error`.
    pub(crate) fn ask_for_others(
        &self,
        judged_by: &Keys,
        key_id: Option<&str>,
        now: NumericDate,
        error: &AuthError,
    ) -> Option<OtherKeysComing> {
        if key_id.is_none() && self.matching.by == MatchBy::ByIdAlone {
            // No source brings keys for such a token.
            return None;
        }
        let mut coming = OtherKeysComing::new(error.clone());
        if !std::ptr::eq(&**self.current.load(), judged_by) {
            coming.have_come();
            return Some(coming);
        }
        for source in &self.sources {
            if let Some(over) = source.mismatch(key_id, now) {
                coming.push(source, over);
            }
        }
        // Once more: a fetch may have ended between the comparison and the requests.
        if !std::ptr::eq(&**self.current.load(), judged_by) {
            coming.have_come();
            return Some(coming);
        }
        (!coming.is_empty()).then_some(coming)
    }

    /// Checks that the keys at hand are those that all sources have now, so that a key that is missing
    /// is unknown.
    pub(crate) fn are_fresh(&self, now: NumericDate) -> bool {
        self.sources.iter().all(|source| source.is_fresh(now))
    }

    /// Returns why a key could not be looked up, if a source is in trouble.
    pub(crate) fn trouble(&self) -> Option<KeySourceError> {
        self.sources.iter().find_map(|source| source.trouble())
    }

    /// Puts the keys of all sources together, each with its own last good ones, so that a source
    /// that is down holds no other up.
    pub(crate) fn rebuild(&self, now: NumericDate) {
        let _held = self.rebuilding.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (mut all, mut skipped) = (self.fixed.clone(), self.fixed_skipped.clone());
        let (mut until, mut complete) = (None, true);
        for source in &self.sources {
            match source.usable_keys(now) {
                Some(usable) => {
                    let is_used = |key: &&VerificationKey| {
                        key.id().is_some() || self.matching.by != MatchBy::ByIdAlone
                    };
                    skipped.extend_from_slice(&usable.skipped);
                    all.extend(usable.keys.iter().filter(is_used).cloned());
                    until = match (until, usable.until) {
                        (Some(a), Some(b)) => Some(NumericDate::min(a, b)),
                        (a, b) => a.or(b),
                    };
                }
                None => complete = false,
            }
        }
        let keys = Keys::new(all, self.matching).skipped(skipped);
        let keys = keys.usable_until(until).complete(complete);
        self.current.store(Arc::new(keys));
    }
}

/// What asking for a key that is not there leads to.
#[derive(Debug)]
pub(crate) enum Asked<T> {
    /// A fetch is on its way that may bring it.
    Coming(T),
    /// It was asked for a short while ago, and is not there.
    Unknown,
    /// It cannot be asked for now: nobody can say whether it is there.
    NotNow,
}
