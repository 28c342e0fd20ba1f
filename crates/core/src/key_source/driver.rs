//! The tasks that ask the sources: one for each, for as long as the engine lives.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{sync::watch, task::JoinSet};

use super::{CachedSource, IssuerKeys, KeySourceError, Loaded, tasks::Alive};
use crate::{Clock, interleave::point};

/// No fetch takes longer, whatever its source is.
const MAX_FETCH: Duration = Duration::from_secs(30);

/// How long to sleep at most before the clock is looked at again. It may have been set, which a sleep
/// does not notice: after a step into the past, the next fetch would wait until the old time returns.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// One source of one issuer. It is held for moments only, so that no task keeps the engine alive.
#[derive(Clone, Debug)]
pub(super) struct SourceRef {
    issuer: Weak<IssuerKeys>,
    index: usize,
}

impl SourceRef {
    /// All sources of an issuer.
    pub(super) fn all(issuer: &Arc<IssuerKeys>) -> impl Iterator<Item = Self> + use<> {
        let weak = Arc::downgrade(issuer);
        (0..issuer.sources().len()).map(move |index| Self { issuer: Weak::clone(&weak), index })
    }

    /// Returns the source, if the engine is still there.
    pub(super) fn upgrade(&self) -> Option<Arc<CachedSource>> {
        self.issuer.upgrade()?.sources().get(self.index).cloned()
    }
}

/// Asks one source whenever it is due or a token wants it.
pub(super) async fn drive(
    source: SourceRef,
    clock: Arc<dyn Clock>,
    mut alive: Alive,
    mut stop: watch::Receiver<bool>,
) {
    let mut fetches = JoinSet::new();
    tokio::select! {
        // Both a message and the end of the sender mean to stop.
        _ = stop.changed() => {}
        () = drive_until_dropped(&source, &clock, &mut fetches) => {}
    }
    fetches.shutdown().await;
    if let Some(source) = source.upgrade() {
        source.close();
    }
    alive.end();
    // Whoever sees the receiver gone knows that all of this is over.
    drop(stop);
}

async fn drive_until_dropped(of_engine: &SourceRef, clock: &Arc<dyn Clock>, fetches: &mut Fetches) {
    if let Some(source) = of_engine.upgrade() {
        source.resume();
    }
    while let Some(source) = of_engine.upgrade() {
        let until = source.next_due().min(clock.now().saturating_add(LONGEST_SLEEP));
        tokio::select! {
            () = clock.sleep_until(until) => {}
            () = source.woken() => {}
        }
        let now = clock.now();
        if source.look_at_time(now)
            && let Some(issuer) = of_engine.issuer.upgrade()
        {
            issuer.rebuild(now);
        }
        let Some((loader, known)) = source.begin(now) else { continue };
        let fetch = async move { loader.load(known.as_ref()).await };
        let outcome = load(clock, fetches, fetch).await;
        point("key source: loaded");
        source.end(outcome, clock.now());
        point("key source: ended");
        if let Some(issuer) = of_engine.issuer.upgrade() {
            issuer.rebuild(clock.now());
        }
        point("key source: keys rebuilt");
        source.announce();
    }
}

/// At most one fetch: a set, because that ends and awaits what is in it.
type Fetches = JoinSet<Result<Loaded, KeySourceError>>;

/// Runs a fetch in a task of its own, which its panic ends and nothing else.
async fn load(
    clock: &Arc<dyn Clock>,
    fetches: &mut Fetches,
    fetch: impl Future<Output = Result<Loaded, KeySourceError>> + Send + 'static,
) -> Result<Loaded, KeySourceError> {
    // A source is never asked twice at once: one that did not answer in time must have ended.
    fetches.shutdown().await;
    fetches.spawn(fetch);
    tokio::select! {
        joined = fetches.join_next() => match joined {
            Some(Ok(outcome)) => outcome,
            Some(Err(error)) => Err(KeySourceError::with_source("the source panicked", error)),
            None => Err(KeySourceError::new("the fetch was lost")),
        },
        () = clock.sleep(MAX_FETCH) => {
            fetches.abort_all();
            Err(KeySourceError::new("no answer within 30 s"))
        }
    }
}
