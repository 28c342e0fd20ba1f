//! When the configuration is read again: on a change of the file, and on SIGHUP.

use std::{io, time::Duration};

use portcullis_axum::config::ConfigFile;

/// How often the file is checked for a change.
const INTERVAL: Duration = Duration::from_secs(2);

/// Follows the file for as long as the program runs. The engine logs what is wrong with it.
pub(crate) fn follow(config: ConfigFile) -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut hangup = signal(SignalKind::hangup())?;
        let config = config.clone();
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                // The old engine stays after an error, which `reload` has logged.
                let _ = config.reload().await;
            }
        });
    }
    tokio::spawn(async move { config.watch(INTERVAL).await });
    Ok(())
}
