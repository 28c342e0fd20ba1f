//! An OpenID provider that we did not write, run by Node.
//!
//! `PORTCULLIS_INTEROP_PROVIDER_SCRIPT` names its script: `interop/provider.mjs`, whose first lines say
//! what it is told and what it answers.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "only tests use this, and they should say and stop where it cannot be set up"
)]

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::encode;

const VARIABLE: &str = "PORTCULLIS_INTEROP_PROVIDER_SCRIPT";

/// The resource that the provider always knows.
pub const AUDIENCE: &str = "https://api.interop.example";

/// The parameter that asks for a token for [`AUDIENCE`].
pub const RESOURCE: (&str, &str) = ("resource", AUDIENCE);

/// Longer than anything here takes: what takes longer hangs.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running `oidc-provider`, which ends with this value.
#[derive(Debug)]
pub struct Provider {
    process: Child,
    answers: Receiver<String>,
    /// Its URL.
    pub issuer: String,
}

impl Provider {
    /// Starts it; `None` where there is no Node.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts it for these resources too.
    #[must_use]
    pub fn start_with(resources: &[&str]) -> Option<Self> {
        let Some(script) = env::var_os(VARIABLE) else {
            println!("SKIPPED oidc-provider: no Node ({VARIABLE} is set by `cargo xtask test`)");
            return None;
        };
        let mut process = Command::new("node")
            .arg(script)
            .args(resources)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node is there");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (sender, answers) = mpsc::channel();
        // A thread of its own, so that a provider that says nothing fails the test.
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut provider = Self { process, answers, issuer: String::new() };
        let line = provider.answer();
        provider.issuer = line.strip_prefix("listening on ").expect(&line).to_owned();
        Some(provider)
    }

    /// Gives a command and waits for this answer.
    pub fn tell(&mut self, command: &str, expected: &str) {
        writeln!(self.process.stdin.as_mut().unwrap(), "{command}").unwrap();
        assert_eq!(self.answer(), expected);
    }

    fn answer(&self) -> String {
        self.answers.recv_timeout(PATIENCE).expect("the provider says something")
    }

    /// Asks for a token for this service, with all scopes.
    #[must_use]
    pub fn token(&self, client: &str) -> Token {
        self.token_with(client, &[("scope", "orders:read orders:write"), RESOURCE])
    }

    /// Asks for a token with these parameters.
    #[must_use]
    pub fn token_with(&self, client: &str, parameters: &[(&str, &str)]) -> Token {
        let mut form = format!(
            "grant_type=client_credentials&client_id={client}&client_secret=interop-secret"
        );
        for (name, value) in parameters {
            form += &format!("&{name}={}", value.replace(' ', "+"));
        }
        let answer: Value = serde_json::from_str(&self.post("/token", &form)).unwrap();
        assert_eq!(answer["token_type"], "Bearer", "{answer}");
        Token { text: answer["access_token"].as_str().unwrap().to_owned() }
    }

    /// HTTP/1.0, so that the body ends with the connection.
    fn post(&self, path: &str, form: &str) -> String {
        let address = self.issuer.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "POST {path} HTTP/1.0\r\nHost: {address}\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
            form.len()
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").expect(&response);
        assert!(head.starts_with("HTTP/1.1 200 "), "{response}");
        body.to_owned()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // It may be gone already, and a test that fails must not fail twice.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An access token.
pub struct Token {
    /// As it is sent.
    pub text: String,
}

impl Token {
    /// Returns the JOSE header.
    #[must_use]
    pub fn header(&self) -> Value {
        let (header, _) = self.text.split_once('.').unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(header).unwrap()).unwrap()
    }

    /// Returns the same with one bit of the signature flipped.
    #[must_use]
    pub fn spoiled(&self) -> Self {
        let (signing_input, signature) = self.text.rsplit_once('.').unwrap();
        let mut signature = URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap();
        *signature.last_mut().unwrap() ^= 1;
        Self { text: format!("{signing_input}.{}", encode(signature)) }
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text.split('.').next().unwrap_or_default())
    }
}
