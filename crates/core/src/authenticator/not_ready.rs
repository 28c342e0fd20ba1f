//! Why an engine is not ready.

use std::{error::Error, fmt};

use crate::{issuer::IssuerConfig, key_source::KeySourceError, revocation::StoreError};

/// An issuer has no usable keys, or nothing is known of revocations or used tokens.
#[derive(Clone, Debug)]
pub struct NotReady(What);

#[derive(Clone, Debug)]
enum What {
    Keys { issuer: String, cause: Option<KeySourceError> },
    Store { text: &'static str, store: String, cause: Option<StoreError> },
}

impl NotReady {
    /// Creates the error of a store.
    pub(super) fn store(text: &'static str, store: &str, cause: Option<StoreError>) -> Self {
        Self(What::Store { text, store: store.to_owned(), cause })
    }

    /// Returns the issuer that has no usable keys; `None` if a store is not ready.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        match &self.0 {
            What::Keys { issuer, .. } => Some(issuer),
            What::Store { .. } => None,
        }
    }

    /// Returns what a client may know.
    pub(super) fn for_clients(&self) -> &'static str {
        match &self.0 {
            What::Keys { .. } => "no usable keys",
            What::Store { .. } => "not ready",
        }
    }

    /// Replaces its texts, which may hold what must not be shown.
    #[doc(hidden)]
    #[must_use]
    pub fn with_texts(self, text: impl Fn(String) -> String) -> Self {
        Self(match self.0 {
            What::Keys { issuer, cause } => {
                let cause = cause.map(|cause| match text(cause.text()) {
                    same if same == cause.text() => cause,
                    text => KeySourceError::new(text),
                });
                What::Keys { issuer: text(issuer), cause }
            }
            What::Store { text: what, store, cause } => {
                let cause = cause.map(|cause| match text(cause.to_string()) {
                    same if same == cause.to_string() => cause,
                    text => StoreError::new(cause.kind(), text),
                });
                What::Store { text: what, store: text(store), cause }
            }
        })
    }
}

pub(super) fn not_ready(issuer: &IssuerConfig) -> NotReady {
    NotReady(What::Keys { issuer: issuer.name().to_owned(), cause: issuer.keys.trouble() })
}

pub(super) fn no_runtime(issuer: &IssuerConfig) -> NotReady {
    let cause = KeySourceError::new("keys are fetched by tasks, which need a tokio runtime");
    NotReady(What::Keys { issuer: issuer.name().to_owned(), cause: Some(cause) })
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            What::Keys { issuer, .. } => write!(f, "issuer `{issuer}` has no usable keys"),
            What::Store { text, store, .. } => write!(f, "{text} (store `{store}`)"),
        }
    }
}

impl Error for NotReady {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            What::Keys { cause: Some(cause), .. } => Some(cause),
            What::Store { cause: Some(cause), .. } => Some(cause),
            What::Keys { .. } | What::Store { .. } => None,
        }
    }
}
