//! Waits for changes, on its own connection: a command that waits blocks the connection.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use redis::{RedisError, Value, cmd};
use tokio::{runtime::Handle, sync::Notify, task::JoinHandle};

use crate::link::Link;

/// For how long one command waits.
const WAIT: Duration = Duration::from_secs(5);
/// When an answer to it is overdue.
pub(crate) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(8);
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(1);

/// Wakes callers when the log has new items.
///
/// Its task starts with the first caller and ends with the store.
pub(crate) struct Notifier {
    link: Arc<Link>,
    log: Box<str>,
    changed: Arc<Notify>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Notifier {
    pub(crate) fn new(link: Arc<Link>, log: String) -> Self {
        Self { link, log: log.into(), changed: Arc::default(), task: Mutex::default() }
    }

    /// Waits until there may be a change.
    pub(crate) async fn changed(&self) {
        self.start();
        self.changed.notified().await;
    }

    /// Wakes all that wait, and the next caller if nothing waits.
    pub(crate) fn wake(&self) {
        wake(&self.changed);
    }

    /// Starts the task, also if it ended with the runtime of an earlier caller.
    fn start(&self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let (link, changed) = (Arc::clone(&self.link), Arc::clone(&self.changed));
            *task = Some(runtime.spawn(watch(link, self.log.clone(), changed)));
        }
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        let task = self.task.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task.take() {
            task.abort();
        }
    }
}

fn wake(changed: &Notify) {
    changed.notify_waiters();
    changed.notify_one();
}

async fn watch(link: Arc<Link>, log: Box<str>, changed: Arc<Notify>) {
    // Where the log was. Without it, only items that are added while the command waits are noticed.
    let mut last = "$".to_owned();
    loop {
        match next_change(&link, &log, &last).await {
            Ok(Some(id)) => {
                last = id;
                wake(&changed);
            }
            Ok(None) => {}
            Err(()) => {
                // The log may be another one after that, and changes were missed.
                "$".clone_into(&mut last);
                tokio::time::sleep(PAUSE_AFTER_ERROR).await;
                wake(&changed);
            }
        }
    }
}

/// Waits for an item after an id, and returns the id of the newest item.
async fn next_change(link: &Link, log: &str, last: &str) -> Result<Option<String>, ()> {
    link.run_here(|mut connection| async move {
        let mut wait = cmd("XREAD");
        wait.arg("COUNT").arg(1).arg("BLOCK").arg(WAIT.as_millis().to_string());
        let found: Value =
            wait.arg("STREAMS").arg(log).arg(last).query_async(&mut connection).await?;
        if matches!(found, Value::Nil) {
            return Ok(None);
        }
        let newest: Vec<(String, Value)> = cmd("XREVRANGE")
            .arg(log)
            .arg(&["+", "-", "COUNT", "1"])
            .query_async(&mut connection)
            .await?;
        Ok::<_, RedisError>(newest.into_iter().next().map(|(id, _)| id))
    })
    .await
    .map_err(drop)
}
