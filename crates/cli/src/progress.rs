//! A line that tells how far a long run has come.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// How often the line changes.
const EVERY: Duration = Duration::from_millis(500);

/// Counts, and tells now and then: on a terminal, and where the results do not stand there too.
#[derive(Debug)]
pub(crate) struct Progress {
    is_shown: bool,
    was_shown: bool,
    started: Instant,
    last: Instant,
    lines: u64,
    rejected: u64,
}

impl Progress {
    pub(crate) fn start() -> Self {
        let is_shown = io::stderr().is_terminal() && !io::stdout().is_terminal();
        let now = Instant::now();
        Self { is_shown, was_shown: false, started: now, last: now, lines: 0, rejected: 0 }
    }

    pub(crate) fn add(&mut self, lines: u64, rejected: u64) {
        self.lines = self.lines.saturating_add(lines);
        self.rejected = self.rejected.saturating_add(rejected);
        if self.is_shown && self.last.elapsed() >= EVERY {
            self.last = Instant::now();
            self.was_shown = true;
            self.write("\r\x1b[K", "");
        }
    }

    /// Leaves the last figures standing, if there were any.
    pub(crate) fn end(&self) {
        if self.was_shown {
            self.write("\r\x1b[K", "\n");
        }
    }

    fn write(&self, before: &str, after: &str) {
        let millis = self.started.elapsed().as_millis().max(1);
        let rate = u128::from(self.lines).saturating_mul(1000) / millis;
        let (lines, rejected) = (self.lines, self.rejected);
        let text = format!("{before}{lines} lines, {rejected} rejected, {rate} a second{after}");
        let mut stderr = io::stderr().lock();
        // A terminal that is gone shows nothing.
        let _ = stderr.write_all(text.as_bytes());
        let _ = stderr.flush();
    }
}
