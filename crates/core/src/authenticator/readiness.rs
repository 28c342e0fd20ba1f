//! The state of the keys: whether they are there, what they are, and when they change.

use std::{error::Error, fmt, sync::Arc};

use super::Authenticator;
use crate::{
    KeyStatus,
    issuer::IssuerConfig,
    key_source::{FetchOver, KeySourceError},
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
            let mut waiting: Vec<FetchOver> =
                issuer.keys.sources().iter().map(|source| source.subscribe()).collect();
            while !self.has_keys(issuer) {
                let next = issuer.keys.sources().iter().zip(&mut waiting);
                match next.filter(|(source, _)| !source.was_asked()).map(|(_, over)| over).next() {
                    Some(over) => over.wait().await,
                    None => return Err(not_ready(issuer)),
                }
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

    /// Ends all tasks that fetch keys, and waits until they are over. The keys at hand stay.
    pub async fn shutdown(&self) {
        self.engine.tasks.stop().await;
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
    /// Waits until a fetch of any source is over since the last call.
    pub async fn changed(&mut self) {
        let mut changes: Vec<_> =
            self.sources.iter_mut().map(|source| Box::pin(source.wait())).collect();
        std::future::poll_fn(|cx| {
            let any = changes.iter_mut().any(|change| change.as_mut().poll(cx).is_ready());
            if any { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}
