//! The task that follows a store: started once, started again if its runtime went away, and ended.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::{runtime::Handle, sync::watch};

use super::follower::Follower;
use crate::Clock;

/// The task. Dropping this ends it.
#[derive(Debug)]
pub(super) struct FollowerTask {
    /// Whether there is nothing to start: what a request looks at, without a lock. A task that goes away
    /// before its time takes it back.
    settled: Arc<AtomicBool>,
    /// Held while a task is started.
    starting: Mutex<()>,
    /// The task holds a receiver until it is over.
    stop: watch::Sender<bool>,
}

impl Default for FollowerTask {
    fn default() -> Self {
        Self {
            settled: Arc::default(),
            starting: Mutex::default(),
            stop: watch::Sender::new(false),
        }
    }
}

impl FollowerTask {
    /// Starts the task if it does not run. Without a runtime this does nothing; a later call may have one.
    #[inline]
    pub(super) fn start(&self, parts: impl FnOnce() -> (Arc<Follower>, Arc<dyn Clock>)) {
        if !self.is_settled() {
            self.start_missing(parts);
        }
    }

    #[cold]
    fn start_missing(&self, parts: impl FnOnce() -> (Arc<Follower>, Arc<dyn Clock>)) {
        let _starting = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        if *self.stop.borrow() {
            // A task that was stopped, and whose runtime went away first, had taken it back.
            self.settled.store(true, Ordering::SeqCst);
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        if self.settled.swap(true, Ordering::SeqCst) {
            return;
        }
        let ((follower, clock), mut stop) = (parts(), self.stop.subscribe());
        let mut alive = Alive(Some((Arc::clone(&self.settled), Arc::clone(&follower))));
        runtime.spawn(async move {
            tokio::select! {
                () = follower.run(&*clock) => {}
                // An error means that the handle is dropped, so nothing can start the task again.
                _ = stop.wait_for(|stop| *stop) => alive.end(),
            }
            drop(alive);
        });
    }

    /// Tells whether the task was started.
    pub(super) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }

    /// Ends the task, and waits until it is over. It does not start again.
    pub(super) async fn stop(&self) {
        {
            // A start that has begun ends first, and its task receives the signal to stop.
            let _starting = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
            self.stop.send_replace(true);
            self.settled.store(true, Ordering::SeqCst);
        }
        self.stop.closed().await;
    }
}

/// Takes the flag back when a task goes away before it should, such as with its runtime.
struct Alive(Option<(Arc<AtomicBool>, Arc<Follower>)>);

impl Alive {
    /// The task ends as it should: it is not started again.
    fn end(&mut self) {
        self.0 = None;
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if let Some((settled, follower)) = self.0.take() {
            settled.store(false, Ordering::SeqCst);
            // `ready()` would wait for an attempt of this task in vain.
            follower.task_ended();
        }
    }
}
