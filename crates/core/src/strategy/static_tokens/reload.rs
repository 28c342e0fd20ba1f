//! Files of tokens, read again when they change.

use std::{
    sync::{
        Arc, Weak,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use super::Shared;
use crate::ConfigError;

/// The shortest time from look to look.
const SHORTEST: Duration = Duration::from_millis(10);

/// For how long a file must not have changed.
const SETTLED: Duration = Duration::from_millis(50);

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
            .map_err(|source| ConfigError::File { path: "(a thread)".into(), source })?;
        Ok(Self { _stop: stop, every })
    }
}

fn run(shared: &Weak<Shared>, every: Duration, stopped: &mpsc::Receiver<()>) {
    while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        let Some(shared) = shared.upgrade() else { return };
        // What is wrong is kept for `last_error`; a stop is seen at the next turn.
        let _ = shared.reload_settled(|| {
            let _ = stopped.recv_timeout(SETTLED);
        });
    }
}

impl Shared {
    /// Reads all files twice, with a pause between, and changes nothing where they differ, or where one
    /// could not be read at first: somebody is writing one in place. Its tokens would be missing, or cut
    /// short and easy to guess.
    pub(super) fn reload_settled(&self, pause: impl FnOnce()) -> Result<(), Arc<ConfigError>> {
        let before = self.texts();
        pause();
        let texts = self.texts();
        match &texts {
            Ok(texts) if before.as_ref().ok() != Some(texts) => Ok(()),
            _ => self.adopt(texts),
        }
    }
}
