//! The program, running, and what calls it.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use portcullis_axum::Algorithm;
use portcullis_testkit::{SigningKey, TestIssuer, TokenBuilder};
use serde_json::{Value, json};

pub(crate) const SECRET: &str =
    "airflow-example-secret-0123456789-0123456789-0123456789-0123456789";
pub(crate) const TASK: &str = "0198f1de-7c4e-7aaa-9f00-2f6f4c1f2b3c";
pub(crate) const USERS: (&str, &str) = (
    "AIRFLOW_EXAMPLE_USERS",
    "alice:secret:ADMIN,oskar:secret:OP,uma:secret:USER,bob:secret:VIEWER",
);

/// The program with a secret.
pub(crate) fn airflow() -> Airflow {
    airflow_with(&[])
}

/// The program with a secret and further variables.
pub(crate) fn airflow_with(variables: &[(&str, &str)]) -> Airflow {
    let mut all = vec![("AIRFLOW__API_AUTH__JWT_SECRET", SECRET), USERS];
    all.extend_from_slice(variables);
    Airflow::start(&all)
}

pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// The claims of a user, as Airflow makes them.
pub(crate) fn user(role: &str) -> Value {
    json!({
        "sub": "alice", "role": role, "teams": [], "aud": "apache-airflow",
        "iat": now(), "nbf": now(), "exp": now() + 600, "jti": "0123456789abcdef0123456789abcdef",
    })
}

/// The claims of a task, as Airflow makes them.
pub(crate) fn task(scope: &str) -> Value {
    json!({
        "sub": TASK, "scope": scope, "aud": "urn:airflow.apache.org:task",
        "iat": now(), "nbf": now(), "exp": now() + 600, "jti": "1123456789abcdef0123456789abcdef",
    })
}

/// Changes some claims. `"-"` takes one away.
pub(crate) fn with(mut claims: Value, changes: &Value) -> Value {
    let all = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value.as_str() {
            Some("-") => all.remove(name),
            _ => all.insert(name.clone(), value.clone()),
        };
    }
    claims
}

pub(crate) fn token(claims: &Value) -> String {
    let key = SigningKey::from_secret(Algorithm::HS512, "not-used", SECRET.as_bytes());
    token_by(&key, claims, &|token| token)
}

/// A token of these claims and no others.
pub(crate) fn token_by(
    key: &SigningKey,
    claims: &Value,
    change: &dyn Fn(TokenBuilder) -> TokenBuilder,
) -> String {
    let token = TestIssuer::new("unused").token().key(key).raw_claims(claims.to_string());
    change(token).build()
}

/// Returns the claims of a token, which it does not verify.
pub(crate) fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// A folder that goes away with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("airflow-{}-{number}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) struct Airflow {
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

    /// Status and `detail`.
    pub(crate) fn detail(&self) -> (u16, String) {
        let detail = &self.json()["detail"];
        (self.status, detail.as_str().map_or_else(|| detail.to_string(), ToOwned::to_owned))
    }

    /// The value of the only header field of this name.
    pub(crate) fn field(&self, name: &str) -> &str {
        let fields = self.fields(name);
        assert_eq!(fields.len(), 1, "{name}: {}", self.head);
        fields[0]
    }

    /// The values of a header field. `name` is in lower case.
    pub(crate) fn fields(&self, name: &str) -> Vec<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }
}

pub(crate) fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_airflow"));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("AIRFLOW_")) {
            command.env_remove(name);
        }
    }
    command.envs(variables.iter().copied()).stdout(Stdio::piped());
    command
}

/// Sends a request with these header lines, each of which ends in a line break.
pub(crate) fn send(address: &str, method: &str, target: &str, headers: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: airflow\r\n{headers}content-type: application/json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

impl Airflow {
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = command(variables).stderr(Stdio::null()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let address = first.strip_prefix("listening on http://").unwrap().trim_end().to_owned();
        Self { child, address }
    }

    /// Sends a request with these header lines, each of which ends in a line break.
    pub(crate) fn send(&self, method: &str, target: &str, headers: &str, body: &str) -> Answer {
        send(&self.address, method, target, headers, body)
    }

    /// Sends a request with a token in the header.
    pub(crate) fn call(&self, method: &str, path: &str, token: &str) -> Answer {
        self.send(method, path, &format!("authorization: Bearer {token}\r\n"), "")
    }

    /// Logs a user in and returns the token.
    pub(crate) fn log_in(&self, name: &str) -> String {
        let body = json!({"username": name, "password": "secret"}).to_string();
        let answer = self.send("POST", "/auth/token", "", &body);
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Queues a task and returns the token of its workload.
    pub(crate) fn queue(&self, id: &str) -> String {
        let body = json!({"task_instance_id": id}).to_string();
        let answer = self.send("POST", "/example/workload-token", "", &body);
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["token"].as_str().unwrap().to_owned()
    }

    /// Sends a signal and waits for the end.
    #[cfg(unix)]
    pub(crate) fn stop(&mut self, signal: &str) -> std::process::ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Airflow {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
