//! Keys, and the sources that they come from.
//!
//! A [`KeySource`] returns keys. The engine decides when to fetch them, caches them and goes on with them
//! during an outage. An issuer without sources has keys that never change.

#[cfg(feature = "remote")]
pub use crate::key_source::{
    Fetch, FetchError, FetchRequest, FetchResponse, HttpFetch, RemoteJwkSet,
};
pub use crate::{
    authenticator::{KeyChanges, NotReady},
    key_source::{
        JwkSetFile, KeyDocument, KeyInfo, KeySource, KeySourceError, KeyStatus, KeyTransport,
        Loaded, PemFile, RefreshPolicy, SecretFile, Validators,
    },
};
pub use portcullis_jose::{JwkSet, SigningKey, SkippedKey, VerificationKey};

pub(crate) use portcullis_jose::jws::{Candidates, KeyHint, KeyMatching, MatchBy, SameId};
use portcullis_jose::jws::{JwsErrorKind, KeyIndex, NameIndex};

use crate::{Algorithm, AuthError, AuthErrorKind};

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
    index: KeyIndex,
    skipped: SkippedKeys,
    /// When the first of them becomes too old, if any does.
    usable_until: Option<crate::NumericDate>,
    /// Whether each source has keys.
    complete: bool,
}

impl Keys {
    pub(crate) fn new(keys: Vec<VerificationKey>, matching: KeyMatching) -> Self {
        Self {
            index: KeyIndex::new(keys, matching),
            skipped: SkippedKeys::default(),
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
        self.index.keys()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.index.keys().is_empty()
    }

    /// Finds the keys that a token's header may mean, as [`KeyIndex::candidates`] does. While a source has
    /// no keys, a key that is not found may be one of that source.
    #[inline]
    pub(crate) fn candidates(
        &self,
        hint: KeyHint<'_>,
        algorithm: Algorithm,
    ) -> Result<Candidates<'_>, AuthError> {
        self.index.candidates(hint, algorithm).map_err(|error| match error.kind() {
            JwsErrorKind::UnknownKey | JwsErrorKind::AlgorithmNotAllowed if !self.complete => {
                AuthErrorKind::KeysUnavailable.into()
            }
            JwsErrorKind::UnknownKey => self.skipped.unknown(hint.key_id.unwrap_or_default()),
            _ => error.into(),
        })
    }

    /// Tells whether a signature that none of the keys has made may be that of a key which is not
    /// here: a source has brought nothing yet, and no key has an id, or all keys are tried, or the source's
    /// keys would stand in front of those of the same id. Where ids alone count, no source brings keys for
    /// a token that was judged by keys without.
    pub(crate) fn may_be_elsewhere(&self) -> bool {
        let any_key_counts = match self.index.matching().by {
            MatchBy::Lenient => !self.index.has_key_ids(),
            MatchBy::TryAll => true,
            MatchBy::ByIdAlone => false,
        };
        !self.complete && (any_key_counts || self.index.matching().same_id == SameId::Last)
    }
}
