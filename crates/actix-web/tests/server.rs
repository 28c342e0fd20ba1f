//! Real servers with several workers: they share one engine, whose keys are fetched.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]

use std::{
    collections::HashSet,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    sync::mpsc,
    thread::{self, JoinHandle, ThreadId},
    time::Duration,
};

use actix_web::{App, HttpServer, dev::ServerHandle, rt::System, web};
use portcullis::{
    Algorithm,
    keys::{RefreshPolicy, RemoteJwkSet},
};
use portcullis_actix_web::{Authenticator, Caller, Issuer, JwtAuth, RemoveTokens, TokenLocation};
use portcullis_testkit::{KeyServer, TestIssuer};

const AUDIENCE: &str = "orders";
const WORKERS: usize = 2;

/// Longer than anything here takes: what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// When the first keys are fetched.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    /// By `ready()`, in the runtime of the main thread.
    BeforeServing,
    /// By the first request, in the runtime of the worker that got it.
    AtFirstRequest,
}

struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    thread: JoinHandle<io::Result<()>>,
}

impl Server {
    fn start(auth: Authenticator, start: Start) -> Self {
        let (send, receive) = mpsc::channel();
        let thread = thread::spawn(move || {
            System::new().block_on(async move {
                if start == Start::BeforeServing {
                    auth.ready().await.unwrap();
                }
                let app = move || {
                    let app = App::new().route("/", web::get().to(who));
                    RemoveTokens::new(auth.clone(), app.wrap(JwtAuth::new(auth.clone())))
                };
                let server = HttpServer::new(app).workers(WORKERS).disable_signals();
                let server = server.bind(("127.0.0.1", 0))?;
                let address = *server.addrs().first().expect("an address");
                let server = server.run();
                send.send((address, server.handle())).expect("a test that waits");
                server.await
            })
        });
        let (address, handle) = receive.recv_timeout(PATIENCE).expect("a server");
        Self { address, handle, thread }
    }

    fn get(&self, token: &str) -> Response {
        self.send("GET", "/", Some(token))
    }

    fn send(&self, method: &str, target: &str, token: Option<&str>) -> Response {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let token = token.map(|token| format!("authorization: Bearer {token}\r\n"));
        let token = token.unwrap_or_default();
        let head =
            format!("{method} {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{token}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").expect("a whole response");
        Response { head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// Sends a good token until each worker has accepted it.
    fn is_accepted_by_each_worker(&self, token: &str) {
        let mut workers = HashSet::new();
        for _ in 0..1000 {
            let response = self.get(token);
            assert_eq!(response.status(), 200, "{response:?}");
            workers.insert(response.body);
            if workers.len() == WORKERS {
                return;
            }
        }
        panic!("{workers:?} answered, and no other");
    }

    fn stop(self) {
        // The command is sent when the future is made; the thread says when it was carried out.
        drop(self.handle.stop(true));
        let (send, receive) = mpsc::channel();
        thread::spawn(move || send.send(self.thread.join()));
        receive.recv_timeout(PATIENCE).expect("an end").unwrap().unwrap();
    }
}

#[derive(Debug)]
struct Response {
    head: String,
    body: String,
}

impl Response {
    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(own, _)| *own == name).map(|(_, value)| value)
    }
}

/// Tells which worker has answered.
async fn who(caller: Caller) -> String {
    let worker: ThreadId = thread::current().id();
    format!("{worker:?} {}", caller.subject())
}

fn engine(keys: &KeyServer, issuer: &TestIssuer) -> Authenticator {
    // Long, because the machine may be busy.
    let policy = RefreshPolicy::default().wait(PATIENCE);
    let source = RemoteJwkSet::new(keys.url("/jwks.json")).refresh_policy(policy);
    Authenticator::builder()
        .issuer(Issuer::new(issuer.name()).key_source(source))
        .audience(AUDIENCE)
        .locations(TokenLocation::header_query_cookie("access_token"))
        .build()
        .unwrap()
}

fn token(issuer: &TestIssuer) -> String {
    issuer.token().audience(AUDIENCE).build()
}

#[test]
fn workers_share_one_engine_and_follow_a_rotation() {
    for start in [Start::BeforeServing, Start::AtFirstRequest] {
        let keys = KeyServer::start();
        let issuer = keys.issuer();
        let auth = engine(&keys, &issuer);
        let server = Server::start(auth.clone(), start);
        let old = token(&issuer);
        server.is_accepted_by_each_worker(&old);
        // One fetch for all: the engine is one.
        assert_eq!(keys.hits("/jwks.json"), 1, "{start:?}");

        issuer.rotate(Algorithm::ES256);
        keys.publish(&issuer);
        server.is_accepted_by_each_worker(&token(&issuer));
        server.is_accepted_by_each_worker(&old);
        assert_eq!(keys.hits("/jwks.json"), 2, "{start:?}");
        server.stop();
        assert!(auth.health().is_ok(), "{start:?}");
    }
}

#[test]
fn an_engine_outlives_a_server_and_follows_rotations_in_the_next() {
    let keys = KeyServer::start();
    let issuer = keys.issuer();
    let auth = engine(&keys, &issuer);
    for start in [Start::BeforeServing, Start::AtFirstRequest, Start::BeforeServing] {
        let server = Server::start(auth.clone(), start);
        server.is_accepted_by_each_worker(&token(&issuer));
        issuer.rotate(Algorithm::ES256);
        keys.publish(&issuer);
        server.is_accepted_by_each_worker(&token(&issuer));
        server.stop();
    }
}

#[test]
fn shutdown_ends_the_tasks_of_an_engine_whose_server_has_ended() {
    let keys = KeyServer::start();
    let issuer = keys.issuer();
    for start in [Start::BeforeServing, Start::AtFirstRequest] {
        let auth = engine(&keys, &issuer);
        let server = Server::start(auth.clone(), start);
        server.is_accepted_by_each_worker(&token(&issuer));
        server.stop();
        let (send, receive) = mpsc::channel();
        thread::spawn(move || {
            System::new().block_on(auth.shutdown());
            send.send(())
        });
        receive.recv_timeout(PATIENCE).expect("an end");
    }
}

#[test]
fn keys_that_cannot_be_fetched_are_503() {
    let keys = KeyServer::start();
    let issuer = keys.issuer();
    keys.reject_connections();
    let server = Server::start(engine(&keys, &issuer), Start::AtFirstRequest);
    let rejected = server.get(&token(&issuer));
    assert_eq!(
        (rejected.status(), rejected.field("retry-after")),
        (503, Some("5")),
        "{rejected:?}"
    );
    server.stop();
}

#[test]
fn head_gets_the_headers_of_get_without_a_body() {
    let keys = KeyServer::start();
    let server = Server::start(engine(&keys, &keys.issuer()), Start::AtFirstRequest);
    let [get, head] = ["GET", "HEAD"].map(|method| server.send(method, "/", None));
    for response in [&get, &head] {
        assert_eq!(response.status(), 401);
        assert_eq!(response.field("www-authenticate"), Some("bearer"));
        assert_eq!(response.field("content-type"), Some("application/problem+json"));
        assert_eq!(response.field("content-length"), Some(get.body.len().to_string().as_str()));
    }
    assert_eq!(head.body, "");
    server.stop();
}

#[test]
fn tokens_in_the_query_work_over_the_wire() {
    let keys = KeyServer::start();
    let issuer = keys.issuer();
    let server = Server::start(engine(&keys, &issuer), Start::AtFirstRequest);
    let response = server.send("GET", &format!("/?access_token={}", token(&issuer)), None);
    assert_eq!((response.status(), response.field("cache-control")), (200, Some("no-store")));
    let response = server.send("GET", "/?access_token=bad", None);
    assert_eq!((response.status(), response.field("cache-control")), (401, Some("no-store")));
    server.stop();
}
