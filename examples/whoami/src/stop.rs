//! When the service ends.

use std::{io, time::Duration};

use tokio::sync::watch;

/// How long requests in progress may take after the signal.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// Resolves when the program is asked to end.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Waits for the signal.
    pub(crate) async fn requested(mut self) {
        // An error means that the sender is gone, which ends the service as well.
        let _ = self.0.wait_for(|stop| *stop).await;
    }

    /// Waits for the end of the time that a half-sent request may keep the service open.
    pub(crate) async fn overdue(self) {
        self.requested().await;
        tokio::time::sleep(GRACE).await;
    }
}

/// Listens for SIGTERM and SIGINT from now on.
#[cfg(unix)]
pub(crate) fn signals() -> io::Result<Stop> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(after(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }))
}

/// Listens for Ctrl-C from now on.
#[cfg(not(unix))]
pub(crate) fn signals() -> io::Result<Stop> {
    Ok(after(async { drop(tokio::signal::ctrl_c().await) }))
}

fn after(signal: impl Future<Output = ()> + Send + 'static) -> Stop {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        signal.await;
        sender.send_replace(true);
    });
    Stop(receiver)
}
