//! A program of this binary, as a process with commands on standard input.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use crate::program::REPLY;

const LONGEST_SILENCE: Duration = Duration::from_secs(40);

/// A process, which is killed when the value is dropped.
pub(crate) struct Program {
    child: Child,
    commands: ChildStdin,
    lines: Receiver<String>,
}

impl Program {
    /// Starts an ignored test of this binary as a process.
    pub(crate) fn start(test: &str, environment: &[(&str, String)]) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        // Reads to the end, also when nobody listens any more, so that the pipe never fills up.
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                // The test harness writes the name of the test before the first line.
                if let Some((_, reply)) = line.split_once(REPLY) {
                    drop(sender.send(reply.to_owned()));
                }
            }
        });
        Self { child, commands, lines }
    }

    pub(crate) fn send(&mut self, command: &str, argument: &str) {
        writeln!(self.commands, "{command} {argument}").unwrap();
        self.commands.flush().unwrap();
    }

    /// Waits for the reply to the last command.
    pub(crate) fn reply(&self) -> String {
        self.lines.recv_timeout(LONGEST_SILENCE).expect("the replica does not reply")
    }

    /// Returns the reply to the last command, if it came before the process was killed.
    pub(crate) fn last_reply(&self) -> Option<String> {
        self.lines.recv_timeout(LONGEST_SILENCE).ok()
    }

    /// Ends the process as a crash does: SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail if the process was killed already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
