//! The program, running, and what asks it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};

use portcullis_axum::Algorithm;
use portcullis_testkit::{SigningKey, TestIssuer, TokenBuilder};
use serde_json::{Value, json};

pub(crate) const WHOAMI: &str = "/api/w/demo/users/whoami";

/// Has the key of `JWT_EXT_PUBLIC_KEY`. RSA keys take their time to make.
pub(crate) static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(Algorithm::RS256, "pem"));

/// The program with that key alone.
pub(crate) fn windmill() -> Windmill {
    Windmill::start(&[("JWT_EXT_PUBLIC_KEY", &KEY.public_key_pem().unwrap())])
}

/// The claims of an ordinary user of the workspace `demo`.
pub(crate) fn alice() -> Value {
    json!({
        "email": "alice@example.com",
        "username": "alice",
        "is_admin": false,
        "is_operator": false,
        "groups": ["all", "ops"],
        "folders": [["team", true, false], ["shown", false, false], ["owned", false, true]],
        "workspace_id": "demo",
        "exp": now() + 3600,
    })
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Alice's claims with some changed; `null` takes one away.
pub(crate) fn alice_with(changes: &Value) -> Value {
    let mut claims = alice();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

/// A token of these claims and no others, as `fast-jwt` makes it: no key id unless `change` sets one.
pub(crate) fn token_by(
    key: &SigningKey,
    claims: &Value,
    change: &dyn Fn(TokenBuilder) -> TokenBuilder,
) -> String {
    let issuer = TestIssuer::new("unused");
    let token = issuer.token().key(key).without_key_id().raw_claims(claims.to_string());
    change(token).build()
}

pub(crate) fn token(claims: &Value) -> String {
    format!("jwt_ext_{}", token_by(&KEY, claims, &|token| token))
}

/// A token of Alice's with some claims changed.
pub(crate) fn token_with(changes: &Value) -> String {
    token(&alice_with(changes))
}

pub(crate) struct Windmill {
    child: Child,
    pub(crate) address: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(crate) fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windmill"));
    command.env_remove("JWT_EXT_PUBLIC_KEY").env_remove("JWT_EXT_JWKS_URL");
    command.envs(variables.iter().copied()).stdout(Stdio::piped());
    command
}

impl Windmill {
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = command(variables).stderr(Stdio::null()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let address = first.strip_prefix("listening on http://").unwrap().trim_end().to_owned();
        Self { child, address }
    }

    /// Sends a request with these header lines, each of which ends in a line break.
    pub(crate) fn send(&self, method: &str, target: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: windmill\r\n{headers}content-type: application/json\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// Sends a request with a token in the header.
    pub(crate) fn ask(&self, method: &str, path: &str, token: &str) -> Answer {
        self.send(method, path, &format!("authorization: Bearer {token}\r\n"), "")
    }

    /// Sends a signal and waits for the end.
    #[cfg(unix)]
    pub(crate) fn stop(&mut self, signal: &str) -> std::process::ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }

    /// Asks who the bearer of these tokens is, wherever they are.
    pub(crate) fn whoami(&self, headers: &str) -> Answer {
        self.send("GET", WHOAMI, headers, "")
    }
}

impl Drop for Windmill {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
