//! The connection that receives notifications.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, task::JoinHandle};

use super::connect::Server;
use crate::prefix::TablePrefix;

/// The first and the longest wait before the connection is made again. Until then, changes arrive by the poll.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// How often a connection is looked at that sends nothing.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Counts notifications, on a connection that the first waiting caller starts.
pub(super) struct Listener {
    server: Server,
    channel: Box<str>,
    /// How many reasons there were to read.
    count: Arc<watch::Sender<u64>>,
    /// The count at the last read.
    seen: AtomicU64,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Listener {
    pub(super) fn new(server: &Server, prefix: &TablePrefix) -> Self {
        Self {
            server: server.clone(),
            channel: channel(prefix).into(),
            count: Arc::new(watch::Sender::new(0)),
            seen: AtomicU64::new(0),
            task: Mutex::new(None),
        }
    }

    pub(super) fn count(&self) -> u64 {
        *self.count.borrow()
    }

    pub(super) fn saw(&self, count: u64) {
        self.seen.fetch_max(count, Ordering::Relaxed);
    }

    /// Waits for a notification since the last read or the last return of this function.
    pub(super) async fn changed(&self) {
        self.start();
        let mut count = self.count.subscribe();
        let seen = self.seen.load(Ordering::Relaxed);
        // The sender lives as long as the store, so that waiting does not fail.
        if let Ok(now) = count.wait_for(|now| *now > seen).await {
            self.saw(*now);
        }
    }

    /// Starts the task, or starts it again if its runtime has ended.
    fn start(&self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            let (server, channel) = (self.server.clone(), self.channel.clone());
            *task = Some(tokio::spawn(listen(server, channel, Arc::clone(&self.count))));
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let task = self.task.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task.take() {
            task.abort();
        }
    }
}

/// Returns the name of the channel. Another store with the same prefix in the database wakes us without a
/// reason, which costs a read.
pub(super) fn channel(prefix: &TablePrefix) -> String {
    prefix.sql("{p}_revoked")
}

async fn listen(server: Server, channel: Box<str>, count: Arc<watch::Sender<u64>>) {
    let (first, longest) = BACK_OFF;
    let mut wait = first;
    loop {
        let notified = Arc::clone(&count);
        let notify = Box::new(move || notified.send_modify(|count| *count += 1));
        if let Ok(client) = server.connect(Some(notify)).await
            && client.batch_execute(&format!(r#"LISTEN "{channel}""#)).await.is_ok()
        {
            wait = first;
            // Notifications may have been lost while there was no connection.
            count.send_modify(|count| *count += 1);
            while !client.is_closed() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(longest);
    }
}
