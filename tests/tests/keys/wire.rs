//! What servers of keys do, over real sockets.

use std::time::{Duration, Instant};

use portcullis::{
    Algorithm, Authenticator, ConfigError, Issuer,
    error::KeySourceConfigError,
    keys::{HttpFetch, RefreshPolicy, RemoteJwkSet},
};
use portcullis_testkit::{KeyServer, ManualClock, Reply, TestIssuer};
use serde_json::json;

use super::support::{
    chain, clock, engine, issuer, key, patient_verdict, set, soon, token, verdict,
};

pub(super) const PATH: &str = "/jwks.json";

pub(super) struct Wire {
    pub(super) server: KeyServer,
    pub(super) clock: ManualClock,
    pub(super) issuer: TestIssuer,
    pub(super) auth: Authenticator,
}

impl Wire {
    pub(super) fn new(change: impl FnOnce(RemoteJwkSet) -> RemoteJwkSet) -> Self {
        let server = KeyServer::start();
        let clock = clock();
        let issuer = issuer(&clock);
        let source = change(RemoteJwkSet::new(server.url(PATH)));
        let auth = engine(&clock, [Issuer::new(issuer.name()).key_source(source)]);
        server.reply(PATH, Reply::json(set(&[key(&issuer)])));
        Self { server, clock, issuer, auth }
    }

    /// Moves the clock on, and waits for the fetch that is due.
    pub(super) async fn refresh(&self, seconds: u64) {
        let mut changes = self.auth.key_changes();
        self.clock.advance(Duration::from_secs(seconds));
        assert!(soon(changes.changed()).await);
    }
}

/// Returns why an answer of a server is rejected, and sees to it that it costs no good keys.
async fn rejection(reply: Reply) -> String {
    let wire = Wire::new(|source| source.timeout(Duration::from_millis(500)));
    soon(wire.auth.ready()).await.unwrap();
    wire.server.reply(PATH, reply);
    wire.refresh(505).await;
    assert_eq!(verdict(&wire.auth, &token(&wire.issuer)), "accepted");
    let status = wire.auth.key_status().remove(0);
    assert_eq!((status.failures, status.usable), (1, true));
    status.last_error.unwrap()
}

fn good_set() -> String {
    set(&[key(&issuer(&clock()))])
}

#[tokio::test]
async fn rule_13_the_lifetime_that_the_server_names_is_honoured() {
    let wire = Wire::new(|source| source);
    let keys = Reply::json(set(&[key(&wire.issuer)]));
    wire.server.reply(PATH, keys.clone().cache_control("public, max-age=100"));
    soon(wire.auth.ready()).await.unwrap();
    let due = wire.auth.key_status()[0].next_due.saturating_since(super::support::now(&wire.clock));
    assert!((76..=84).contains(&due.as_secs()), "{due:?}");
    for directives in ["no-store", "max-age=0"] {
        wire.server.reply(PATH, keys.clone().cache_control(directives));
        wire.refresh(85).await;
        let now = super::support::now(&wire.clock);
        let due = wire.auth.key_status()[0].next_due.saturating_since(now);
        assert!((22..=26).contains(&due.as_secs()), "{directives} {due:?}");
    }
}

#[tokio::test]
async fn rule_13_an_unchanged_document_is_not_sent_again() {
    for keys in [
        Reply::json(good_set()).etag("v1"),
        Reply::json(good_set()).last_modified("Sun, 06 Nov 1994 08:49:37 GMT"),
    ] {
        let wire = Wire::new(|source| source);
        wire.server.reply(PATH, keys);
        soon(wire.auth.ready()).await.unwrap();
        wire.refresh(505).await;
        let requests = wire.server.requests(PATH);
        let has_condition = |index: usize| {
            let conditions = ["if-none-match", "if-modified-since"];
            conditions.iter().any(|name| requests[index].header(name).is_some())
        };
        assert!(!has_condition(0) && has_condition(1));
        let status = &wire.auth.key_status()[0];
        assert_eq!((status.keys.len(), status.failures), (1, 0));
        assert_eq!(status.last_success, Some(super::support::now(&wire.clock)));
    }
}

#[tokio::test]
async fn rule_13_validators_mean_nothing_at_another_url() {
    let server = KeyServer::start();
    let clock = clock();
    let issuer = TestIssuer::new(server.url("")).clock(clock.clone());
    let metadata = |path: &str| {
        Reply::json(json!({"issuer": issuer.name(), "jwks_uri": server.url(path)}).to_string())
    };
    let well_known = "/.well-known/openid-configuration";
    server.reply(well_known, metadata("/old.json"));
    server.reply("/old.json", Reply::json(set(&[key(&issuer)])).etag("1"));
    let auth = engine(&clock, [Issuer::discover(issuer.name())]);
    soon(auth.ready()).await.unwrap();
    issuer.rotate(Algorithm::ES256);
    server.reply("/new.json", Reply::json(set(&[key(&issuer)])).etag("1"));
    server.reply(well_known, metadata("/new.json"));
    assert_eq!(soon(patient_verdict(auth.clone(), token(&issuer))).await, "accepted");
}

#[tokio::test]
async fn rule_13_a_304_that_nobody_asked_for_is_a_failure() {
    let wire = Wire::new(|source| source);
    soon(wire.auth.ready()).await.unwrap();
    wire.server.reply(PATH, Reply::empty().status(304));
    wire.refresh(505).await;
    assert_eq!(wire.auth.key_status()[0].failures, 1);
}

#[tokio::test]
async fn rule_14_bodies_of_more_than_256_kib_are_rejected_while_they_come() {
    let start = Instant::now();
    let space = " ".repeat(8 * 1024);
    for reply in [
        Reply::sized(b' ', 1 << 30),
        Reply::endless(space.clone()),
        Reply::endless(space).header("content-type", "application/json"),
        Reply::json(format!("{}{}", good_set(), " ".repeat(256 * 1024))),
    ] {
        let error = rejection(reply).await;
        assert!(error.contains("longer than 262144 bytes"), "{error}");
    }
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn rule_14_a_set_of_more_than_100_keys_stops_no_rotation() {
    let wire = Wire::new(|source| source);
    soon(wire.auth.ready()).await.unwrap();
    let old = token(&wire.issuer);
    wire.issuer.rotate(Algorithm::ES256);
    let new = key(&wire.issuer).public_jwk().unwrap();
    let other = portcullis_testkit::SigningKey::generate(Algorithm::ES256, "other");
    let others = vec![other.public_jwk().unwrap(); 150];
    let unusable = vec![json!({}); 5000];
    let keys = [unusable, vec![new], others].concat();
    wire.server.reply(PATH, Reply::json(json!({ "keys": keys }).to_string()));
    wire.refresh(505).await;
    assert_eq!(verdict(&wire.auth, &token(&wire.issuer)), "accepted");
    assert_ne!(verdict(&wire.auth, &old), "accepted");
    let status = &wire.auth.key_status()[0];
    assert_eq!((status.failures, status.keys.len()), (0, 100));
}

#[tokio::test]
async fn rule_14_slow_answers_end_at_the_timeout() {
    let drip = Duration::from_millis(100);
    for reply in [
        Reply::json(good_set()).drip_headers(drip),
        Reply::json(good_set()).drip(1, drip),
        Reply::json(good_set()).stall_after(0),
        Reply::json(good_set()).stall_after(20),
        Reply::json(good_set()).stall_after(200),
        Reply::json(good_set()).delay(Duration::from_secs(60)),
    ] {
        let start = Instant::now();
        let error = rejection(reply).await;
        assert!(error.contains("timed out"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn rule_15_only_https_is_fetched_and_http_from_this_machine() {
    for (uri, safe) in [
        ("http://idp.test/jwks.json", false),
        ("http://10.0.0.1/jwks.json", false),
        ("file:///etc/passwd", false),
        ("https://user:password@127.0.0.1:1/", false),
        ("https://127.0.0.1:1/jwks.json", true),
        ("http://localhost:1/jwks.json", true),
    ] {
        let issuer =
            Issuer::new("https://idp.test").audience(conformance::AUDIENCE).jwk_set_uri(uri);
        match Authenticator::builder().issuer(issuer).clock(clock()).build() {
            Ok(auth) => {
                // Nobody listens there.
                assert!(safe && soon(auth.ready()).await.is_err(), "{uri}");
            }
            Err(error) => {
                assert!(
                    !safe
                        && matches!(
                            error,
                            ConfigError::KeySource(KeySourceConfigError::InvalidLocation { .. })
                        ),
                    "{error}"
                );
            }
        }
    }
}

/// Set where this program has started itself with a proxy in its environment: the URL to fetch.
const BEHIND_A_PROXY: &str = "PORTCULLIS_TEST_BEHIND_A_PROXY";

#[tokio::test]
async fn rule_15_what_is_fetched_from_this_machine_goes_through_no_proxy() {
    if let Ok(uri) = std::env::var(BEHIND_A_PROXY) {
        let auth = engine(&clock(), [Issuer::new("https://idp.test").jwk_set_uri(uri)]);
        return soon(auth.ready()).await.unwrap();
    }
    let (server, proxy) = (KeyServer::start(), KeyServer::start());
    server.reply(PATH, Reply::json(good_set()));
    let port = server.address().port();
    let name = "wire::rule_15_what_is_fetched_from_this_machine_goes_through_no_proxy";
    for host in ["127.0.0.1", "localhost"] {
        let uri = format!("http://{host}:{port}{PATH}");
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", name]).env(BEHIND_A_PROXY, &uri);
        // Those that exempt this machine may be set where this runs.
        command.env_remove("NO_PROXY").env_remove("no_proxy").env_remove("REQUEST_METHOD");
        for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            command.env(variable, proxy.url(""));
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(proxy.hits(&uri), 0);
    }
    assert_eq!(server.hits(PATH), 2);
}

#[tokio::test]
async fn rule_15_redirects_are_rejected() {
    let other = KeyServer::start();
    other.reply(PATH, Reply::json(good_set()));
    for status in [301, 302, 303, 307, 308] {
        let error = rejection(Reply::redirect(status, other.url(PATH))).await;
        assert!(error.contains(&format!("status {status}")), "{error}");
    }
    assert_eq!(other.hits(PATH), 0);
}

#[tokio::test]
async fn rule_16_a_url_of_a_user_does_not_reach_into_this_machine() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let fetch = HttpFetch::public_addresses_only().unwrap();
    let ready = async |source: RemoteJwkSet| {
        let trusted = Issuer::new("https://idp.test").key_source(source);
        chain(&soon(engine(&clock(), [trusted]).ready()).await.unwrap_err())
    };
    for host in ["localhost", "127.0.0.1", "127.1", "0.0.0.0", "[::ffff:127.0.0.1]"] {
        for scheme in ["http", "https"] {
            let uri = format!("{scheme}://{host}:{port}");
            let keys = RemoteJwkSet::new(format!("{uri}{PATH}")).dangerous_allow_http();
            let found = RemoteJwkSet::discover(uri).dangerous_allow_http();
            for source in [keys, found] {
                let error = ready(source.fetch(fetch.clone())).await;
                assert!(error.contains("not public"), "{host}: {error}");
            }
        }
    }
    let nobody = listener.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn rule_17_what_is_no_jwk_set_is_a_failed_fetch() {
    let html = "<!doctype html><title>maintenance</title>";
    for reply in [
        Reply::json(html),
        Reply::json(html).content_type("text/html"),
        Reply::json(good_set()).truncate(40),
        Reply::json(&good_set().as_bytes()[..40]),
        Reply::json("{}"),
        Reply::json(r#"{"keys":[]}"#),
        Reply::json(r#"{"keys":{}}"#),
        Reply::json(r#"{"error":"maintenance"}"#),
        Reply::json(good_set().replacen('{', r#"{"keys":[],"#, 1)),
        Reply::json(good_set().replacen(r#""kid":"#, r#""kid":"other","kid":"#, 1)),
        Reply::json([0xff, 0xfe]),
        Reply::empty(),
        Reply::garbage("not http at all\r\n\r\n"),
        Reply::garbage(""),
        Reply::json(good_set()).status(500),
        Reply::json(good_set()).status(404),
        Reply::json(good_set()).status(201),
        Reply::json(good_set()).status(206),
        Reply::json("[".repeat(100_000)),
    ] {
        assert!(!rejection(reply).await.is_empty());
    }
}

#[tokio::test]
async fn rule_17_a_rejected_connection_is_a_failed_fetch() {
    let wire = Wire::new(|source| source);
    wire.server.reject_connections();
    let error = soon(wire.auth.ready()).await.unwrap_err();
    assert!(chain(&error).contains(&wire.server.url(PATH)), "{error}");
}

#[tokio::test]
async fn rule_26_a_restart_in_an_outage_starts_with_the_last_good_keys() {
    let first = Wire::new(|source| source);
    soon(first.auth.ready()).await.unwrap();
    let status = first.auth.key_status().remove(0);
    let (json, good_at) = (status.json.unwrap(), status.last_success.unwrap());

    let second = Wire::new(|source| source.seed(&json, good_at).unwrap());
    second.server.reject_connections();
    soon(second.auth.ready()).await.unwrap();
    let token = first.issuer.token().audience(conformance::AUDIENCE).build();
    assert_eq!(verdict(&second.auth, &token), "accepted");

    let stale = good_at.saturating_sub(Duration::from_secs(25 * 3600));
    let third = Wire::new(|source| source.seed(&json, stale).unwrap());
    third.server.reject_connections();
    soon(third.auth.ready()).await.unwrap_err();
    assert_eq!(verdict(&third.auth, &token), "keys_unavailable");

    // A seed of the future is no younger than now.
    let future = good_at.saturating_add(Duration::from_secs(1000 * 3600));
    let fourth = Wire::new(|source| {
        let policy = RefreshPolicy::default();
        source.refresh_policy(policy).seed(&json, future).unwrap()
    });
    fourth.server.reject_connections();
    soon(fourth.auth.ready()).await.unwrap();
    fourth.clock.advance(Duration::from_secs(25 * 3600));
    let token = fourth.issuer.token().audience(conformance::AUDIENCE).build();
    assert_eq!(verdict(&fourth.auth, &token), "keys_unavailable");
}
