//! The process of a replica, and tokens for it.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use portcullis_testkit::TestIssuer;

use crate::program::{AUDIENCE, ISSUER, KEYS, MODE, REPLY, STALENESS, STORE};

const LONGEST_SILENCE: Duration = Duration::from_secs(40);

pub(crate) struct Tokens(TestIssuer);

impl Tokens {
    pub(crate) fn new() -> Self {
        Self(TestIssuer::new(ISSUER))
    }

    pub(crate) fn mint(&self, jti: &str) -> String {
        self.0.token().subject("alice").audience(AUDIENCE).claim("jti", jti).build()
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    Local,
    Strict,
}

/// A process, which is killed when the value is dropped.
pub(crate) struct Replica {
    child: Child,
    commands: ChildStdin,
    lines: Receiver<String>,
}

impl Replica {
    /// Starts a process, and waits until its engine is ready.
    pub(crate) fn start(tokens: &Tokens, store: &str, mode: Mode) -> Self {
        Self::start_with(tokens, store, mode, Duration::from_secs(60))
    }

    pub(crate) fn start_with(
        tokens: &Tokens,
        store: &str,
        mode: Mode,
        max_staleness: Duration,
    ) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "program::replica", "--ignored", "--nocapture"])
            .env(STORE, store)
            .env(KEYS, tokens.0.jwk_set_json())
            .env(MODE, format!("{mode:?}").to_lowercase())
            .env(STALENESS, max_staleness.as_millis().to_string())
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
        let replica = Self { child, commands, lines };
        assert_eq!(replica.reply(), "ready");
        replica
    }

    pub(crate) fn check(&mut self, token: &str) -> String {
        self.send("check", token);
        self.reply()
    }

    /// Revokes a token, and returns whether that was acknowledged.
    pub(crate) fn revoke(&mut self, jti: &str) -> bool {
        self.send("revoke", jti);
        self.reply() == "revoked"
    }

    /// Begins to check a token until it is rejected.
    pub(crate) fn watch(&mut self, token: &str) {
        self.send("watch", token);
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

impl Drop for Replica {
    fn drop(&mut self) {
        // Both fail if the process was killed already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
