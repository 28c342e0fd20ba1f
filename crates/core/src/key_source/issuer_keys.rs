//! The keys of one issuer: those that never change, and those that its sources bring.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use super::{CachedSource, KeyIdUse, KeySource, KeySourceError, MissingKey, OtherKeys, Requested};
use crate::{
    AuthError, NumericDate, SkippedKey, VerificationKey,
    interleave::point,
    keys::{KeyMatching, Keys, MatchBy},
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
        point("issuer keys: outdated");
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
        point("issuer keys: taken over");
        self.rebuild(now);
    }

    pub(crate) fn sources(&self) -> &[Arc<CachedSource>] {
        &self.sources
    }

    /// Requests a key that is not at hand from the sources. It is unknown only if each of them says so.
    /// `again` is what an earlier call for the same token has returned.
    pub(crate) fn request(
        &self,
        key_id: Option<&str>,
        again: Option<KeyIdUse>,
        now: NumericDate,
    ) -> Requested<MissingKey> {
        let mut key = MissingKey::default();
        for source in &self.sources {
            match source.miss(key_id, again, now) {
                Requested::Pending(over) => key.push(source, over),
                Requested::Unknown => {}
                Requested::NotNow => key.not_answered = true,
            }
        }
        match (key.fetches.is_empty(), key.not_answered) {
            (false, _) => Requested::Pending(key),
            (true, false) => Requested::Unknown,
            (true, true) => Requested::NotNow,
        }
    }

    /// Requests other keys, because those that a token was judged by do not verify it: a source may
    /// have replaced one under the same key id, or where there are no ids. Returns what to wait for, if
    /// anything may change the verdict, which is `error`.
    pub(crate) fn request_others(
        &self,
        judged_by: &Keys,
        key_id: Option<&str>,
        now: NumericDate,
        error: &AuthError,
    ) -> Option<OtherKeys> {
        if key_id.is_none() && self.matching.by == MatchBy::ByIdAlone {
            // No source brings keys for such a token.
            return None;
        }
        let have_come = || !std::ptr::eq(&**self.current.load(), judged_by);
        let mut others = OtherKeys::new(error.clone());
        others.have_come = have_come();
        if !others.have_come {
            for source in &self.sources {
                if let Some(over) = source.mismatch(key_id, now) {
                    others.push(source, over);
                }
            }
            // Once more: a fetch may have ended between the comparison and the requests.
            others.have_come = have_come();
        }
        (others.have_come || !others.fetches.is_empty()).then_some(others)
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
