//! Drives the program over a socket, once for each framework.

#![cfg(unix)]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use portcullis_testkit::{KeyServer, TestIssuer, TokenBuilder};
use serde_json::{Value, json};

const AUDIENCE: &str = "https://api.example.com";
const FRAMEWORKS: [&str; 3] = ["axum", "actix-web", "tower"];

/// No step takes this long unless something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn every_framework_answers_alike() {
    for framework in FRAMEWORKS {
        let service = Service::start(framework);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let plain = service.token().build();
        let reader = service.token().scope("orders:read").build();
        let writer = service.token().scope("orders:write").build();
        let admin = service.token().roles(["admin"]).build();
        let fresh = service.token().claim("auth_time", now).build();
        let expired = service.token().expired().build();
        for (method, path, token, status) in [
            ("GET", "/healthz", "", 200),
            ("GET", "/readyz", "", 200),
            ("GET", "/.well-known/oauth-protected-resource", "", 200),
            ("GET", "/no-such-route", "", 404),
            ("GET", "/whoami", "", 401),
            ("GET", "/whoami", &plain, 200),
            ("GET", "/whoami", &expired, 401),
            ("GET", "/orders", &plain, 403),
            ("GET", "/orders", &reader, 200),
            ("POST", "/orders", &reader, 403),
            ("POST", "/orders", &writer, 201),
            ("GET", "/admin", &reader, 403),
            ("GET", "/admin", &admin, 200),
            ("GET", "/fresh", &plain, 401),
            ("GET", "/fresh", &fresh, 200),
            ("GET", "/metrics", "", 200),
        ] {
            let answer = service.request(method, path, token);
            assert_eq!(answer.status, status, "{framework}: {method} {path}: {}", answer.body);
        }

        let in_query = service.get(&format!("/whoami?access_token={plain}"), "");
        assert_eq!(in_query.status, 200, "{framework}: {}", in_query.body);

        let caller: Value = serde_json::from_str(&service.get("/whoami", &admin).body).unwrap();
        assert_eq!(caller["principal"]["subject"], json!("alice"), "{framework}");
        assert_eq!(caller["grant"]["roles"], json!(["admin"]), "{framework}");
        let metrics = service.get("/metrics", "").body;
        let expired = r#"portcullis_rejections_total{code="token_expired"} 1"#;
        assert!(metrics.contains(expired), "{framework}: {metrics}");
    }
}

#[test]
fn a_caller_revokes_its_own_tokens_and_an_admin_those_of_others() {
    for framework in FRAMEWORKS {
        let service = Service::start(framework);
        let own = service.token().subject("bob").build();
        let other = service.token().build();
        let admin = service.token().subject("root").roles(["admin"]).build();
        assert_eq!(service.post("/revoke", "", "token", &own).status, 401, "{framework}");
        assert_eq!(service.post("/revoke", &own, "token", &other).status, 403, "{framework}");
        assert_eq!(service.get("/whoami", &other).status, 200, "{framework}");
        assert_eq!(service.post("/revoke", &own, "token", "unknown").status, 200, "{framework}");
        assert_eq!(service.post("/revoke", &own, "nothing", &own).status, 400, "{framework}");
        assert_eq!(service.post("/revoke", &admin, "token", &other).status, 200, "{framework}");
        assert_eq!(service.get("/whoami", &other).status, 401, "{framework}");
        assert_eq!(service.post("/revoke", &own, "token", &own).status, 200, "{framework}");
        assert_eq!(service.get("/whoami", &own).status, 401, "{framework}");
        let metrics = service.get("/metrics", "").body;
        let revoked = r#"portcullis_rejections_total{code="token_revoked"} 2"#;
        assert!(metrics.contains(revoked), "{framework}: {metrics}");
        // What was revoked stays revoked over a reload.
        service.configure("https://other.example.com");
        service.signal("HUP");
        let token = service.token().audience("https://other.example.com");
        let token = token.claim("jti", "reload").build();
        service.wait_until("it is reloaded", || service.get("/whoami", &token).status == 200);
        service.configure(AUDIENCE);
        service.signal("HUP");
        let good = || service.get("/whoami", &service.token().build()).status == 200;
        service.wait_until("it is reloaded", good);
        assert_eq!(service.get("/whoami", &own).status, 401, "{framework}");
    }
}

#[test]
fn an_issuer_ends_a_session() {
    for framework in FRAMEWORKS {
        let service = Service::start(framework);
        let token = service.token().claim("sid", "s-1").build();
        let other = service.token().claim("sid", "s-2").build();
        let event = "http://schemas.openid.net/event/backchannel-logout";
        let logout = service.token().audience("whoami").header("typ", "logout+jwt");
        let logout = logout.without_claim("scope").claim("sid", "s-1");
        let logout = logout.claim("events", json!({ event: {} }));
        let for_another = logout.clone().audience("another").build();
        let logout = logout.audience("whoami").build();
        let send = |token: &str| service.post("/backchannel-logout", "", "logout_token", token);
        assert_eq!(send(&for_another).status, 400, "{framework}");
        assert_eq!(send(&token).status, 400, "{framework}");
        assert_eq!(service.get("/whoami", &token).status, 200, "{framework}");
        let answer = send(&logout);
        assert_eq!(answer.status, 200, "{framework}: {}", answer.body);
        assert_eq!(service.get("/whoami", &token).status, 401, "{framework}");
        assert_eq!(service.get("/whoami", &other).status, 200, "{framework}");
        assert_eq!(send(&logout).status, 400, "{framework}: it was used");
    }
}

#[test]
fn sighup_reloads_the_configuration_instead_of_ending_the_program() {
    for framework in FRAMEWORKS {
        let service = Service::start(framework);
        let token = service.token().audience("https://other.example.com").build();
        assert_eq!(service.get("/whoami", &token).status, 401, "{framework}");
        service.configure("https://other.example.com");
        service.signal("HUP");
        service
            .wait_until("the new audience holds", || service.get("/whoami", &token).status == 200);
    }
}

#[test]
fn a_half_sent_request_does_not_keep_the_program_alive() {
    for framework in FRAMEWORKS {
        let mut service = Service::start(framework);
        let mut stream = TcpStream::connect(&service.address).unwrap();
        stream.write_all(b"GET /whoami HTTP/1.1\r\nhost: ").unwrap();
        assert_eq!(service.get("/healthz", "").status, 200);
        service.signal("TERM");
        let started = Instant::now();
        assert!(service.child.wait().unwrap().success(), "{framework}");
        assert!(started.elapsed() < Duration::from_secs(30), "{framework}");
    }
}

#[test]
fn a_bad_setting_ends_the_program_with_status_2() {
    let file = own_path("bad.toml");
    fs::write(&file, "[[issuer]]\nissuer = 'https://idp.example.com'\naudienze = ['a']\n").unwrap();
    for (arguments, expected) in [
        (vec!["--config", file.to_str().unwrap()], "did you mean \"audience\"?"),
        (vec!["--config", "no-such-file.toml"], "no-such-file.toml"),
        (vec!["--listen", "127.0.0.1:0"], "--config is missing"),
        (vec!["--config", "a", "--framework", "rocket"], "not `rocket`"),
        (vec!["--port", "1"], "unknown option `--port`"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_whoami")).args(&arguments).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(expected), "{arguments:?}: {errors}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    fs::remove_file(file).unwrap();
}

/// The program, and the issuer that it trusts.
struct Service {
    child: Child,
    address: String,
    config: PathBuf,
    /// The section of the configuration.
    revocation: String,
    store: PathBuf,
    log: PathBuf,
    server: KeyServer,
    issuer: TestIssuer,
}

struct Answer {
    status: u16,
    body: String,
}

impl Service {
    fn start(framework: &str) -> Self {
        let server = KeyServer::start();
        let issuer = server.issuer();
        let (config, log) = (own_path("portcullis.toml"), own_path("log"));
        let store = own_path("revoked.db");
        let revocation = format!("\n[revocation]\nstore = \"sqlite://{}\"\n", store.display());
        write_config(&config, &server, AUDIENCE, &revocation);
        let mut child = Command::new(env!("CARGO_BIN_EXE_whoami"))
            .arg("--config")
            .arg(&config)
            .args(["--framework", framework])
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let Some(address) = first.strip_prefix("listening on http://") else {
            panic!("{framework}: {first}{}", fs::read_to_string(log).unwrap());
        };
        let address = address.trim_end().to_owned();
        let service = Self { child, address, config, revocation, store, log, server, issuer };
        service.wait_until("it is ready", || service.get("/readyz", "").status == 200);
        service
    }

    fn token(&self) -> TokenBuilder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let token_id = COUNT.fetch_add(1, Ordering::Relaxed).to_string();
        self.issuer.token().audience(AUDIENCE).claim("jti", token_id)
    }

    /// Replaces the configuration by one for another audience.
    fn configure(&self, audience: &str) {
        let new = self.config.with_extension("new");
        write_config(&new, &self.server, audience, &self.revocation);
        fs::rename(new, &self.config).unwrap();
    }

    fn get(&self, path: &str, token: &str) -> Answer {
        self.request("GET", path, token)
    }

    fn request(&self, method: &str, path: &str, token: &str) -> Answer {
        self.send(method, path, token, "")
    }

    /// Posts a form with one parameter.
    fn post(&self, path: &str, token: &str, name: &str, value: &str) -> Answer {
        self.send("POST", path, token, &format!("{name}={value}"))
    }

    fn send(&self, method: &str, path: &str, token: &str, form: &str) -> Answer {
        let authorization = match token {
            "" => String::new(),
            token => format!("authorization: Bearer {token}\r\n"),
        };
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\n{authorization}content-length: {}\r\n\
             content-type: application/x-www-form-urlencoded\r\nconnection: close\r\n\r\n{form}",
            self.address,
            form.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, body: body.to_owned() }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    fn wait_until(&self, what: &str, is_so: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_so() {
            let log = || fs::read_to_string(&self.log).unwrap();
            assert!(started.elapsed() < PATIENCE, "{what}: not in time: {}", log());
            std::thread::yield_now();
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for file in [&self.config, &self.log, &self.store] {
            let _ = fs::remove_file(file);
        }
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{suffix}", self.store.display()));
        }
    }
}

fn write_config(path: &Path, server: &KeyServer, audience: &str, revocation: &str) {
    let text = format!(
        "[extract]\nplaces = [\"header\", \"query\"]\n\n[resource]\nidentifier = \"https://api.example.com\"\n\n[[issuer]]\nissuer = \"{}\"\n\
         audience = [\"{audience}\"]\ndiscovery = true\n{revocation}",
        server.url("")
    );
    fs::write(path, text).unwrap();
}

/// A path that no other test uses.
fn own_path(name: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let file = format!("whoami-{}-{number}-{name}", std::process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(file)
}
