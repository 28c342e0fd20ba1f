//! A server process that is stopped in any case.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

const LONGEST_SILENCE: Duration = Duration::from_secs(60);
const LONGEST_SHUTDOWN: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
}

impl Server {
    pub(crate) fn start(command: &mut Command) -> Result<Self, String> {
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = started.map_err(|error| format!("cannot start the server: {error}"))?;
        let stdout = child.stdout.take();
        let (sender, lines) = mpsc::channel();
        // Reads to the end, also when nobody listens any more, so that the pipe never fills up.
        thread::spawn(move || {
            for line in stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines()) {
                let Ok(line) = line else { break };
                drop(sender.send(line));
            }
        });
        Ok(Self { child, lines })
    }

    pub(crate) fn next_line(&self) -> Result<String, String> {
        self.lines.recv_timeout(LONGEST_SILENCE).map_err(|error| match error {
            mpsc::RecvTimeoutError::Timeout => {
                format!("the server printed nothing for {} s", LONGEST_SILENCE.as_secs())
            }
            mpsc::RecvTimeoutError::Disconnected => {
                "the server closed its output before the last line".to_owned()
            }
        })
    }

    /// Asks the server to stop, and fails unless it does so in time and with success.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
            return Err(format!("the server ended with {status} before it was asked to"));
        }
        let id = self.child.id().to_string();
        // `kill` is a built-in of the shell; the program of this name may be absent.
        let asked = Command::new("sh").args(["-c", "kill \"$1\"", "sh", &id]).status();
        if !asked.is_ok_and(|status| status.success()) {
            return Err("the server could not be asked to stop".to_owned());
        }
        let status = self.wait(LONGEST_SHUTDOWN)?;
        if status.success() { Ok(()) } else { Err(format!("the server ended with {status}")) }
    }

    fn wait(&mut self, limit: Duration) -> Result<ExitStatus, String> {
        let start = Instant::now();
        while start.elapsed() < limit {
            if let Some(status) = self.child.try_wait().map_err(|error| error.to_string())? {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(format!("the server did not stop within {} s of SIGTERM", limit.as_secs()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail if the process has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(script: &str) -> Server {
        Server::start(Command::new("sh").args(["-c", script])).unwrap()
    }

    #[test]
    fn reads_lines_and_stops() {
        let server = start("trap 'exit 0' TERM; echo one; echo two; while :; do sleep 0.05; done");
        assert_eq!(server.next_line().unwrap(), "one");
        assert_eq!(server.next_line().unwrap(), "two");
        server.stop().unwrap();
    }

    #[test]
    fn tells_of_a_server_that_ends_by_the_signal() {
        let server = start("echo one; while :; do sleep 0.05; done");
        server.next_line().unwrap();
        assert!(server.stop().unwrap_err().starts_with("the server ended with"));
    }

    #[test]
    fn tells_of_a_server_that_ends_unasked() {
        let mut server = start("exit 0");
        server.wait(LONGEST_SHUTDOWN).unwrap();
        assert!(server.stop().unwrap_err().ends_with("before it was asked to"));
    }

    #[test]
    fn tells_of_a_server_that_stays() {
        let mut server = start("trap '' TERM; echo one; while :; do sleep 0.05; done");
        server.next_line().unwrap();
        let error = server.wait(Duration::from_millis(100)).unwrap_err();
        assert!(error.starts_with("the server did not stop"));
    }

    #[test]
    fn tells_of_an_output_that_ends_early() {
        let error = start("exit 0").next_line().unwrap_err();
        assert_eq!(error, "the server closed its output before the last line");
    }
}
