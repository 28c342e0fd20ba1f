//! `serve-jwks`, and those who read what it serves.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::Folder;

/// A server that ends with the test.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(folder: &Folder, more: &[&str]) -> Self {
        let mut child = folder.start(&[&["serve-jwks"], more].concat());
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ").expect("an address").to_owned();
        Self { child, url }
    }

    /// The status line, the header fields and the body.
    fn get(&self, path: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.url.strip_prefix("http://").unwrap()).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_ascii_lowercase(), body.to_owned())
    }

    fn key_ids(&self) -> Vec<String> {
        let document: Value = serde_json::from_str(&self.get("/jwks.json").1).unwrap();
        let keys = document["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    /// Asks it to end, and returns its status.
    fn end(&mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn with_keys(count: usize) -> (Folder, Vec<String>) {
    let folder = Folder::new();
    let key_ids = (0..count).map(|index| {
        let out = format!("{index}.pem");
        let made = folder.run(&["keygen", "--alg", "ES256", "--out", &out]);
        made.json()["kid"].as_str().unwrap().to_owned()
    });
    let key_ids = key_ids.collect();
    (folder, key_ids)
}

#[test]
fn public_keys_are_served_at_both_places() {
    let (folder, key_ids) = with_keys(2);
    let server = Server::start(&folder, &["--key", "0.pem", "1.pem"]);
    assert_eq!(server.key_ids(), key_ids);
    let (head, body) = server.get("/.well-known/jwks.json");
    assert!(head.starts_with("http/1.1 200") && head.contains("max-age=300"), "{head}");
    assert_eq!(body, server.get("/jwks.json").1);
    assert!(!body.contains("\"d\""));
    for path in ["/.well-known/openid-configuration", "/", "/0.pem"] {
        assert!(server.get(path).0.starts_with("http/1.1 404"), "{path}");
    }
}

#[test]
fn signals_end_it_cleanly_even_with_a_connection_open() {
    let (folder, _) = with_keys(1);
    for signal in ["-TERM", "-INT"] {
        let mut server = Server::start(&folder, &["--key", "0.pem"]);
        let address = server.url.strip_prefix("http://").unwrap().to_owned();
        let _open = TcpStream::connect(&address).unwrap();
        let mut half = TcpStream::connect(&address).unwrap();
        half.write_all(b"GET /jwks.json HTTP/1.1\r\nhost: x\r\n").unwrap();
        // Served after that one was accepted.
        assert!(server.get("/jwks.json").0.starts_with("http/1.1 200"));
        assert_eq!(server.end(signal), Some(0), "{signal}");
    }
}

#[test]
fn an_address_that_is_taken_is_a_mistake() {
    let (folder, _) = with_keys(1);
    let server = Server::start(&folder, &["--key", "0.pem"]);
    let address = server.url.strip_prefix("http://").unwrap();
    folder.run(&["serve-jwks", "--key", "0.pem", "--listen", address]).assert_mistake("--listen");
}

#[test]
fn keys_take_turns() {
    let (folder, key_ids) = with_keys(2);
    let keys = ["--key", "0.pem", "--key", "1.pem", "--rotate-every", "100ms"];
    let server = Server::start(&folder, &keys);
    let deadline = Instant::now() + Duration::from_secs(20);
    // The next one first, and the one before it still there.
    let expected = [key_ids[1].clone(), key_ids[0].clone()];
    while server.key_ids() != expected {
        assert!(Instant::now() < deadline, "it did not rotate");
        std::thread::yield_now();
    }
}

#[test]
fn the_way_from_discovery_to_a_verdict_works_over_the_network() {
    let (folder, _) = with_keys(1);
    let server = Server::start(&folder, &["--key", "0.pem", "--discovery"]);
    let url = &server.url;
    let metadata: Value =
        serde_json::from_str(&server.get("/.well-known/openid-configuration").1).unwrap();
    assert_eq!(metadata["issuer"], json!(url));
    assert_eq!(
        metadata,
        serde_json::from_str::<Value>(&server.get("/.well-known/oauth-authorization-server").1)
            .unwrap()
    );

    let checked = folder.run(&["jwks", "check", "--issuer", url]);
    assert_eq!(checked.status, 0, "{checked:?}");
    let findings = checked.json()["findings"].to_string();
    assert!(findings.contains("the issuer's metadata name the set"), "{findings}");
    assert!(findings.contains("may keep the set for 5 minutes"), "{findings}");
    let checked = folder.run(&["jwks", "check", &format!("{url}/jwks.json")]);
    assert_eq!(checked.status, 0, "{checked:?}");

    folder.write(
        "portcullis.toml",
        format!("[[issuer]]\nissuer = \"{url}\"\naudience = [\"orders\"]\ndiscovery = true\n"),
    );
    let claims = json!({"iss": url, "sub": "alice", "aud": "orders"}).to_string();
    let token = folder.run(&["mint", "--key", "0.pem", "--claims", &claims]).stdout;
    let other =
        folder.run(&["mint", "--key", "0.pem", "--kid", "other", "--claims", &claims]).stdout;
    let run =
        folder.run_with(&["verify", "--config", "portcullis.toml"], format!("{token}{other}"));
    let lines = run.json_lines();
    assert_eq!(lines[0]["result"], "accepted", "{run:?}");
    // The source was asked for it.
    assert_eq!(lines[1]["code"], "unknown_key", "{run:?}");
    let explained = folder.run_with(&["explain", "--config", "portcullis.toml"], &other);
    assert_eq!(explained.json()["code"], "unknown_key", "{explained:?}");
}

#[test]
fn a_set_that_cannot_be_fetched_is_rejected_with_the_reason() {
    let run = Folder::new().run(&["jwks", "check", "http://127.0.0.1:1/keys"]);
    assert_eq!(run.status, 1, "{run:?}");
    let report = run.json();
    assert_eq!(report["keys"], json!([]));
    assert!(report["findings"][0].as_str().unwrap().contains("could not be fetched"), "{report}");
}
