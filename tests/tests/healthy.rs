//! While every key source is healthy, no unauthenticated request causes a 5xx or an error in the log: load
//! balancers eject instances that answer 5xx, and so junk could take a healthy service down.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on stops there")]
#![expect(dead_code, reason = "the adapters of the table can do more than this test needs")]

#[path = "table/adapters/mod.rs"]
mod adapters;
#[path = "table/echo.rs"]
mod echo;
#[path = "table/request.rs"]
mod request;
#[path = "table/setup.rs"]
mod setup;
#[path = "table/wire.rs"]
mod wire;

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use conformance::{AUDIENCE, NOW};
use portcullis::{
    Algorithm, Authenticator, Issuer, NumericDate, TokenLocation, keys::RemoteJwkSet,
};
use portcullis_testkit::{KeyServer, ManualClock, Reply, TestIssuer};
use serde_json::json;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use adapters::{Adapter, Protocol};
use request::{Request, Version};
use setup::Setup;

const ROUNDS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_all_sources_are_healthy_no_unauthenticated_request_causes_a_5xx_or_an_error_event() {
    let errors = Errors::default();
    tracing::subscriber::set_global_default(errors.clone()).unwrap();
    for adapter in adapters::ALL {
        for optional in [false, true] {
            let world = World::start(adapter, optional).await;
            world.flood().await;
        }
    }
    let errors = errors.0.lock().unwrap();
    assert!(errors.is_empty(), "{errors:?}");
}

/// A server of one adapter, in front of a key server that answers.
struct World {
    adapter: Adapter,
    address: SocketAddr,
    auth: Authenticator,
    issuer: TestIssuer,
    clock: ManualClock,
    keys: KeyServer,
}

impl World {
    async fn start(adapter: Adapter, optional: bool) -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let keys = KeyServer::start();
        let issuer = TestIssuer::new(keys.url("")).clock(clock.clone());
        let jwk = issuer.key(Algorithm::ES256).public_jwk().unwrap();
        keys.reply("/jwks.json", Reply::json(json!({"keys": [jwk]}).to_string()));
        let source = RemoteJwkSet::new(keys.url("/jwks.json"));
        let auth = Authenticator::builder()
            .issuer(Issuer::new(issuer.name()).key_source(source))
            .audience(AUDIENCE)
            .locations([
                TokenLocation::bearer(),
                TokenLocation::query("access_token"),
                TokenLocation::cookie("access_token"),
                TokenLocation::web_socket_protocol("access_token"),
            ])
            .clock(clock.clone())
            .build()
            .unwrap();
        auth.ready().await.unwrap();
        let setup = Setup::new(auth.clone());
        let setup = if optional { setup.optional() } else { setup };
        let address = (adapter.start)(setup);
        Self { adapter, address, auth, issuer, clock, keys }
    }

    async fn flood(&self) {
        let good = self.issuer.token().audience(AUDIENCE).build();
        for round in 0..ROUNDS {
            for (name, token) in self.junk(round) {
                for (place, request) in in_all_places(&token) {
                    if self.adapter.has_no_use_for(&request).is_some() {
                        continue;
                    }
                    let status = self.send(&request).await;
                    let adapter = self.adapter.name;
                    assert!(
                        !is_fault(status),
                        "{adapter}, round {round}: {name}, {place}: {status:?}"
                    );
                }
            }
            assert!(is_good(self.send(&Request::new().bearer(&good)).await), "round {round}");
            self.clock.advance(Duration::from_secs(7));
        }
        // One at the start. In 84 s, three and one in 10 s for new key ids, two and one in 5 s for others,
        // and two for bad signatures.
        let hits = self.keys.hits("/jwks.json");
        assert!(hits <= 1 + (3 + 8) + (2 + 17) + 2, "{hits}");
        assert!(hits > 4, "{hits}");
        self.auth.shutdown().await;
    }

    /// Tokens that any client can make.
    fn junk(&self, round: usize) -> Vec<(String, String)> {
        let token = || self.issuer.token().audience(AUDIENCE);
        let mut junk = vec![
            ("a forged signature".to_owned(), token().wrong_signature().build()),
            ("a forged one without a key id".to_owned(), {
                token().without_key_id().wrong_signature().build()
            }),
            ("a key id of another algorithm".to_owned(), {
                token().algorithm(Algorithm::ES384).header("kid", "es256").build()
            }),
            ("an algorithm that no key has".to_owned(), {
                token().algorithm(Algorithm::RS256).without_key_id().build()
            }),
            ("another issuer".to_owned(), {
                TestIssuer::new("https://evil.test").token().audience(AUDIENCE).build()
            }),
            ("no token".to_owned(), "abc".to_owned()),
            ("nothing".to_owned(), String::new()),
            ("a long key id".to_owned(), token().header("kid", "x".repeat(300)).build()),
            ("a key id again".to_owned(), token().header("kid", "junk again").build()),
        ];
        for number in 0..6 {
            let key_id = format!("junk {round} {number}");
            junk.push((key_id.clone(), token().header("kid", key_id).build()));
        }
        junk
    }

    async fn send(&self, request: &Request) -> Status {
        match self.adapter.protocol {
            Protocol::Http => {
                let response = wire::send(self.address, request, Version::Http1).await.unwrap();
                Status::Http(response.status)
            }
            Protocol::Grpc => {
                let response = wire::call(self.address, request).await.unwrap();
                assert_eq!(response.status, 200);
                Status::Grpc(response.one("grpc-status").unwrap().parse().unwrap())
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Status {
    Http(u16),
    Grpc(u8),
}

/// A status of the 5xx class, or what gRPC has for it: `UNKNOWN`, `INTERNAL` and `UNAVAILABLE`.
fn is_fault(status: Status) -> bool {
    match status {
        Status::Http(status) => status >= 500,
        Status::Grpc(status) => [2, 13, 14].contains(&status),
    }
}

fn is_good(status: Status) -> bool {
    matches!(status, Status::Http(200) | Status::Grpc(0))
}

fn in_all_places(token: &str) -> [(&'static str, Request); 4] {
    [
        ("header", Request::new().bearer(token)),
        ("query", Request::new().query(format!("access_token={token}"))),
        ("cookie", Request::new().cookie(format!("access_token={token}"))),
        ("subprotocol", {
            Request::new().field("sec-websocket-protocol", format!("access_token, {token}"))
        }),
    ]
}

/// The events of level error.
#[derive(Clone, Default)]
struct Errors(Arc<Mutex<Vec<String>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}

impl Subscriber for Errors {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(event.metadata().target().to_owned() + ": ");
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
