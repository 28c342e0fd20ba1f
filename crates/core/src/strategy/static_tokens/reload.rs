//! Files of tokens, read again when they change.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    sync::{
        Arc, Weak,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use super::Shared;
use crate::ConfigError;

/// The longest file, in bytes: thousands of tokens.
const MAX_LEN: u64 = 256 * 1024;

/// The shortest time from look to look.
const SHORTEST: Duration = Duration::from_millis(10);

/// A thread of its own, because it must work without any runtime and outlive each; and because a file
/// system that hangs must hold up nothing else. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Reloading {
    _stop: mpsc::Sender<()>,
}

impl Reloading {
    pub(super) fn start(shared: &Arc<Shared>, every: Duration) -> Result<Self, ConfigError> {
        let (stop, stopped) = mpsc::channel();
        let (shared, every) = (Arc::downgrade(shared), every.max(SHORTEST));
        thread::Builder::new()
            .name("portcullis-tokens".to_owned())
            .spawn(move || run(&shared, every, &stopped))
            .map_err(|source| ConfigError::File { path: "(a thread)".into(), source })?;
        Ok(Self { _stop: stop })
    }
}

fn run(shared: &Weak<Shared>, every: Duration, stopped: &mpsc::Receiver<()>) {
    while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        let Some(shared) = shared.upgrade() else { return };
        // What is wrong is kept for `last_error`.
        let _ = shared.reload();
    }
}

pub(super) fn read_file(path: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::File { path: path.to_owned(), source };
    // Looked at first, because opening a pipe waits for its other end.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(failed(io::Error::other("it is no regular file")));
    }
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_LEN + 1).read_to_string(&mut text).map_err(failed)?;
    if u64::try_from(text.len()).is_ok_and(|len| len <= MAX_LEN) {
        return Ok(text);
    }
    Err(failed(io::Error::other(format!("it is longer than {MAX_LEN} bytes"))))
}
