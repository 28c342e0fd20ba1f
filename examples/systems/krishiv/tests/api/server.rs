//! The program, running, with a key server of its own, and what asks it.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use axum::http::uri::PathAndQuery;
use portcullis_testkit::{KeyServer, TestIssuer, TokenBuilder};
use serde_json::Value;
use tonic::{Code, Request, Status, client::Grpc};
use tonic_prost::ProstCodec;

pub(crate) const AUDIENCE: &str = "krishiv";
pub(crate) const SERVICE_TOKEN: &str = "coordinator-token";
pub(crate) const UI_TOKEN: &str = "token-of-the-page";
pub(crate) const URI: &str = "KRISHIV_OIDC_JWKS_URI";
pub(crate) const TOKEN: &str = "KRISHIV_COORDINATOR_BEARER_TOKEN";

/// Longer than anything here takes: what takes longer hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An identity provider, and the program that trusts it.
pub(crate) struct World {
    pub(crate) krishiv: Krishiv,
    pub(crate) server: KeyServer,
    pub(crate) issuer: TestIssuer,
}

impl World {
    /// With an audience, a token of services and one of the page.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With further variables, or others.
    pub(crate) fn with(variables: &[(&str, &str)]) -> Self {
        let server = KeyServer::start();
        let issuer = server.issuer();
        Self::of(server, issuer, variables)
    }

    pub(crate) fn of(server: KeyServer, issuer: TestIssuer, variables: &[(&str, &str)]) -> Self {
        let uri = server.url("/jwks.json");
        let defaults = [
            (URI, &*uri),
            ("KRISHIV_OIDC_AUDIENCE", AUDIENCE),
            (TOKEN, SERVICE_TOKEN),
            ("KRISHIV_UI_TOKEN", UI_TOKEN),
        ];
        let krishiv = Krishiv::start(&[&defaults[..], variables].concat());
        krishiv.wait_until_ready();
        Self { krishiv, server, issuer }
    }

    /// A token of Alice's for this service.
    pub(crate) fn token(&self) -> TokenBuilder {
        self.issuer.token().audience(AUDIENCE)
    }

    pub(crate) fn of_role(&self, role: &str) -> String {
        self.token().claim("krishiv_role", role).build()
    }

    /// What becomes of a token, over HTTP and over gRPC.
    pub(crate) fn verdict(&self, token: &str) -> (u16, Code) {
        (self.krishiv.get("/api/jobs", token).status, self.krishiv.call("ListJobs", token).code())
    }
}

pub(crate) const ACCEPTED: (u16, Code) = (200, Code::Ok);
pub(crate) const REJECTED: (u16, Code) = (401, Code::Unauthenticated);
pub(crate) const UNAVAILABLE: (u16, Code) = (503, Code::Unavailable);

pub(crate) struct Krishiv {
    child: Child,
    pub(crate) address: String,
    log: PathBuf,
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

    /// The value of a header field, if there is one.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// A path in the folder for tests, which no other test has.
pub(crate) fn own_path(name: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let file = format!("krishiv-{}-{number}-{name}", process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(file)
}

/// The program with these variables of Krishiv's and no others.
pub(crate) fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_krishiv"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KRISHIV_") {
            command.env_remove(name);
        }
    }
    command.envs(variables.iter().copied()).stdout(Stdio::piped());
    command
}

/// Starts the program where it must not start, and returns what it says of that.
pub(crate) fn rejected_start(variables: &[(&str, &str)], args: &[&str]) -> String {
    let mut child = command(variables).args(args).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    // Ends with the program, or with its first line.
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    if !first.is_empty() {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!((&*first, output.status.code()), ("", Some(2)), "{variables:?} {args:?}: {errors}");
    assert_eq!(errors.lines().count(), 1, "{variables:?} {args:?}: {errors}");
    errors
}

impl Krishiv {
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let log = own_path("stderr");
        let mut child = command(variables).stderr(File::create(&log).unwrap()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let Some(address) = first.strip_prefix("listening on http://") else {
            panic!("{first}{}", fs::read_to_string(log).unwrap());
        };
        Self { child, address: address.trim_end().to_owned(), log }
    }

    pub(crate) fn wait_until_ready(&self) {
        wait_until("it is ready", || self.open("/readyz").status == 200);
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Sends a request with these header lines, each of which ends in a line break.
    pub(crate) fn send(&self, method: &str, target: &str, headers: &str) -> Answer {
        send(&self.address, method, target, headers)
    }

    /// Asks without a token.
    pub(crate) fn open(&self, path: &str) -> Answer {
        self.send("GET", path, "")
    }

    pub(crate) fn get(&self, path: &str, token: &str) -> Answer {
        self.send("GET", path, &bearer(token))
    }

    pub(crate) fn post(&self, path: &str, token: &str) -> Answer {
        self.send("POST", path, &bearer(token))
    }

    /// Calls a method of the coordinator with a token.
    pub(crate) fn call(&self, method: &str, token: &str) -> Status {
        self.call_with(method, &[&format!("Bearer {token}")])
    }

    /// Calls a method of the coordinator with these values of `authorization`.
    pub(crate) fn call_with(&self, method: &str, values: &[&str]) -> Status {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let path = format!("/krishiv.coordinator.v1.Coordinator/{method}");
        runtime.block_on(call(&self.address, &path, values))
    }

    /// Sends a signal and waits for the end.
    #[cfg(unix)]
    pub(crate) fn stop(&mut self, signal: &str) -> process::ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Krishiv {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.log);
    }
}

pub(crate) fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

pub(crate) fn send(address: &str, method: &str, target: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: krishiv\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

/// Calls a method with an empty message, and returns what it ended with.
pub(crate) async fn call(address: &str, path: &str, values: &[&str]) -> Status {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut client = Grpc::new(endpoint.connect().await.unwrap());
    client.ready().await.unwrap();
    let mut request = Request::new(());
    for value in values {
        request.metadata_mut().append("authorization", value.parse().unwrap());
    }
    let path = PathAndQuery::try_from(path).unwrap();
    let answer: Result<tonic::Response<()>, Status> =
        client.unary(request, path, ProstCodec::<(), ()>::default()).await;
    answer.map_or_else(|status| status, |_| Status::ok(""))
}

/// Waits for what comes by itself.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{what}: not in time");
        std::thread::yield_now();
    }
}
