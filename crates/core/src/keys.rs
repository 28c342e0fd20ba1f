//! The keys of one issuer, ready to be looked up.

use smallvec::SmallVec;

use crate::{
    Algorithm, AuthError, AuthErrorKind, SkippedKey, VerificationKey, jwk::CertificateThumbprints,
    name_index::NameIndex,
};

/// How many keys one token may cost a verification with.
pub(crate) const MAX_CANDIDATES: usize = 4;

/// What a header says of the key. Nothing of it is proven: it chooses among keys that are trusted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyHint<'a> {
    pub(crate) key_id: Option<&'a str>,
    pub(crate) certificate: &'a CertificateThumbprints<'a>,
}

/// Keys that may have signed a token: at least one, and at most four.
#[derive(Debug, Default)]
pub(crate) struct Candidates<'k> {
    keys: SmallVec<[&'k VerificationKey; MAX_CANDIDATES]>,
    /// How many more fit and are not tried.
    left_out: usize,
}

impl<'k> Candidates<'k> {
    /// Takes the first keys. Where several fit, those come first whose certificate the header names.
    fn of(
        fitting: impl Iterator<Item = &'k VerificationKey> + Clone,
        certificate: &CertificateThumbprints<'_>,
    ) -> Self {
        let first = Self::first_of(fitting.clone());
        if first.keys.len() < 2 || certificate.is_empty() {
            return first;
        }
        let is_named = |key: &&VerificationKey| key.certificate().agree_with(certificate);
        let others = fitting.clone().filter(|key| !is_named(key));
        Self::first_of(fitting.filter(is_named).chain(others))
    }

    pub(crate) fn first_of(mut fitting: impl Iterator<Item = &'k VerificationKey>) -> Self {
        Self { keys: fitting.by_ref().take(MAX_CANDIDATES).collect(), left_out: fitting.count() }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'k VerificationKey> {
        self.keys.iter().copied()
    }

    /// Returns how many keys are tried.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns how many keys fit and are not tried.
    #[cfg(feature = "explain")]
    pub(crate) fn left_out(&self) -> usize {
        self.left_out
    }

    /// Returns the error of a token that none of these keys has signed. Where not all that fit were
    /// tried, the signature may be right.
    #[cold]
    pub(crate) fn mismatch(&self) -> AuthError {
        if self.left_out == 0 {
            return AuthErrorKind::SignatureMismatch.into();
        }
        let reason =
            "none of the first 4 keys that fit has made the signature, and no more are tried";
        AuthError::because(AuthErrorKind::AmbiguousKey, reason)
    }

    fn fit_several(&self) -> bool {
        self.keys.len() > 1
    }
}

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

/// Keys that an issuer publishes and that cannot be used.
#[derive(Debug)]
struct SkippedKeys {
    keys: Vec<SkippedKey>,
    by_id: NameIndex,
}

impl SkippedKeys {
    fn new(keys: Vec<SkippedKey>) -> Self {
        let ids = keys.iter().enumerate();
        let by_id = NameIndex::new(ids.filter_map(|(index, key)| Some((index, key.key_id()?))));
        Self { keys, by_id }
    }

    /// Returns the error of a token that names a key which is not there: with the reason, if the key was
    /// skipped.
    #[cold]
    fn unknown(&self, key_id: &str) -> AuthError {
        let mut named = self.by_id.get(key_id).iter().filter_map(|&index| self.keys.get(index));
        let Some(key) = named.next() else { return AuthErrorKind::UnknownKey.into() };
        AuthError::with_source(AuthErrorKind::UnknownKey, format!("it cannot be used: {key}"))
    }
}

impl Default for SkippedKeys {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

/// The keys of one issuer. It never changes: other keys are another value of this type.
#[derive(Debug)]
pub(crate) struct Keys {
    keys: Vec<VerificationKey>,
    by_id: NameIndex,
    skipped: SkippedKeys,
    matching: KeyMatching,
    /// When the first of them becomes too old, if any does.
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
            skipped: SkippedKeys::default(),
            matching,
            usable_until: None,
            complete: true,
        }
    }

    /// Adds the keys that the issuer publishes and that cannot be used.
    pub(crate) fn skipped(self, skipped: Vec<SkippedKey>) -> Self {
        Self { skipped: SkippedKeys::new(skipped), ..self }
    }

    pub(crate) fn usable_until(self, usable_until: Option<crate::NumericDate>) -> Self {
        Self { usable_until, ..self }
    }

    pub(crate) fn complete(self, complete: bool) -> Self {
        Self { complete, ..self }
    }

    pub(crate) fn are_usable(&self, now: crate::NumericDate) -> bool {
        self.usable_until.is_none_or(|until| now <= until)
    }

    #[cfg(feature = "explain")]
    pub(crate) fn all(&self) -> &[VerificationKey] {
        &self.keys
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Finds the keys that a token's header may mean ([RFC 7515 App. D]).
    ///
    /// A `kid` finds exactly the keys of that id: the set may hold one id twice. Where no key has
    /// an id, as with PEM files and secrets, a `kid` says nothing. Without `kid` the keys without
    /// an id come first, and exactly one key must fit, or be the one whose certificate the header
    /// names. [`KeyMatching`] can change that.
    ///
    /// [RFC 7515 App. D]: https://www.rfc-editor.org/rfc/rfc7515#appendix-D
    pub(crate) fn candidates(
        &self,
        hint: KeyHint<'_>,
        algorithm: Algorithm,
    ) -> Result<Candidates<'_>, AuthError> {
        let by_id_alone = self.matching.by == MatchBy::ByIdAlone;
        match hint.key_id {
            Some(key_id) if !self.by_id.is_empty() || by_id_alone => {
                self.named(key_id, algorithm, hint.certificate)
            }
            _ if by_id_alone => self.without_id(algorithm),
            _ => self.unnamed(algorithm, hint.certificate),
        }
    }

    /// Finds the keys of one id.
    fn named(
        &self,
        key_id: &str,
        algorithm: Algorithm,
        certificate: &CertificateThumbprints<'_>,
    ) -> Result<Candidates<'_>, AuthError> {
        let positions = self.by_id.get(key_id);
        if positions.is_empty() {
            return Err(self.not_found(self.skipped.unknown(key_id)));
        }
        let named = positions.iter().filter_map(|&position| self.keys.get(position));
        let mut fitting = named.filter(|key| key.algorithm_set().contains(algorithm));
        self.not_empty(match self.matching.same_id {
            SameId::Each => Candidates::of(fitting, certificate),
            SameId::Last => Candidates::first_of(fitting.next_back().into_iter()),
        })
    }

    /// Finds the only key without an id, for a token without `kid`.
    fn without_id(&self, algorithm: Algorithm) -> Result<Candidates<'_>, AuthError> {
        let fitting = self.fitting(algorithm).filter(|key| key.id().is_none());
        let candidates = Candidates::first_of(fitting);
        if candidates.keys.is_empty() {
            // No source could change that.
            let reason = "the token has no `kid`, and no key without an id fits";
            return Err(AuthError::because(AuthErrorKind::AmbiguousKey, reason));
        }
        if candidates.fit_several() {
            return Err(AuthErrorKind::AmbiguousKey.into());
        }
        Ok(candidates)
    }

    /// Finds the keys for a token without `kid`, or for any token where no key has an id.
    fn unnamed(
        &self,
        algorithm: Algorithm,
        certificate: &CertificateThumbprints<'_>,
    ) -> Result<Candidates<'_>, AuthError> {
        let is_named = |key: &&VerificationKey| key.certificate().agree_with(certificate);
        let tries_all = self.matching.by == MatchBy::TryAll;
        if !tries_all && !certificate.is_empty() {
            let named = Candidates::first_of(self.fitting(algorithm).filter(is_named));
            if named.len() == 1 {
                return Ok(named);
            }
        }
        let with_id = !self.fitting(algorithm).any(|key| key.id().is_none());
        let fitting = self.fitting(algorithm);
        let fitting =
            fitting.filter(|key| key.id().is_some() == with_id || (tries_all && is_named(key)));
        let candidates = Candidates::of(fitting, certificate);
        if candidates.fit_several() && !tries_all {
            return Err(AuthErrorKind::AmbiguousKey.into());
        }
        self.not_empty(candidates)
    }

    /// The keys that allow the algorithm, but for those that another key of the same id stands before.
    fn fitting(&self, algorithm: Algorithm) -> impl Iterator<Item = &VerificationKey> + Clone {
        let fitting = self.keys.iter().filter(move |key| key.algorithm_set().contains(algorithm));
        fitting.filter(move |key| self.stands(key, algorithm))
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
        if candidates.keys.is_empty() {
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
