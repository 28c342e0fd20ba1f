//! The process of a replica, and tokens for it.

use std::time::Duration;

use portcullis_testkit::TestIssuer;

use crate::{
    child::Program,
    program::{AUDIENCE, ISSUER, KEYS, MODE, STALENESS, STORE},
};

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
pub(crate) struct Replica(Program);

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
        let environment = [
            (STORE, store.to_owned()),
            (KEYS, tokens.0.jwk_set_json()),
            (MODE, format!("{mode:?}").to_lowercase()),
            (STALENESS, max_staleness.as_millis().to_string()),
        ];
        let program = Program::start("program::replica", &environment);
        assert_eq!(program.reply(), "ready");
        Self(program)
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
        self.0.send(command, argument);
    }

    /// Waits for the reply to the last command.
    pub(crate) fn reply(&self) -> String {
        self.0.reply()
    }

    /// Returns the reply to the last command, if it came before the process was killed.
    pub(crate) fn last_reply(&self) -> Option<String> {
        self.0.last_reply()
    }

    /// Ends the process as a crash does: SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.0.kill();
    }
}
