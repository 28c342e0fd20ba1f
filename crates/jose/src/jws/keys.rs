//! From what a header says of the key to the keys that it may mean ([RFC 7515 App. D]).
//!
//! [RFC 7515 App. D]: https://www.rfc-editor.org/rfc/rfc7515#appendix-D

use smallvec::SmallVec;

use super::{CertificateThumbprints, JwsError, JwsErrorKind, NameIndex};
use crate::{Algorithm, VerificationKey};

/// How many keys one token may cost a verification with.
const MAX_CANDIDATES: usize = 4;

/// What a header says of the key. Nothing of it is proven: it chooses among keys that are trusted.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "callers make it, and each member counts")]
pub struct KeyHint<'a> {
    /// `kid`.
    pub key_id: Option<&'a str>,
    /// `x5t` and `x5t#S256`.
    pub certificate: &'a CertificateThumbprints<'a>,
}

/// Keys that may have signed a token: at least one, and at most four.
#[derive(Debug, Default)]
pub struct Candidates<'k> {
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

    fn first_of(mut fitting: impl Iterator<Item = &'k VerificationKey>) -> Self {
        Self { keys: fitting.by_ref().take(MAX_CANDIDATES).collect(), left_out: fitting.count() }
    }

    /// Returns the keys, in the order in which they are tried.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &'k VerificationKey> {
        self.keys.iter().copied()
    }

    /// Returns how many keys are tried.
    #[inline]
    #[must_use]
    pub fn tried(&self) -> usize {
        self.keys.len()
    }

    /// Returns how many keys fit and are not tried.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Returns the error of a token that none of these keys has signed. Where not all that fit were
    /// tried, the signature may be right.
    #[cold]
    pub(super) fn mismatch(&self) -> JwsError {
        if self.left_out == 0 {
            return JwsErrorKind::SignatureMismatch.into();
        }
        let reason =
            "none of the first 4 keys that fit has made the signature, and no more are tried";
        JwsError::because(JwsErrorKind::AmbiguousKey, reason)
    }

    fn fit_several(&self) -> bool {
        self.keys.len() > 1
    }
}

/// How tokens and keys find each other.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "callers make it, and each member counts")]
pub struct KeyMatching {
    /// What a `kid` means.
    pub by: MatchBy,
    /// Which of several keys with one id is used.
    pub same_id: SameId,
}

/// Which of several keys with one id counts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "an engine must know each of them")]
pub enum SameId {
    /// Each may have signed the token.
    #[default]
    Each,
    /// The one that was added last, of those that allow the algorithm.
    Last,
}

/// What a `kid` says, and what it says that there is none.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "an engine must know each of them")]
pub enum MatchBy {
    /// A token without `kid` is for the only key that fits, and a key without an id for every token
    /// where no key has one.
    #[default]
    Lenient,
    /// The same, with every key that fits.
    TryAll,
    /// A token with `kid` is for the key of that id, and one without for keys without.
    ByIdAlone,
}

/// Keys with an index by key id. It never changes: other keys are another value of this type.
#[derive(Debug)]
pub struct KeyIndex {
    keys: Vec<VerificationKey>,
    by_id: NameIndex,
    matching: KeyMatching,
}

impl KeyIndex {
    /// Creates the index of these keys.
    #[must_use]
    pub fn new(keys: Vec<VerificationKey>, matching: KeyMatching) -> Self {
        let by_id = NameIndex::new(
            keys.iter().enumerate().filter_map(|(position, key)| Some((position, key.id()?))),
        );
        Self { keys, by_id, matching }
    }

    /// Returns the keys.
    #[must_use]
    pub fn keys(&self) -> &[VerificationKey] {
        &self.keys
    }

    /// Returns how tokens and keys are matched.
    #[must_use]
    pub fn matching(&self) -> KeyMatching {
        self.matching
    }

    /// Returns whether a key has a key id.
    #[must_use]
    pub fn has_key_ids(&self) -> bool {
        !self.by_id.is_empty()
    }

    /// Finds the keys that a token's header may mean ([RFC 7515 App. D]).
    ///
    /// A `kid` finds exactly the keys of that id: the set may hold one id twice. Where no key has
    /// an id, as with PEM files and secrets, a `kid` says nothing. Without `kid` the keys without
    /// an id come first, and exactly one key must fit, or be the one whose certificate the header
    /// names. [`KeyMatching`] can change that.
    ///
    /// # Errors
    ///
    /// [`JwsErrorKind::UnknownKey`] if no key has the `kid`, [`JwsErrorKind::AlgorithmNotAllowed`] if no
    /// such key allows the algorithm, and [`JwsErrorKind::AmbiguousKey`].
    ///
    /// [RFC 7515 App. D]: https://www.rfc-editor.org/rfc/rfc7515#appendix-D
    #[inline]
    pub fn candidates(
        &self,
        hint: KeyHint<'_>,
        algorithm: Algorithm,
    ) -> Result<Candidates<'_>, JwsError> {
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
    #[inline]
    fn named(
        &self,
        key_id: &str,
        algorithm: Algorithm,
        certificate: &CertificateThumbprints<'_>,
    ) -> Result<Candidates<'_>, JwsError> {
        let positions = self.by_id.get(key_id);
        if positions.is_empty() {
            return Err(JwsErrorKind::UnknownKey.into());
        }
        let named = positions.iter().filter_map(|&position| self.keys.get(position));
        let mut fitting = named.filter(|key| key.algorithm_set().contains(algorithm));
        not_empty(match self.matching.same_id {
            SameId::Each => Candidates::of(fitting, certificate),
            SameId::Last => Candidates::first_of(fitting.next_back().into_iter()),
        })
    }

    /// Finds the only key without an id, for a token without `kid`.
    fn without_id(&self, algorithm: Algorithm) -> Result<Candidates<'_>, JwsError> {
        let fitting = self.fitting(algorithm).filter(|key| key.id().is_none());
        let candidates = Candidates::first_of(fitting);
        if candidates.keys.is_empty() {
            // No source could change that.
            let reason = "the token has no `kid`, and no key without an id fits";
            return Err(JwsError::because(JwsErrorKind::AmbiguousKey, reason));
        }
        if candidates.fit_several() {
            return Err(JwsErrorKind::AmbiguousKey.into());
        }
        Ok(candidates)
    }

    /// Finds the keys for a token without `kid`, or for any token where no key has an id.
    fn unnamed(
        &self,
        algorithm: Algorithm,
        certificate: &CertificateThumbprints<'_>,
    ) -> Result<Candidates<'_>, JwsError> {
        let is_named = |key: &&VerificationKey| key.certificate().agree_with(certificate);
        let tries_all = self.matching.by == MatchBy::TryAll;
        if !tries_all && !certificate.is_empty() {
            let named = Candidates::first_of(self.fitting(algorithm).filter(is_named));
            if named.tried() == 1 {
                return Ok(named);
            }
        }
        let with_id = !self.fitting(algorithm).any(|key| key.id().is_none());
        let fitting = self.fitting(algorithm);
        let fitting =
            fitting.filter(|key| key.id().is_some() == with_id || (tries_all && is_named(key)));
        let candidates = Candidates::of(fitting, certificate);
        if candidates.fit_several() && !tries_all {
            return Err(JwsErrorKind::AmbiguousKey.into());
        }
        not_empty(candidates)
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
}

fn not_empty(candidates: Candidates<'_>) -> Result<Candidates<'_>, JwsError> {
    if candidates.keys.is_empty() {
        let reason = "no key of the issuer allows the algorithm";
        return Err(JwsError::because(JwsErrorKind::AlgorithmNotAllowed, reason));
    }
    Ok(candidates)
}
