//! The tasks of one engine: started once, started again where their runtime has gone away, and
//! ended together.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::{runtime::Handle, sync::watch};

use super::{
    IssuerKeys,
    driver::{SourceRef, drive},
};
use crate::Clock;

/// The tasks of one engine. Dropping it ends them, fetches under way included.
#[derive(Debug)]
pub(crate) struct SourceTasks {
    /// Whether there is nothing to start: what a request looks at, without a lock. A task that goes
    /// away before its time takes it back.
    settled: Arc<AtomicBool>,
    /// Each task holds a receiver until it is over.
    stop: watch::Sender<bool>,
    /// For each source, whether it has a task.
    alive: Mutex<Vec<Arc<AtomicBool>>>,
}

impl Default for SourceTasks {
    fn default() -> Self {
        let (settled, stop) = (Arc::default(), watch::Sender::new(false));
        Self { settled, stop, alive: Mutex::default() }
    }
}

impl SourceTasks {
    /// Starts the tasks that are not there: all of them at first, and later those whose runtime has
    /// gone away. Without a runtime nothing happens, until a later call has one.
    pub(crate) fn start<'a>(
        &self,
        issuers: impl Iterator<Item = &'a Arc<IssuerKeys>>,
        clock: &Arc<dyn Clock>,
    ) {
        // Nothing is read on the strength of this: what is started is decided under the lock.
        if self.settled.load(Ordering::Relaxed) {
            return;
        }
        self.start_missing(issuers, clock);
    }

    #[cold]
    fn start_missing<'a>(
        &self,
        issuers: impl Iterator<Item = &'a Arc<IssuerKeys>>,
        clock: &Arc<dyn Clock>,
    ) {
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        if *self.stop.borrow() {
            // A task that was told to stop, and whose runtime went away first, had taken it back.
            self.settled.store(true, Ordering::SeqCst);
            return;
        }
        let sources: Vec<_> = issuers.flat_map(SourceRef::all).collect();
        let runtime = Handle::try_current();
        // There is one for all or for none.
        if runtime.is_err() && !sources.is_empty() {
            return;
        }
        // Before the tasks are looked at: one that goes away after the look takes it back.
        self.settled.store(true, Ordering::SeqCst);
        alive.resize_with(sources.len(), Arc::default);
        for (source, alive) in sources.into_iter().zip(&*alive) {
            if let (Ok(runtime), false) = (&runtime, alive.swap(true, Ordering::SeqCst)) {
                let alive = Alive::new(alive, &self.settled, &source);
                runtime.spawn(drive(source, Arc::clone(clock), alive, self.stop.subscribe()));
            }
        }
    }

    /// Tells whether the tasks were started, or need not be.
    pub(crate) fn are_settled(&self) -> bool {
        self.settled.load(Ordering::SeqCst)
    }

    /// Ends the tasks and waits until they are over, as whoever else calls this does. They do not
    /// start again.
    pub(crate) async fn stop(&self) {
        {
            // A start that has begun is over before, and what it started is told to stop.
            let _alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
            self.stop.send_replace(true);
            self.settled.store(true, Ordering::SeqCst);
        }
        self.stop.closed().await;
    }
}

/// Tells that a task is there, until it ends: as it should, or because its runtime has gone away.
#[derive(Debug)]
pub(super) struct Alive {
    alive: Arc<AtomicBool>,
    settled: Arc<AtomicBool>,
    /// `None` once the task has ended as it should.
    source: Option<SourceRef>,
}

impl Alive {
    fn new(alive: &Arc<AtomicBool>, settled: &Arc<AtomicBool>, source: &SourceRef) -> Self {
        let (alive, settled) = (Arc::clone(alive), Arc::clone(settled));
        Self { alive, settled, source: Some(source.clone()) }
    }

    /// The task ends as it should: nobody is to start it again.
    pub(super) fn end(&mut self) {
        self.source = None;
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let Some(source) = self.source.take() else { return };
        self.alive.store(false, Ordering::SeqCst);
        self.settled.store(false, Ordering::SeqCst);
        // Those who wait for a fetch of this task would wait in vain.
        if let Some(source) = source.upgrade() {
            source.interrupt();
        }
    }
}
