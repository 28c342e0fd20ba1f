//! The tasks that ask the sources: one for each, for as long as the engine lives.

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use super::{KeySourceError, Loaded};
use crate::{Clock, issuer::IssuerKeys};

/// No fetch takes longer, whatever its source is.
const MAX_FETCH: Duration = Duration::from_secs(30);

/// The tasks of one engine. Dropping it ends them, fetches under way included.
#[derive(Debug)]
pub(crate) struct SourceTasks {
    /// Whether there is nothing left to start: what a request looks at, without a lock.
    settled: AtomicBool,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Default for SourceTasks {
    fn default() -> Self {
        let (settled, stop) = (AtomicBool::new(false), watch::Sender::new(false));
        Self { settled, stop, tasks: Mutex::default() }
    }
}

impl SourceTasks {
    /// Starts the tasks, once. Without a runtime nothing happens, until a later call has one.
    pub(crate) fn start<'a>(
        &self,
        issuers: impl Iterator<Item = &'a Arc<IssuerKeys>>,
        clock: &Arc<dyn Clock>,
    ) {
        if self.settled.load(Ordering::Acquire) {
            return;
        }
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at again, because another request may have come first.
        if self.settled.load(Ordering::Acquire) {
            return;
        }
        for issuer in issuers {
            for index in 0..issuer.sources().len() {
                // There is one for all or for none.
                let Ok(runtime) = Handle::try_current() else { return };
                let stop = self.stop.subscribe();
                let task = drive(Arc::downgrade(issuer), index, Arc::clone(clock), stop);
                tasks.push(runtime.spawn(task));
            }
        }
        self.settled.store(true, Ordering::Release);
    }

    /// Tells whether the tasks were started, or need not be.
    pub(crate) fn are_settled(&self) -> bool {
        self.settled.load(Ordering::Acquire)
    }

    /// Ends the tasks and waits until they are over. They do not start again.
    pub(crate) async fn stop(&self) {
        let tasks = {
            // Held from the first step on: a start that has begun is over before, and what it
            // started is told to stop.
            let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            self.settled.store(true, Ordering::Release);
            self.stop.send_replace(true);
            std::mem::take(&mut *tasks)
        };
        for task in tasks {
            // A task that panicked is over too.
            let _ = task.await;
        }
    }
}

/// Asks one source whenever it is due or a token wants it.
async fn drive(
    issuer: Weak<IssuerKeys>,
    index: usize,
    clock: Arc<dyn Clock>,
    mut stop: watch::Receiver<bool>,
) {
    let mut fetches = JoinSet::new();
    tokio::select! {
        // Both a message and the end of the sender mean to stop.
        _ = stop.changed() => {}
        () = drive_until_dropped(&issuer, index, &clock, &mut fetches) => {}
    }
    fetches.shutdown().await;
    if let Some(issuer) = issuer.upgrade()
        && let Some(source) = issuer.sources().get(index)
    {
        source.close();
    }
}

async fn drive_until_dropped(
    issuer: &Weak<IssuerKeys>,
    index: usize,
    clock: &Arc<dyn Clock>,
    fetches: &mut Fetches,
) {
    // The engine is held only for moments, so that this task never keeps it alive.
    while let Some(source) =
        issuer.upgrade().and_then(|issuer| issuer.sources().get(index).cloned())
    {
        tokio::select! {
            () = clock.sleep_until(source.next_due()) => {}
            () = source.woken() => {}
        }
        let Some((loader, known)) = source.begin(clock.now()) else { continue };
        let fetch = async move { loader.load(known.as_ref()).await };
        let outcome = load(clock, fetches, fetch).await;
        source.end(outcome, clock.now());
        if let Some(issuer) = issuer.upgrade() {
            issuer.rebuild(clock.now());
        }
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
