//! The keys of one issuer, ready to be looked up.

use smallvec::SmallVec;

use crate::{Algorithm, AuthError, AuthErrorKind, VerificationKey, name_index::NameIndex};

/// How many keys one token may cost a verification with.
pub(crate) const MAX_CANDIDATES: usize = 4;

/// Keys that may have signed a token: at least one, and at most four.
pub(crate) type Candidates<'k> = SmallVec<[&'k VerificationKey; MAX_CANDIDATES]>;

/// How tokens and keys find each other.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct KeyMatching {
    pub(crate) by: MatchBy,
    pub(crate) same_id: SameId,
}

/// Which of several keys with one id counts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum SameId {
    /// Each may have signed the token.
    #[default]
    Each,
    /// The one that was added last, of those that allow the algorithm.
    Last,
}

/// What a `kid` says, and what it says that there is none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum MatchBy {
    /// A token without `kid` is for the only key that fits, and a key without an id for every token
    /// where no key has one.
    #[default]
    Lenient,
    /// The same, with every key that fits.
    TryAll,
    /// A token with `kid` is for the key of that id, and one without for keys without.
    ByIdAlone,
}

/// The keys of one issuer. It never changes: other keys are another value of this type.
#[derive(Debug)]
pub(crate) struct Keys {
    keys: Vec<VerificationKey>,
    by_id: NameIndex,
    matching: KeyMatching,
    /// When the first of them becomes too old, if any does.
    #[cfg(feature = "remote")]
    usable_until: Option<crate::NumericDate>,
    /// Whether each source has keys.
    complete: bool,
}

impl Keys {
    pub(crate) fn new(keys: Vec<VerificationKey>, matching: KeyMatching) -> Self {
        let by_id = NameIndex::new(
            keys.iter().enumerate().filter_map(|(position, key)| Some((position, key.id()?))),
        );
        Self {
            keys,
            by_id,
            matching,
            #[cfg(feature = "remote")]
            usable_until: None,
            complete: true,
        }
    }

    #[cfg(feature = "remote")]
    pub(crate) fn usable_until(self, usable_until: Option<crate::NumericDate>) -> Self {
        Self { usable_until, ..self }
    }

    #[cfg(feature = "remote")]
    pub(crate) fn complete(self, complete: bool) -> Self {
        Self { complete, ..self }
    }

    #[cfg(feature = "remote")]
    pub(crate) fn are_usable(&self, now: crate::NumericDate) -> bool {
        self.usable_until.is_none_or(|until| now <= until)
    }

    #[cfg(feature = "explain")]
    pub(crate) fn all(&self) -> &[VerificationKey] {
        &self.keys
    }

    #[cfg(feature = "remote")]
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Finds the keys that a token's header may mean ([RFC 7515 App. D]).
    ///
    /// A `kid` finds exactly the keys of that id: the set may hold one id twice. Where no key has
    /// an id, as with PEM files and secrets, a `kid` says nothing. Without `kid` the keys without
    /// an id come first, and exactly one key must fit. [`KeyMatching`] can change that.
    ///
    /// [RFC 7515 App. D]: https://www.rfc-editor.org/rfc/rfc7515#appendix-D
    pub(crate) fn candidates(
        &self,
        key_id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Candidates<'_>, AuthError> {
        let fits = |key: &&VerificationKey| key.algorithm_set().contains(algorithm);
        let by_id_alone = self.matching.by == MatchBy::ByIdAlone;
        if let Some(key_id) = key_id
            && (!self.by_id.is_empty() || by_id_alone)
        {
            let positions = self.by_id.get(key_id);
            if positions.is_empty() {
                return Err(self.not_found(AuthErrorKind::UnknownKey.into()));
            }
            let named = positions.iter().filter_map(|&position| self.keys.get(position));
            let mut fitting = named.filter(fits);
            let candidates = match self.matching.same_id {
                SameId::Each => fitting.take(MAX_CANDIDATES).collect(),
                SameId::Last => fitting.next_back().into_iter().collect(),
            };
            return self.not_empty(candidates);
        }
        let fitting = |with_id: bool| {
            let of_kind = self.keys.iter().filter(move |key| key.id().is_some() == with_id);
            of_kind.filter(fits).filter(|key| self.stands(key, algorithm))
        };
        let mut candidates: Candidates<'_> = fitting(false).take(MAX_CANDIDATES).collect();
        if candidates.is_empty() && by_id_alone {
            // No source could change that.
            let reason = "the token has no `kid`, and no key without an id fits";
            return Err(AuthError::because(AuthErrorKind::AmbiguousKey, reason));
        }
        if candidates.is_empty() {
            candidates = fitting(true).take(MAX_CANDIDATES).collect();
        }
        if candidates.len() > 1 && self.matching.by != MatchBy::TryAll {
            return Err(AuthErrorKind::AmbiguousKey.into());
        }
        self.not_empty(candidates)
    }

    /// Tells whether no other key of the same id stands in front of one that allows the algorithm: it
    /// signs nothing then, tokens without a key id included.
    fn stands(&self, key: &VerificationKey, algorithm: Algorithm) -> bool {
        let Some(key_id) = key.id().filter(|_| self.matching.same_id == SameId::Last) else {
            return true;
        };
        let mut named =
            self.by_id.get(key_id).iter().filter_map(|&position| self.keys.get(position));
        let last = named.rfind(|key| key.algorithm_set().contains(algorithm));
        last.is_some_and(|last| std::ptr::eq(last, key))
    }

    fn not_empty<'k>(&self, candidates: Candidates<'k>) -> Result<Candidates<'k>, AuthError> {
        if candidates.is_empty() {
            let reason = "no key of the issuer allows the algorithm";
            let error = AuthError::because(AuthErrorKind::AlgorithmNotAllowed, reason);
            return Err(self.not_found(error));
        }
        Ok(candidates)
    }

    /// Tells whether a signature that none of the keys has made may be that of a key which is not
    /// here: a source has brought nothing yet, and no key has an id, or all keys are tried, or the source's
    /// keys would stand in front of those of the same id. Where ids alone count, no source brings keys for
    /// a token that was judged by keys without.
    pub(crate) fn may_be_elsewhere(&self) -> bool {
        let any_key_counts = match self.matching.by {
            MatchBy::Lenient => self.by_id.is_empty(),
            MatchBy::TryAll => true,
            MatchBy::ByIdAlone => false,
        };
        !self.complete && (any_key_counts || self.matching.same_id == SameId::Last)
    }

    /// While a source has no keys, nobody can say that a key is not there.
    fn not_found(&self, error: AuthError) -> AuthError {
        if self.complete { error } else { AuthErrorKind::KeysUnavailable.into() }
    }
}
