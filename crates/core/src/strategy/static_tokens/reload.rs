//! The thread that reads files of tokens again.

use std::{
    sync::{
        Arc, Weak,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use super::shared::Shared;
use crate::{ConfigError, FileError, file::SETTLED};

/// The shortest time from look to look.
const SHORTEST: Duration = Duration::from_millis(10);

/// A thread of its own, because it must work without any runtime and outlive each; and because a file
/// system that hangs must hold up nothing else. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Reloading {
    _stop: mpsc::Sender<()>,
    pub(super) every: Duration,
}

impl Reloading {
    pub(super) fn start(shared: &Arc<Shared>, every: Duration) -> Result<Self, ConfigError> {
        let (stop, stopped) = mpsc::channel();
        let (shared, every) = (Arc::downgrade(shared), every.max(SHORTEST));
        thread::Builder::new()
            .name("portcullis-tokens".to_owned())
            .spawn(move || run(&shared, every, &stopped))
            .map_err(|error| FileError::unreadable("(a thread)", error))?;
        Ok(Self { _stop: stop, every })
    }
}

fn run(shared: &Weak<Shared>, every: Duration, stopped: &mpsc::Receiver<()>) {
    let mut wait = every;
    while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        let Some(shared) = shared.upgrade() else { return };
        // A change that must settle is not left until the next regular look.
        wait = if shared.look() { every.min(SETTLED) } else { every };
    }
}
