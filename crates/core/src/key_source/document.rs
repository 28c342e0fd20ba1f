//! What a source brings.

use std::{sync::Arc, time::Duration};

use crate::{JwkSet, JwkSetError, SkippedKey, VerificationKey};

/// What a source answers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Loaded {
    /// The keys, anew.
    Document(KeyDocument),
    /// The keys are the same as last time; they are good for this long from now, if it is known.
    NotModified(Option<Duration>),
}

/// The keys of a source.
#[derive(Clone, Debug)]
#[must_use]
pub struct KeyDocument {
    pub(crate) keys: Arc<[VerificationKey]>,
    pub(crate) skipped: Arc<[SkippedKey]>,
    /// How many keys come after the first 100 usable ones.
    pub(crate) beyond_limit: usize,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) validators: Option<Validators>,
    pub(crate) json: Option<Arc<str>>,
    /// Whether half of the document could be taken for a whole one, so that two loads must agree.
    pub(crate) settles: bool,
}

impl KeyDocument {
    /// Creates a document of keys. It has no lifetime of its own.
    pub fn new<I: IntoIterator<Item = VerificationKey>>(keys: I) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            skipped: Arc::default(),
            beyond_limit: 0,
            lifetime: None,
            validators: None,
            json: None,
            settles: false,
        }
    }

    /// Half of the document could be taken for a whole one: it replaces another one only when two loads,
    /// at least a second apart, bring the same validators.
    pub(super) fn settling(self) -> Self {
        Self { settles: true, ..self }
    }

    /// Reads the JSON text of a JWK Set.
    ///
    /// # Errors
    ///
    /// As [`JwkSet::from_json`].
    pub fn from_json(json: &str) -> Result<Self, JwkSetError> {
        let set = JwkSet::from_json(json)?;
        let document = Self::new(set.keys().iter().cloned());
        Ok(Self {
            skipped: set.skipped().into(),
            beyond_limit: set.beyond_limit(),
            json: Some(json.into()),
            ..document
        })
    }

    /// Checks that another document has the same keys. Keys of which this cannot be said count as other
    /// ones.
    pub(crate) fn has_same_keys(&self, other: &Self) -> bool {
        let is_same = |(a, b): (&VerificationKey, &VerificationKey)| {
            let same_material = a.thumbprint().is_some() && a.thumbprint() == b.thumbprint();
            same_material && a.id() == b.id() && a.algorithm_set() == b.algorithm_set()
        };
        Arc::ptr_eq(&self.keys, &other.keys)
            || (self.json.is_some() && self.json == other.json)
            || (self.keys.len() == other.keys.len()
                && self.keys.iter().zip(&*other.keys).all(is_same))
    }

    /// How long the keys are good, as the source says. It is kept within the limits of the
    /// [`RefreshPolicy`](crate::keys::RefreshPolicy).
    pub fn lifetime(self, lifetime: Option<Duration>) -> Self {
        Self { lifetime, ..self }
    }

    /// What tells next time whether the keys have changed.
    pub fn validators(self, validators: Option<Validators>) -> Self {
        Self { validators, ..self }
    }
}

/// What tells whether a document has changed: the validators of [RFC 9110 §8.8].
///
/// [RFC 9110 §8.8]: https://www.rfc-editor.org/rfc/rfc9110#section-8.8
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "HTTP has these two and no others")]
pub struct Validators {
    /// The `ETag`.
    pub etag: Option<String>,
    /// The `Last-Modified`.
    pub last_modified: Option<String>,
}
