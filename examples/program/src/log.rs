//! The log, which is held back until the program runs: what it cannot start with is one line.

use std::{
    io::{self, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What was written before the program ran; `None` from then on.
static HELD: Mutex<Option<Vec<u8>>> = Mutex::new(Some(Vec::new()));

/// Writes to the log.
#[derive(Debug)]
pub(crate) struct Log;

impl Log {
    /// Lets the log go to standard error, with what was held back.
    pub(crate) fn release() -> io::Result<()> {
        held().take().map_or(Ok(()), |lines| io::stderr().write_all(&lines))
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut *held() {
            Some(lines) => lines.write(bytes),
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn held() -> MutexGuard<'static, Option<Vec<u8>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}
