//! The program as a user meets it: started, asked over a socket, stopped.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use portcullis_testkit::KeyServer;
use quickstart::{authenticator, rotate_key, tokens};

/// The program, running. It is ended when the test is over, however that goes.
struct Quickstart {
    child: Child,
    address: String,
    printed: Vec<String>,
}

fn spawn(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_quickstart"))
        .args(args)
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

impl Quickstart {
    fn start(args: &[&str]) -> Self {
        let mut child = spawn(args);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let first = lines.next().unwrap();
        let address = first.strip_prefix("listening on http://").unwrap().to_owned();
        let mut printed = Vec::new();
        for line in lines {
            let last = line.starts_with("press Ctrl-C");
            printed.push(line);
            if last {
                break;
            }
        }
        Self { child, address, printed }
    }

    fn variable(&self, name: &str) -> &str {
        let prefix = format!("{name}=");
        self.printed.iter().find_map(|line| line.strip_prefix(&prefix)).unwrap()
    }

    fn get(&self, path: &str, header: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: quickstart\r\n{header}connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }
}

impl Drop for Quickstart {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn shows_who_calls_and_what_they_may_do() {
    let quickstart = Quickstart::start(&[]);
    let header = format!("authorization: Bearer {}\r\n", quickstart.variable("WRITER"));
    let (status, body) = quickstart.get("/me", &header);
    assert_eq!(status, 200);
    let mut body: serde_json::Value = serde_json::from_str(&body).unwrap();
    // The issuer is on a free port.
    let issuer = body["principal"]["issuer"].take();
    assert!(issuer.as_str().unwrap().starts_with("http://127.0.0.1:"), "{issuer}");
    assert_eq!(
        body,
        serde_json::json!({
            "principal": {
                "subject": "writer",
                "issuer": null,
                "client_id": "quickstart",
                "actors": [],
            },
            "grant": {
                "scope": ["jobs:read", "jobs:write"],
                "roles": ["writer"],
                "permissions": {},
                "groups": [],
            },
        })
    );
}

#[test]
fn a_cookie_of_another_caller_yields_to_the_header() {
    let quickstart = Quickstart::start(&[]);
    let (reader, admin) = (quickstart.variable("READER"), quickstart.variable("ADMIN"));
    let header = format!("authorization: Bearer {reader}\r\ncookie: a=b; access_token={admin}\r\n");
    let (status, body) = quickstart.get("/me", &header);
    assert_eq!(status, 200);
    assert!(body.contains(r#""subject":"reader""#), "{body}");
}

#[test]
fn tokens_stay_good_while_the_key_is_rotated_and_new_ones_are_good_at_once() {
    let mut quickstart = Quickstart::start(&["--rotate-every", "1s"]);
    let old = quickstart.variable("READER").to_owned();
    let log = BufReader::new(quickstart.child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let fresh = log.filter_map(|line| Some(line.strip_prefix("READER=")?.to_owned()));
    for new in fresh.take(2) {
        assert_ne!(new, old);
        for token in [&new, &old] {
            let header = format!("authorization: Bearer {token}\r\n");
            assert_eq!(quickstart.get("/jobs", &header).0, 200);
        }
    }
    assert_eq!(quickstart.get("/readyz", "").0, 200);
}

#[tokio::test]
async fn old_keys_retire_so_that_the_service_uses_every_new_one() {
    let server = KeyServer::start();
    let issuer = server.issuer();
    let first = tokens(&issuer).reader;
    for _ in 0..120 {
        rotate_key(&server, &issuer);
    }
    let auth = authenticator(issuer.name()).unwrap();
    auth.ready().await.unwrap();
    assert!(auth.authenticate_token_now(&tokens(&issuer).reader).is_ok());
    assert!(auth.authenticate_token_now(&first).is_err());
}

#[test]
fn rejects_unknown_options_with_one_clear_line() {
    for args in
        [&["--port", "1"][..], &["--listen"], &["--listen", "nowhere"], &["--rotate-every", "0"]]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_quickstart")).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 1);
        assert!(output.stdout.is_empty());
    }
}

/// The mask of the signals that a process catches.
#[cfg(target_os = "linux")]
fn caught_signals(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn whoever_has_seen_the_first_line_can_stop_it_cleanly() {
    for (signal, number) in [("TERM", 15), ("INT", 2)].repeat(4) {
        let mut child = spawn(&[]);
        // At once: the next moment may be too late for a handler that is yet to come.
        let mut first = [0];
        child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        let caught = caught_signals(child.id());
        let kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
        assert_ne!(caught & (1 << (number - 1)), 0, "{signal} was not caught yet");
    }
}

#[cfg(unix)]
#[test]
fn a_client_that_sends_half_a_request_does_not_prevent_a_stop() {
    let mut quickstart = Quickstart::start(&[]);
    let mut half = TcpStream::connect(&quickstart.address).unwrap();
    half.write_all(b"GET /jobs HTTP/1.1\r\nhost: x\r\n").unwrap();
    // Served after that one was accepted.
    assert_eq!(quickstart.get("/readyz", "").0, 200);
    let id = quickstart.child.id().to_string();
    assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
    assert_eq!(quickstart.child.wait().unwrap().code(), Some(0));
}
