//! The state of the keys: whether they are there, what they are, and when they change.

use std::{error::Error, fmt, sync::Arc};

use super::Authenticator;
use crate::{
    KeyStatus,
    issuer::IssuerConfig,
    key_source::{FetchEnd, FetchOver, KeySourceError, any_over},
};

impl<G: Send + Sync + 'static> Authenticator<G> {
    /// Fetches the keys of all sources, and waits until each issuer has some.
    ///
    /// Without this call the first request starts the fetches. Until keys are there, requests that
    /// need them are answered with 503.
    ///
    /// # Errors
    ///
    /// [`NotReady`] names the issuer, the source and what went wrong, as soon as every source of an
    /// issuer has failed once. The engine goes on trying: it may become ready later.
    pub async fn ready(&self) -> Result<(), NotReady> {
        self.start_tasks();
        for issuer in self.engine.issuers.all() {
            let sources = issuer.keys.sources();
            let mut waiting: Vec<FetchOver> =
                sources.iter().map(|source| source.subscribe()).collect();
            while !self.has_keys(issuer) {
                // At each turn, because a runtime that ends takes its tasks with it.
                self.start_tasks();
                if !self.engine.tasks.are_settled() {
                    return Err(no_runtime(issuer));
                }
                if sources.iter().all(|source| source.was_asked()) {
                    return Err(not_ready(issuer));
                }
                // For whichever is first, so that a source that is down holds no other up.
                any_over(&mut waiting).await;
            }
        }
        Ok(())
    }

    /// Tells whether each issuer has usable keys now, for a readiness probe.
    ///
    /// # Errors
    ///
    /// [`NotReady`] names the first issuer that has none, and why.
    pub fn health(&self) -> Result<(), NotReady> {
        let without = self.engine.issuers.all().find(|issuer| !self.has_keys(issuer));
        without.map_or(Ok(()), |issuer| Err(not_ready(issuer)))
    }

    /// Returns the state of each source of keys.
    #[must_use]
    pub fn key_status(&self) -> Vec<KeyStatus> {
        let now = self.engine.clock.now();
        let issuers = self.engine.issuers.all();
        issuers
            .flat_map(|issuer| {
                issuer.keys.sources().iter().map(move |source| source.status(issuer.name(), now))
            })
            .collect()
    }

    /// Returns what tells when a fetch is over, so that the [status](Self::key_status) is worth a
    /// new look.
    #[must_use]
    pub fn key_changes(&self) -> KeyChanges {
        let issuers = self.engine.issuers.all();
        let sources = issuers.flat_map(|issuer| issuer.keys.sources());
        KeyChanges { sources: sources.map(|source| source.subscribe()).collect() }
    }

    /// Ends all tasks that fetch keys, and waits until they are over, as every other call of this
    /// does meanwhile. The keys at hand stay.
    pub async fn shutdown(&self) {
        self.engine.tasks.stop().await;
        // Those whose task never ran, too.
        for issuer in self.engine.issuers.all() {
            issuer.keys.sources().iter().for_each(|source| source.close());
        }
    }

    pub(super) fn start_tasks(&self) {
        self.engine
            .tasks
            .start(self.engine.issuers.all().map(|issuer| &issuer.keys), &self.engine.clock);
    }

    fn has_keys(&self, issuer: &Arc<IssuerConfig>) -> bool {
        !issuer.keys.load(self.engine.clock.now()).is_empty()
    }
}

fn not_ready(issuer: &IssuerConfig) -> NotReady {
    NotReady { issuer: issuer.name().to_owned(), cause: issuer.keys.trouble() }
}

fn no_runtime(issuer: &IssuerConfig) -> NotReady {
    let cause = KeySourceError::new("keys are fetched by tasks, which need a tokio runtime");
    NotReady { issuer: issuer.name().to_owned(), cause: Some(cause) }
}

/// An issuer has no usable keys.
#[derive(Clone, Debug)]
pub struct NotReady {
    issuer: String,
    cause: Option<KeySourceError>,
}

impl NotReady {
    /// Returns the issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "issuer `{}` has no usable keys", self.issuer)
    }
}

impl Error for NotReady {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Some(cause) => Some(cause),
            None => None,
        }
    }
}

/// Tells when a fetch of keys is over.
#[derive(Debug)]
pub struct KeyChanges {
    sources: Vec<FetchOver>,
}

impl KeyChanges {
    /// Waits until a fetch of any source is over since the last call. Returns `false` when the
    /// engine is gone, or has no sources: then nothing will change any more.
    ///
    /// ```no_run
    /// # async fn watch(auth: portcullis::Authenticator) {
    /// let mut changes = auth.key_changes();
    /// while changes.changed().await {
    ///     println!("{:?}", auth.key_status());
    /// }
    /// # }
    /// ```
    pub async fn changed(&mut self) -> bool {
        !self.sources.is_empty() && any_over(&mut self.sources).await.1 != FetchEnd::Gone
    }
}
