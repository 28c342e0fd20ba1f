//! Why a store did not answer.

use std::{error::Error, fmt, sync::Arc};

/// Why a store did not answer. Its text must not contain credentials.
#[derive(Clone, Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    text: Box<str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store could not be reached, was too slow or is full. A later call may succeed.
    Unavailable,
    /// The store cannot return what follows a position.
    PositionLost,
    /// The store must not be used as it is: its schema is newer than the library, or a setting of it would
    /// lose entries. Someone must change something.
    Unusable,
    /// The store cannot keep an entry: it has no place for its kind, or for an id of this length.
    Unsupported,
}

impl StoreError {
    /// Creates an error.
    #[must_use]
    pub fn new(kind: StoreErrorKind, text: impl Into<Box<str>>) -> Self {
        Self { kind, text: text.into(), source: None }
    }

    /// Sets the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}
