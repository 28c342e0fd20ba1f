//! §2.10: rotation and outage of the key server, as callers of both protocols see them.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use krishiv::{Judges, app};
use portcullis_axum::{Algorithm, Authenticator, NumericDate, clock::Clock};
use portcullis_testkit::{KeyServer, ManualClock, TestIssuer, TokenBuilder};
use tonic::Code;

use crate::server::{
    ACCEPTED, AUDIENCE, Krishiv, PATIENCE, SERVICE_TOKEN, TOKEN, UNAVAILABLE, URI, bearer, call,
    send, wait_until,
};

const LIST_JOBS: &str = "/krishiv.coordinator.v1.Coordinator/ListJobs";

/// The application on a socket, by a clock that stands still.
struct World {
    clock: ManualClock,
    server: KeyServer,
    issuer: TestIssuer,
    auth: Authenticator,
    address: String,
}

impl World {
    async fn start() -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
        let server = KeyServer::start();
        let issuer = TestIssuer::new(server.url("")).clock(clock.clone());
        server.publish(&issuer);
        let uri = server.url("/jwks.json");
        let variables = HashMap::from(
            [(URI, &*uri), ("KRISHIV_OIDC_AUDIENCE", AUDIENCE), (TOKEN, SERVICE_TOKEN)]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let judges = Judges::new(&variables, clock.clone()).unwrap();
        let auth = judges.http.clone();
        auth.ready().await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let app = app(judges).unwrap();
        tokio::spawn(async { axum::serve(listener, app).await });
        Self { clock, server, issuer, auth, address }
    }

    fn token(&self) -> TokenBuilder {
        self.issuer.token().audience(AUDIENCE)
    }

    async fn get(&self, path: &'static str, token: String) -> u16 {
        get(self.address.clone(), path, token).await
    }

    async fn verdict(&self, token: String) -> (u16, Code) {
        let over_grpc = call(&self.address, LIST_JOBS, &[&format!("Bearer {token}")]).await;
        (self.get("/api/jobs", token).await, over_grpc.code())
    }

    async fn ready(&self) -> u16 {
        self.get("/readyz", String::new()).await
    }

    /// Moves the clock on, and waits until a fetch that became due is over.
    async fn advance_and_fetch(&self, duration: Duration) {
        let mut changes = self.auth.key_changes();
        self.clock.advance(duration);
        tokio::time::timeout(PATIENCE, changes.changed()).await.unwrap();
    }
}

async fn get(address: String, path: &'static str, token: String) -> u16 {
    let ask = move || send(&address, "GET", path, &bearer(&token)).status;
    tokio::task::spawn_blocking(ask).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_10_a_rotation_under_load_rejects_no_good_token() {
    let world = World::start().await;
    let asked = Arc::new(AtomicUsize::new(0));
    // As many as unknown key ids may cause fetches at once.
    for _ in 0..3 {
        let old = world.token().build();
        world.issuer.rotate(Algorithm::ES256);
        world.server.publish(&world.issuer);
        let new = world.token().build();
        let callers: Vec<_> = (0..8)
            .map(|number| {
                let token = if number % 2 == 0 { old.clone() } else { new.clone() };
                let (address, asked) = (world.address.clone(), Arc::clone(&asked));
                tokio::spawn(async move {
                    for _ in 0..10 {
                        assert_eq!(get(address.clone(), "/api/jobs", token.clone()).await, 200);
                        let status = call(&address, LIST_JOBS, &[&format!("Bearer {token}")]).await;
                        assert_eq!(status.code(), Code::Ok, "{status:?}");
                        asked.fetch_add(2, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for caller in callers {
            tokio::time::timeout(PATIENCE, caller).await.unwrap().unwrap();
        }
        // Withdrawn keys are another matter.
        world.issuer.retire_old_keys();
    }
    assert_eq!(asked.load(Ordering::Relaxed), 3 * 8 * 10 * 2);
    // One at the start, and one for each rotation.
    assert_eq!(world.server.hits("/jwks.json"), 4);
    assert_eq!(world.ready().await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_10_an_outage_is_seen_when_keys_are_too_old_and_over_when_they_are_back() {
    let world = World::start().await;
    world.server.reject_connections();
    let hour = Duration::from_secs(3600);
    let long = || world.token().expires_in(100 * hour).build();
    for hours in [1, 12, 10] {
        world.advance_and_fetch(hours * hour).await;
        assert_eq!(world.verdict(long()).await, ACCEPTED);
        assert_eq!(world.ready().await, 200);
    }
    // A day and an hour after the last good answer.
    world.advance_and_fetch(2 * hour).await;
    assert_eq!(world.verdict(long()).await, UNAVAILABLE);
    assert_eq!(world.ready().await, 503);
    assert_eq!(world.get("/healthz", String::new()).await, 200);
    // What needs no key server goes on, and what is no token is none.
    assert_eq!(world.verdict(SERVICE_TOKEN.to_owned()).await, ACCEPTED);
    world.server.accept_connections();
    let started = Instant::now();
    while world.ready().await != 200 {
        assert!(started.elapsed() < PATIENCE);
        world.clock.advance(Duration::from_secs(10));
    }
    assert_eq!(world.verdict(long()).await, ACCEPTED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s2_10_an_empty_or_odd_document_takes_no_good_key_away() {
    use portcullis_testkit::Reply;
    let world = World::start().await;
    for reply in [
        Reply::json(r#"{"keys":[]}"#),
        Reply::json("<html>"),
        Reply::json(r#"{"keys":[]}"#).status(500),
        Reply::redirect(302, "http://127.0.0.1:1/"),
    ] {
        world.server.reply("/jwks.json", reply);
        world.advance_and_fetch(Duration::from_secs(700)).await;
        assert_eq!(world.verdict(world.token().build()).await, ACCEPTED);
        assert_eq!(world.ready().await, 200);
    }
    assert_eq!(world.server.hits("/jwks.json"), 5);
    assert!(world.clock.now() > NumericDate::from_seconds(1_800_000_000));
}

#[test]
fn s2_10_a_key_server_that_is_away_at_the_start_holds_nothing_up() {
    let server = KeyServer::start();
    let issuer = server.issuer();
    server.reject_connections();
    let uri = server.url("/jwks.json");
    let variables = [(URI, &*uri), ("KRISHIV_OIDC_AUDIENCE", AUDIENCE), (TOKEN, SERVICE_TOKEN)];
    let krishiv = Krishiv::start(&variables);
    let token = issuer.token().audience(AUDIENCE).build();
    assert_eq!(krishiv.open("/healthz").status, 200);
    let ready = krishiv.open("/readyz");
    assert_eq!((ready.status, &*ready.body), (503, "no usable keys"));
    let answer = krishiv.get("/api/jobs", &token);
    assert_eq!(answer.status, 503);
    assert!(answer.field("retry-after").is_some() && answer.field("www-authenticate").is_none());
    assert_eq!(krishiv.call("ListJobs", &token).code(), Code::Unavailable);
    // Nobody without a token waits for keys, and static tokens need none.
    assert_eq!(krishiv.open("/api/jobs").status, 401);
    assert_eq!(krishiv.get("/api/jobs", SERVICE_TOKEN).status, 200);
    assert_eq!(krishiv.call("ManageExecutors", SERVICE_TOKEN).code(), Code::Ok);
    server.accept_connections();
    wait_until("it is ready", || krishiv.open("/readyz").status == 200);
    assert_eq!(krishiv.get("/api/jobs", &token).status, 200);
    assert_eq!(krishiv.call("ListJobs", &token).code(), Code::Ok);
}
