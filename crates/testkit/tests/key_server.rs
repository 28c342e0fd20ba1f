//! The server of keys, asked by a client that has nothing but a socket.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::{
    io::{self, ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use portcullis::{Algorithm, JwkSet};
use portcullis_testkit::{KeyServer, RecordedRequest, Reply, TestIssuer};
use serde_json::Value;

const KEYS: &str = r#"{"keys":[]}"#;
const SHORT: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(5);
const ENDLESS: Duration = Duration::from_secs(3600);

/// A request that was sent, and the connection that its response comes from.
struct Exchange(TcpStream);

impl Exchange {
    fn start(server: &KeyServer, request: &str) -> Self {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        Self(stream)
    }

    fn get(server: &KeyServer, path: &str) -> Self {
        Self::start(server, &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"))
    }

    /// Returns everything until the server closes.
    fn whole(mut self) -> String {
        let mut response = String::new();
        self.0.read_to_string(&mut response).unwrap();
        response
    }

    fn read(&mut self, len: usize) -> String {
        let mut bytes = vec![0; len];
        self.0.read_exact(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn read_head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head += &self.read(1);
        }
        head
    }

    /// Whether the connection is open and nothing comes.
    fn is_silent(&mut self) -> bool {
        self.0.set_read_timeout(Some(SHORT)).unwrap();
        let read = self.0.read(&mut [0]);
        self.0.set_read_timeout(Some(LONG)).unwrap();
        matches!(read, Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }

    /// Whether the server ends the connection, in whatever way, after what it still sends.
    fn ends(mut self) -> bool {
        let read = io::copy(&mut self.0, &mut io::sink());
        !matches!(read, Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }
}

fn fetch(server: &KeyServer, path: &str) -> String {
    Exchange::get(server, path).whole()
}

fn fetch_with(server: &KeyServer, path: &str, header: &str) -> String {
    Exchange::start(server, &format!("GET {path} HTTP/1.1\r\n{header}\r\n\r\n")).whole()
}

fn body(response: &str) -> &str {
    response.split_once("\r\n\r\n").unwrap().1
}

/// A server with one path.
fn serving(reply: Reply) -> KeyServer {
    let server = KeyServer::start();
    server.reply("/jwks.json", reply);
    server
}

#[test]
fn answers_as_told_and_404_where_told_nothing() {
    let server = serving(Reply::json(KEYS).header("X-Test", "yes"));
    assert_eq!(
        fetch(&server, "/jwks.json?version=1"),
        "HTTP/1.1 200 \r\ncontent-type: application/json\r\nX-Test: yes\r\n\
         content-length: 11\r\nconnection: close\r\n\r\n{\"keys\":[]}"
    );
    assert!(fetch(&server, "/other").starts_with("HTTP/1.1 404 "));
    assert_eq!(server.url("/jwks.json"), format!("http://{}/jwks.json", server.address()));
    assert!(server.address().ip().is_loopback());
}

#[test]
fn changes_its_answers() {
    let server = serving(Reply::json("1"));
    server.reply_once("/jwks.json", Reply::empty().status(503));
    server.reply_once("/jwks.json", Reply::json("2").content_type("text/html"));
    assert!(fetch(&server, "/jwks.json").starts_with("HTTP/1.1 503 "));
    assert!(fetch(&server, "/jwks.json").contains("content-type: text/html\r\n"));
    assert_eq!(body(&fetch(&server, "/jwks.json")), "1");
    server.reply("/jwks.json", Reply::json("3"));
    assert_eq!(body(&fetch(&server, "/jwks.json")), "3");
    server.reply_once("/once", Reply::json("4"));
    assert_eq!(body(&fetch(&server, "/once")), "4");
    assert!(fetch(&server, "/once").starts_with("HTTP/1.1 404 "));
}

#[test]
fn sends_no_body_where_there_is_none() {
    let server = serving(Reply::json(KEYS));
    let head = Exchange::start(&server, "HEAD /jwks.json HTTP/1.1\r\n\r\n").whole();
    assert!(head.contains("content-length: 11\r\n"));
    assert_eq!(body(&head), "");
    server.reply("/jwks.json", Reply::json(KEYS).status(204));
    let response = fetch(&server, "/jwks.json");
    assert!(!response.contains("content-length"));
    assert_eq!(body(&response), "");
}

#[test]
fn lies_about_the_length_when_told() {
    let server = serving(Reply::json(KEYS).header("Content-Length", "3"));
    let response = fetch(&server, "/jwks.json");
    assert_eq!(response.to_lowercase().matches("content-length").count(), 1);
    assert_eq!(body(&response), KEYS);
}

#[test]
fn answers_304_to_the_right_entity_tag() {
    let server = serving(Reply::json(KEYS).etag("v1").cache_control("max-age=60"));
    let unchanged = |header: &str| {
        let response = fetch_with(&server, "/jwks.json", header);
        assert!(response.contains("etag: \"v1\"\r\n"));
        assert!(response.contains("cache-control: max-age=60\r\n"));
        assert_eq!(response.starts_with("HTTP/1.1 304 "), body(&response).is_empty());
        response.starts_with("HTTP/1.1 304 ")
    };
    assert!(unchanged("If-None-Match: \"v1\""));
    assert!(unchanged("if-none-match: W/\"v0\", W/\"v1\""));
    assert!(unchanged("if-none-match: *"));
    assert!(!unchanged("if-none-match: \"v2\""));
    assert!(!unchanged("x-none: *"));
}

#[test]
fn answers_304_to_the_right_date() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let server = serving(Reply::json(KEYS).etag("W/\"v1\"").last_modified(date));
    let status = |header: &str| {
        fetch_with(&server, "/jwks.json", header).split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(status(&format!("if-modified-since: {date}")), "304");
    assert_eq!(status("if-modified-since: Mon, 07 Nov 1994 08:49:37 GMT"), "200");
    let both = format!("if-modified-since: {date}\r\nif-none-match: \"v2\"");
    assert_eq!(status(&both), "200");
    server.reply("/jwks.json", Reply::empty().status(500).last_modified(date));
    assert_eq!(status(&format!("if-modified-since: {date}")), "500");
}

#[test]
fn redirects() {
    let server = serving(Reply::redirect(307, "http://other.test/"));
    let response = fetch(&server, "/jwks.json");
    assert!(response.starts_with("HTTP/1.1 307 "));
    assert!(response.contains("location: http://other.test/\r\n"));
    assert!(response.contains("content-length: 0\r\n"));
}

#[test]
fn delays_the_head() {
    let server = serving(Reply::json(KEYS).delay(SHORT));
    let start = Instant::now();
    assert_eq!(body(&fetch(&server, "/jwks.json")), KEYS);
    assert!(start.elapsed() >= SHORT);
}

#[test]
fn stalls_after_some_bytes() {
    let whole = fetch(&serving(Reply::json(KEYS)), "/jwks.json");
    for stall in [0, 5, whole.len() - 3, whole.len(), whole.len() + 1] {
        let server = serving(Reply::json(KEYS).stall_after(stall));
        let mut exchange = Exchange::get(&server, "/jwks.json");
        let sent = stall.min(whole.len());
        assert_eq!(exchange.read(sent), whole.split_at(sent).0);
        assert!(exchange.is_silent(), "after {stall} bytes");
    }
}

#[test]
fn drips_the_body() {
    let server = serving(Reply::json(KEYS).drip(4, Duration::from_millis(10)));
    let mut exchange = Exchange::get(&server, "/jwks.json");
    exchange.read_head();
    let start = Instant::now();
    assert_eq!(exchange.read(KEYS.len()), KEYS);
    assert!(start.elapsed() >= Duration::from_millis(20), "three pieces");
    assert!(exchange.ends());
}

#[test]
fn drips_headers_without_end() {
    let server = serving(Reply::json(KEYS).drip_headers(Duration::from_millis(2)));
    let mut exchange = Exchange::get(&server, "/jwks.json");
    assert!(exchange.read(100).starts_with("HTTP/1.1 200 \r\n"));
    let more = exchange.read(30);
    assert!(more.contains("x-drip: 1\r\n"));
    assert!(!more.contains("\r\n\r\n"));
}

#[test]
fn closes_before_the_body_is_whole() {
    let server = serving(Reply::json(KEYS).truncate(4));
    let response = fetch(&server, "/jwks.json");
    assert!(response.contains("content-length: 11\r\n"));
    assert_eq!(body(&response), "{\"ke");
    server.reply("/jwks.json", Reply::json(KEYS).truncate(11));
    assert_eq!(body(&fetch(&server, "/jwks.json")), KEYS);
    server.reply("/jwks.json", Reply::endless(" ").truncate(9));
    assert_eq!(body(&fetch(&server, "/jwks.json")), "1\r\n \r\n1\r\n");
}

#[test]
fn sends_what_is_not_http() {
    let server = serving(Reply::garbage("SSH-2.0-OpenSSH_9.9\r\n"));
    assert_eq!(fetch(&server, "/jwks.json"), "SSH-2.0-OpenSSH_9.9\r\n");
    server.reply("/jwks.json", Reply::garbage(""));
    assert_eq!(fetch(&server, "/jwks.json"), "");
}

#[test]
fn sends_chunks_without_end() {
    let server = serving(Reply::endless("spaces"));
    server.reply("/none", Reply::endless(""));
    let mut exchange = Exchange::get(&server, "/jwks.json");
    assert!(exchange.read_head().contains("transfer-encoding: chunked\r\n"));
    assert_eq!(exchange.read(22), "6\r\nspaces\r\n6\r\nspaces\r\n");
    let mut sink = vec![0; 1 << 20];
    exchange.0.read_exact(&mut sink).unwrap();
    let mut exchange = Exchange::get(&server, "/none");
    exchange.read_head();
    assert_eq!(exchange.read(6), "1\r\n \r\n");
}

#[test]
fn sends_bodies_of_any_size() {
    let server = serving(Reply::sized(b'x', 100_000));
    let response = fetch(&server, "/jwks.json");
    assert!(response.contains("content-length: 100000\r\n"));
    assert_eq!(body(&response), "x".repeat(100_000));
    server.reply("/jwks.json", Reply::sized(b' ', 1 << 30));
    let mut exchange = Exchange::get(&server, "/jwks.json");
    assert!(exchange.read_head().contains("content-length: 1073741824\r\n"));
    exchange.read(1 << 20);
}

#[test]
fn rejects_connections_and_opens_the_same_port_again() {
    let server = serving(Reply::json(KEYS));
    let address = server.address();
    let mut begun = Exchange::get(&server, "/begun");
    assert!(server.wait_for_hits("/begun", 1, LONG));
    for _ in 0..5 {
        server.reject_connections();
        server.reject_connections();
        let rejected = TcpStream::connect(address).unwrap_err();
        assert_eq!(rejected.kind(), ErrorKind::ConnectionRefused);
        server.accept_connections();
        server.accept_connections();
        assert_eq!(body(&fetch(&server, "/jwks.json")), KEYS);
    }
    assert!(begun.read_head().starts_with("HTTP/1.1 404 "));
    server.reject_connections();
    drop(server);
}

#[test]
fn records_requests() {
    let server = KeyServer::start();
    let request = "POST /introspect?a=1?b HTTP/1.1\r\nHost: idp.test\r\nX-Two:  1 \r\nx-two: 2\r\n\r\n\
                   unread";
    assert!(Exchange::start(&server, request).whole().starts_with("HTTP/1.1 404 "));
    fetch(&server, "/introspect");
    let requests = server.requests("/introspect");
    assert_eq!(requests.len(), 2);
    let first = &requests[0];
    assert_eq!((first.method(), first.path()), ("POST", "/introspect"));
    assert_eq!(first.query(), Some("a=1?b"));
    assert_eq!(first.header("HOST"), Some("idp.test"));
    assert_eq!(first.header("X-Two"), Some("1"));
    assert_eq!(first.header("accept"), None);
    assert_eq!(first.headers().len(), 3);
    assert_eq!(requests[1].query(), None);
    assert_eq!((server.hits("/introspect"), server.hits("/")), (2, 0));
    assert_eq!(server.requests("/"), Vec::<RecordedRequest>::new());
}

#[test]
fn waits_for_hits() {
    let server = serving(Reply::json(KEYS).delay(ENDLESS));
    assert!(server.wait_for_hits("/jwks.json", 0, Duration::ZERO));
    assert!(!server.wait_for_hits("/jwks.json", 1, Duration::from_millis(5)));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| server.wait_for_hits("/jwks.json", 3, LONG));
        let _exchanges = [(); 3].map(|()| Exchange::get(&server, "/jwks.json"));
        assert!(waiting.join().unwrap());
    });
    assert_eq!(server.hits("/jwks.json"), 3);
}

#[test]
fn rejects_heads_that_are_wrong_or_too_large() {
    let server = KeyServer::start();
    for request in ["GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\r\nx\r\n\r\n"] {
        assert!(Exchange::start(&server, request).whole().starts_with("HTTP/1.1 400 "));
    }
    let head = |len| format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(len));
    let response = |len| Exchange::start(&server, &head(len)).whole();
    assert!(response(60 * 1024).starts_with("HTTP/1.1 404 "));
    assert!(response(80 * 1024).starts_with("HTTP/1.1 431 "));
}

#[test]
fn finds_the_end_of_a_head_that_comes_in_pieces() {
    let server = serving(Reply::json(KEYS));
    let mut exchange = Exchange::start(&server, "GET /jwks.json");
    exchange.0.set_nodelay(true).unwrap();
    for piece in [" HTTP/1.1\r\nx: 1", "\r", "\n", "\r", "\nmore"] {
        assert!(exchange.0.write_all(piece.as_bytes()).is_ok());
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(body(&exchange.whole()), KEYS);
}

#[test]
fn publishes_an_issuer() {
    let server = KeyServer::start();
    let issuer = server.issuer();
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let metadata: Value = serde_json::from_str(body(&fetch(&server, path))).unwrap();
        assert_eq!(metadata["issuer"], server.url(""));
        assert_eq!(metadata["jwks_uri"], server.url("/jwks.json"));
        let algorithms = metadata["id_token_signing_alg_values_supported"].as_array().unwrap();
        assert!(algorithms.contains(&"ES256".into()) && !algorithms.contains(&"HS256".into()));
    }
    for path in ["/jwks.json", "/.well-known/jwks.json"] {
        assert_eq!(body(&fetch(&server, path)), issuer.jwk_set_json());
    }
}

#[test]
fn publishes_a_rotation_when_told() {
    let server = KeyServer::start();
    let issuer = server.issuer();
    let holds = |key_id: &str| {
        let set = JwkSet::from_json(body(&fetch(&server, "/jwks.json"))).unwrap();
        set.keys().iter().any(|key| format!("{key:?}").contains(&format!("{key_id:?}")))
    };
    issuer.rotate(Algorithm::ES256);
    assert!(holds("es256") && !holds("es256-2"));
    server.publish(&issuer);
    assert!(holds("es256") && holds("es256-2"));
    issuer.retire_old_keys();
    server.publish(&issuer);
    assert!(!holds("es256") && holds("es256-2"));
}

#[test]
fn publishes_many_issuers_by_their_paths() {
    let server = KeyServer::start();
    let names = [server.url("/a"), server.url("/b/"), "https://idp.test/c".to_owned()];
    for name in &names {
        server.publish(&TestIssuer::new(name));
    }
    let metadata = |path: &str| serde_json::from_str::<Value>(body(&fetch(&server, path))).unwrap();
    let a = metadata("/a/.well-known/openid-configuration");
    assert_eq!(a["issuer"], names[0]);
    assert_eq!(a["jwks_uri"], server.url("/a/jwks.json"));
    assert_eq!(metadata("/.well-known/oauth-authorization-server/a"), a);
    assert_eq!(metadata("/b/.well-known/openid-configuration")["issuer"], names[1]);
    assert_eq!(metadata("/.well-known/openid-configuration")["issuer"], names[2]);
    assert!(metadata("/b/.well-known/jwks.json")["keys"].is_array());
}

#[test]
fn serves_many_clients_at_a_time() {
    let server = serving(Reply::json(KEYS));
    server.reply("/slow", Reply::json(KEYS).delay(SHORT));
    // More than may be open: those that wait are served when others end.
    let exchanges: Vec<_> = (0..300).map(|_| Exchange::get(&server, "/slow")).collect();
    for exchange in exchanges {
        assert_eq!(body(&exchange.whole()), KEYS);
    }
    assert_eq!((server.hits("/slow"), server.requests("/slow").len()), (300, 300));
}

#[test]
fn ends_all_connections_when_dropped() {
    let replies = [
        ("/delay", Reply::json(KEYS).delay(ENDLESS)),
        ("/stall", Reply::json(KEYS).stall_after(10)),
        ("/drip", Reply::json(KEYS).drip(1, ENDLESS)),
        ("/drip-headers", Reply::json(KEYS).drip_headers(ENDLESS)),
        ("/endless", Reply::endless(" ")),
        ("/sized", Reply::sized(b' ', usize::MAX)),
    ];
    let server = KeyServer::start();
    let mut exchanges = vec![Exchange::start(&server, ""), Exchange::start(&server, "GET / HTT")];
    for (path, reply) in replies {
        server.reply(path, reply);
        exchanges.push(Exchange::get(&server, path));
        assert!(server.wait_for_hits(path, 1, LONG));
    }
    let (address, start) = (server.address(), Instant::now());
    drop(server);
    assert!(start.elapsed() < Duration::from_secs(1));
    assert!(TcpStream::connect(address).is_err());
    assert!(exchanges.into_iter().all(Exchange::ends));
}

#[test]
fn ends_when_dropped_with_as_many_connections_as_it_takes() {
    let server = serving(Reply::json(KEYS).delay(ENDLESS));
    let exchanges: Vec<_> = (0..260).map(|_| Exchange::get(&server, "/jwks.json")).collect();
    assert!(server.wait_for_hits("/jwks.json", 256, LONG));
    assert_eq!(server.hits("/jwks.json"), 256);
    let start = Instant::now();
    drop(server);
    assert!(start.elapsed() < Duration::from_secs(1));
    assert!(exchanges.into_iter().all(Exchange::ends));
}

#[test]
fn can_be_shared_between_threads() {
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<KeyServer>();
    is_shared::<Reply>();
    is_shared::<RecordedRequest>();
}
