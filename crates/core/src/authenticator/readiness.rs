//! Whether the engine is ready: the state of the keys, and of the revocations.

use std::{sync::Arc, time::Duration};

use super::{
    Authenticator, NotReady,
    not_ready::{no_runtime, not_ready},
    revocation_readiness::{check_revocations, take_over_revocations},
};
use crate::{
    ConfigError, KeyStatus,
    adapter::PlainResponse,
    engine::Engine,
    issuer::IssuerConfig,
    key_source::{FetchEnd, FetchOver, any_over},
};

impl<G: Send + Sync + 'static> Authenticator<G> {
    /// Fetches the keys of all sources, and waits until each issuer has some. Loads the revocations, if the
    /// engine has any, and prepares the store of used tokens.
    ///
    /// Without this call, or [`start`](Self::start), the first request starts this. Until keys and revocations
    /// are there, requests that need them are answered with 503.
    ///
    /// # Errors
    ///
    /// [`NotReady`] names the issuer, the source and what went wrong, as soon as every source of an
    /// issuer has failed once; or the store that has failed. The engine goes on trying: it may become ready
    /// later.
    pub async fn ready(&self) -> Result<(), NotReady> {
        self.engine().ready().await
    }

    /// Begins to fetch the keys of all sources and to load the revocations, and waits for neither: for services that start while the
    /// server of their keys is away. Outside of a tokio runtime nothing is done; the first request that
    /// is judged in one begins then.
    pub fn start(&self) {
        self.engine().start_tasks();
    }

    /// Tells whether each issuer has usable keys now, and whether the revocations in memory may be used, for a
    /// readiness probe.
    ///
    /// # Errors
    ///
    /// [`NotReady`] names the first issuer that has none, or the store, and why.
    pub fn health(&self) -> Result<(), NotReady> {
        let engine = self.engine();
        let without = engine.issuers.all().find(|issuer| !engine.has_keys(issuer));
        without.map_or(Ok(()), |issuer| Err(not_ready(issuer)))?;
        engine.revocations_health()
    }

    /// Answers a readiness probe with the [health](Self::health), for adapters to render:
    ///
    /// 1. `GET` and `HEAD` get 200 and `ready`, or 503 and `no usable keys` or, if only revocations are missing,
    ///    `not ready`. Neither is cached, and no client learns which issuer or store it is about: the log,
    ///    [`key_status`](Self::key_status) and [`revocation_status`](Self::revocation_status) say.
    /// 2. Any other method gets 405.
    #[must_use]
    pub fn respond_to_probe(&self, method: &str) -> PlainResponse<'static> {
        match method {
            "GET" | "HEAD" => match self.health() {
                Ok(()) => PlainResponse::new(200, PROBE, "ready"),
                Err(not_ready) => PlainResponse::new(503, PROBE, not_ready.for_clients()),
            },
            _ => PlainResponse::new(405, &[("allow", "GET, HEAD")], ""),
        }
    }

    /// Returns the state of each source of keys.
    #[must_use]
    pub fn key_status(&self) -> Vec<KeyStatus> {
        let engine = self.engine();
        let now = engine.clock.now();
        let issuers = engine.issuers.all();
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
        let engine = self.engine();
        let issuers = engine.issuers.all();
        let sources = issuers.flat_map(|issuer| issuer.keys.sources());
        KeyChanges { sources: sources.map(|source| source.subscribe()).collect() }
    }

    /// Ends all tasks that fetch keys and the one that follows revocations, and waits until they are over, as
    /// every other call of this does meanwhile. The keys at hand stay. Revocations stay usable until they are
    /// [too old](crate::revocation::Revocations::max_staleness), also for other engines that share them.
    pub async fn shutdown(&self) {
        let engine = self.engine();
        engine.tasks.stop().await;
        if let Some(revocations) = &engine.revocations {
            revocations.stop().await;
        }
        // Those whose task never ran, too.
        for issuer in engine.issuers.all() {
            issuer.keys.sources().iter().for_each(|source| source.close());
        }
    }
}

impl<G: Send + Sync + 'static> Engine<G> {
    pub(super) async fn ready(&self) -> Result<(), NotReady> {
        self.start_tasks();
        for issuer in self.issuers.all() {
            self.ready_for(issuer).await?;
        }
        self.ready_for_revocations().await?;
        self.prepare_replay_store().await
    }

    async fn ready_for(&self, issuer: &IssuerConfig) -> Result<(), NotReady> {
        let sources = issuer.keys.sources();
        let mut waiting: Vec<FetchOver> = sources.iter().map(|source| source.subscribe()).collect();
        while !self.has_keys(issuer) {
            // At each turn, because a runtime that ends takes its tasks with it.
            self.start_tasks();
            if !self.tasks.are_settled() {
                return Err(no_runtime(issuer));
            }
            if sources.iter().all(|source| source.was_asked()) {
                return Err(not_ready(issuer));
            }
            // For whichever is first, so that a source that is down holds no other up.
            any_over(&mut waiting).await;
        }
        Ok(())
    }

    #[inline]
    pub(super) fn start_tasks(&self) {
        self.tasks.start(self.issuers.all().map(|issuer| &issuer.keys), &self.clock);
        if let Some(revocations) = &self.revocations {
            revocations.start();
        }
    }

    pub(super) fn has_keys(&self, issuer: &IssuerConfig) -> bool {
        !issuer.keys.load(self.clock.now()).is_empty()
    }
}

const PROBE: &[(&str, &str)] =
    &[("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store")];

/// How long a new engine is waited for, which fetches what the old one does not have.
const TAKE_OVER_WITHIN: Duration = Duration::from_secs(10);

/// Makes a new engine ready to take the place of an old one.
///
/// # Errors
///
/// [`ConfigError::KeysWouldBeLost`] if an issuer has keys in the old one alone. One that is new, or has
/// none either way, may come later. [`ConfigError::RevocationsNotLoaded`] if nothing is known of the new
/// one's revocations.
pub(super) async fn take_over<G: Send + Sync + 'static>(
    old: &Engine<G>,
    new: &Engine<G>,
) -> Result<(), ConfigError> {
    take_over_keys(old, new);
    take_over_revocations(old, new).await?;
    new.start_tasks();
    if new.revocations_health().is_ok() && new.issuers.all().all(|issuer| new.has_keys(issuer)) {
        return Ok(());
    }
    let ready = async {
        // Each for itself: one that fails must not end the wait for the others.
        for issuer in new.issuers.all() {
            let _ = new.ready_for(issuer).await;
        }
        let _ = new.ready_for_revocations().await;
    };
    if tokio::runtime::Handle::try_current().is_ok() {
        tokio::select! {
            () = ready => {}
            () = new.clock.sleep(TAKE_OVER_WITHIN) => {}
        }
    } else {
        // Nothing is fetched without a runtime, and nothing can be waited for.
        ready.await;
    }
    check_revocations(old, new)?;
    for issuer in new.issuers.all().filter(|issuer| !new.has_keys(issuer)) {
        let is_lost =
            |other: &Arc<IssuerConfig>| other.name() == issuer.name() && old.has_keys(other);
        let not_ready = not_ready(issuer);
        if old.issuers.all().any(is_lost) {
            return Err(ConfigError::KeysWouldBeLost(not_ready));
        }
        #[cfg(feature = "tracing")]
        tracing::warn!(target: "portcullis::keys", issuer = issuer.name(), "not ready yet: {not_ready}");
    }
    Ok(())
}

/// Takes over the keys of the same sources where those of the old engine are newer. This includes what it
/// fetched during the wait for the new engine, so that a key that was withdrawn meanwhile does not come back.
pub(super) fn take_over_keys<G>(old: &Engine<G>, new: &Engine<G>) {
    for issuer in new.issuers.all() {
        if let Some(same) = old.issuers.all().find(|other| other.name() == issuer.name()) {
            issuer.keys.take_over(&same.keys, new.clock.now());
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
