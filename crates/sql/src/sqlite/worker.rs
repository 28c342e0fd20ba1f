//! The threads on which statements run.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use portcullis::revocation::{StoreError, StoreErrorKind};
use tokio::sync::{mpsc, oneshot};

use super::{
    error::Failure,
    file::{Access, File, Open, Session},
};

/// How many calls may wait for a thread. More wait for a place.
const QUEUE: usize = 256;

/// A thread with a connection, started by the first call. It ends when the store is dropped.
#[derive(Debug)]
pub(super) struct Worker {
    name: &'static str,
    file: Arc<File>,
    access: Access,
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
}

type Job = Box<dyn FnOnce(&mut Session) + Send>;

impl Worker {
    pub(super) fn new(name: &'static str, file: &Arc<File>, access: Access) -> Self {
        Self { name, file: Arc::clone(file), access, jobs: Mutex::new(None) }
    }

    /// Runs statements on the thread. If the caller is gone before they start, they do not run; if they have
    /// started, they run to their end.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        action: &'static str,
        work: impl FnOnce(&mut Open) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.call(action, |session| session.run(work)).await
    }

    /// Creates the file and its tables.
    pub(super) async fn prepare(&self) -> Result<(), StoreError> {
        self.call("open or create", Session::prepare).await
    }

    async fn call<T: Send + 'static>(
        &self,
        action: &'static str,
        call: impl FnOnce(&mut Session) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |session| {
            if !reply.is_closed() {
                let result = call(session).map_err(|failure| failure.into_store_error(action));
                // The caller may have stopped waiting. Then the result is dropped.
                drop(reply.send(result));
            }
        });
        self.jobs()?.send(job).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// Returns the queue of the thread, which is started if there is none.
    fn jobs(&self) -> Result<mpsc::Sender<Job>, StoreError> {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(jobs) = jobs.as_ref().filter(|jobs| !jobs.is_closed()) {
            return Ok(jobs.clone());
        }
        let (sender, receiver) = mpsc::channel(QUEUE);
        let session = Session::new(&self.file, self.access);
        thread::Builder::new()
            .name(format!("portcullis-sqlite-{}", self.name))
            .spawn(move || serve(session, receiver))
            .map_err(|error| {
                let text = format!("cannot start a thread for the SQLite file: {error}");
                StoreError::new(StoreErrorKind::Unavailable, text)
            })?;
        Ok(jobs.insert(sender).clone())
    }
}

fn serve(mut session: Session, mut jobs: mpsc::Receiver<Job>) {
    while let Some(job) = jobs.blocking_recv() {
        job(&mut session);
    }
}

fn ended() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the thread of the SQLite file has ended")
}
