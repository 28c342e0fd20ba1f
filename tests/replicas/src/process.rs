//! The process of a server.

use std::{
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const LONGEST_START: Duration = Duration::from_secs(30);
const LONGEST_SHUTDOWN: Duration = Duration::from_secs(10);

/// A process that is stopped when the value is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    /// The signal that stops the server and lets it delete what it shares with its children.
    stop_signal: &'static str,
}

impl Process {
    pub(crate) fn start(command: &mut Command, stop_signal: &'static str) -> Result<Self, String> {
        let program = command.get_program().to_owned();
        let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = started.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
        Ok(Self { child, stop_signal })
    }

    /// Waits until the server is ready; `Ok(false)` if its process has ended.
    pub(crate) fn wait_until(&mut self, is_ready: impl Fn() -> bool) -> Result<bool, String> {
        let start = Instant::now();
        while !is_ready() {
            if self.has_ended()? {
                return Ok(false);
            }
            if start.elapsed() > LONGEST_START {
                return Err(format!("not ready after {} s", LONGEST_START.as_secs()));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(true)
    }

    /// Ends the process as a crash does: SIGKILL.
    pub(crate) fn kill(&mut self) {
        // Both fail if the process has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }

    fn has_ended(&mut self) -> Result<bool, String> {
        self.child.try_wait().map(|status| status.is_some()).map_err(|error| error.to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        signal(self.stop_signal, self.child.id());
        let start = Instant::now();
        while start.elapsed() < LONGEST_SHUTDOWN && self.has_ended() == Ok(false) {
            thread::sleep(Duration::from_millis(10));
        }
        self.kill();
    }
}

/// Sends a signal to a process, which may have ended.
fn signal(name: &str, process: u32) {
    // `kill` is a built-in of the shell; the program of this name may be absent.
    let script = ["-c", "kill -\"$1\" \"$2\" 2>/dev/null", "sh", name];
    drop(Command::new("sh").args(script).arg(process.to_string()).status());
}
