//! An OpenID provider that we did not write is trusted by its URL alone, and its keys are followed.
//!
//! Each test starts `oidc-provider` for itself. The engine finds the keys over HTTP. Its clock stands
//! still, so that it fetches when a token or the test makes it, and never else.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "what is no test function here runs in tests alone"
)]

#[path = "provider/token_sources.rs"]
mod token_sources;

use std::{cell::Cell, time::Duration};

use conformance::{
    Request,
    provider::{AUDIENCE, PATIENCE, Provider, RESOURCE, Token},
};
use portcullis::{
    Authenticator, Issuer,
    adapter::{Authenticated, Challenge},
    clock::{Clock, SystemClock},
    future::MaybePending,
    issuer::TokenProfile,
    revocation::{BackchannelLogoutEndpoint, MemoryStore, Revocations},
};
use portcullis_axum::EndpointService;
use portcullis_testkit::ManualClock;
use serde_json::json;

const CLIENTS: [(&str, &str); 4] =
    [("rs256", "RS256"), ("ps256", "PS256"), ("es256", "ES256"), ("eddsa", "EdDSA")];

#[tokio::test]
async fn tokens_of_each_algorithm_are_accepted() {
    let Some(provider) = Provider::start() else { return };
    let service = Service::trusting(&provider);
    service.auth.ready().await.unwrap();
    for (client, algorithm) in CLIENTS {
        let token = provider.token(client);
        let header = token.header();
        assert_eq!(
            header,
            json!({"alg": algorithm, "typ": "at+jwt", "kid": format!("{client}-1")})
        );
        let caller = service.accept(&token, Keys::AtHand).await;
        let (principal, grant) = (caller.principal(), caller.grant());
        assert_eq!(principal.issuer(), provider.issuer);
        assert_eq!(principal.subject(), client);
        assert_eq!(principal.client_id(), Some(client));
        assert!(principal.token_id().is_some_and(|id| !id.is_empty()));
        assert!(grant.scope().iter().eq(["orders:read", "orders:write"]), "{grant:?}");

        let token = provider.token_with(client, &[("scope", "orders:read"), RESOURCE]);
        let caller = service.accept(&token, Keys::AtHand).await;
        assert!(caller.grant().scope().iter().eq(["orders:read"]), "{:?}", caller.grant());
    }
    let status = service.auth.key_status();
    let [source] = status.as_slice() else { panic!("one source, not {status:?}") };
    let ids: Vec<_> = source.keys.iter().filter_map(|key| key.key_id.as_deref()).collect();
    assert_eq!(ids, CLIENTS.map(|(client, _)| format!("{client}-1")));
    assert!(source.skipped.is_empty(), "{:?}", source.skipped);
    service.report("tokens of each algorithm");
}

#[tokio::test]
async fn tokens_that_are_not_for_us_are_rejected() {
    let Some(provider) = Provider::start() else { return };
    let service = Service::trusting(&provider);
    service.auth.ready().await.unwrap();
    let opaque = provider.token_with("rs256", &[("scope", "orders:read")]);
    service.reject(&opaque, Keys::AtHand, 401, "malformed_token").await;

    let elsewhere = Service::with_audience(&provider, "https://other.interop.example");
    elsewhere.auth.ready().await.unwrap();
    let stranger = Provider::start().unwrap();
    for (number, (client, _)) in CLIENTS.into_iter().enumerate() {
        let token = provider.token(client);
        elsewhere.reject(&token, Keys::AtHand, 401, "wrong_audience").await;
        // The first one may mean that the key was replaced. One fetch a minute finds out.
        let keys = if number == 0 { Keys::Fetched } else { Keys::AtHand };
        service.reject(&token.spoiled(), keys, 401, "signature_mismatch").await;
        // The key ids are the same there, the issuer and the keys are not.
        let token = stranger.token(client);
        service.reject(&token, Keys::AtHand, 401, "untrusted_issuer").await;
    }
    let token = provider.token("eddsa");
    service.clock.advance(Duration::from_secs(3600 + 90));
    service.reject(&token, Keys::AtHand, 401, "token_expired").await;
    service.report("tokens that are not for us");
    elsewhere.report("tokens for another service");
}

#[tokio::test]
async fn rotated_keys_are_fetched_when_a_token_names_one() {
    let Some(mut provider) = Provider::start() else { return };
    let service = Service::trusting(&provider);
    service.auth.ready().await.unwrap();
    let old = CLIENTS.map(|(client, _)| provider.token(client));

    provider.tell("rotate", "rotated rs256-2 ps256-2 es256-2 eddsa-2");
    let new = CLIENTS.map(|(client, _)| provider.token(client));
    let [first, rest @ ..] = &new;
    service.accept(first, Keys::Fetched).await;
    // One fetch brings them all.
    for token in rest.iter().chain(&new).chain(&old) {
        service.accept(token, Keys::AtHand).await;
    }

    provider.tell("retire", "retired rs256-1 ps256-1 es256-1 eddsa-1");
    for token in &old {
        service.accept(token, Keys::AtHand).await;
    }
    service.refresh().await;
    let [first, rest @ ..] = &old;
    // Asked for once more, because it might be new.
    service.reject(first, Keys::Fetched, 401, "unknown_key").await;
    service.reject(first, Keys::AtHand, 401, "unknown_key").await;
    for token in rest {
        // Asking is paid for, and there is one more fetch every ten seconds.
        service.clock.advance(Duration::from_secs(10));
        service.reject(token, Keys::Either, 401, "unknown_key").await;
    }
    for token in &new {
        service.accept(token, Keys::AtHand).await;
    }
    service.report("rotation");
}

#[tokio::test]
async fn an_outage_stops_nobody_whose_key_is_known() {
    let Some(mut provider) = Provider::start() else { return };
    let service = Service::trusting(&provider);
    service.auth.ready().await.unwrap();
    let known = CLIENTS.map(|(client, _)| provider.token(client));
    provider.tell("rotate", "rotated rs256-2 ps256-2 es256-2 eddsa-2");
    let [new, later, ..] = CLIENTS.map(|(client, _)| provider.token(client));

    provider.tell("down", "down");
    service.reject(&new, Keys::Fetched, 503, "keys_unavailable").await;
    service.refresh().await;
    for token in &known {
        service.accept(token, Keys::AtHand).await;
    }
    service.reject(&later, Keys::Fetched, 503, "keys_unavailable").await;
    service.auth.health().unwrap();

    provider.tell("up", "up");
    service.accept(&new, Keys::Fetched).await;
    for token in known.iter().chain([&new, &later]) {
        service.accept(token, Keys::AtHand).await;
    }
    service.report("outage");
}

#[tokio::test]
async fn a_provider_that_is_down_at_the_start_is_found_later() {
    let Some(mut provider) = Provider::start() else { return };
    let token = provider.token("es256");
    provider.tell("down", "down");
    let service = Service::trusting(&provider);
    let not_ready = service.auth.ready().await.unwrap_err();
    assert_eq!(not_ready.issuer(), Some(&*provider.issuer));
    let cause = std::error::Error::source(&not_ready).unwrap().to_string();
    assert!(cause.contains(&provider.issuer), "{cause}");
    service.reject(&token, Keys::Fetched, 503, "keys_unavailable").await;

    provider.tell("up", "up");
    service.refresh().await;
    service.auth.ready().await.unwrap();
    service.accept(&token, Keys::AtHand).await;

    // A day without an answer is too long.
    provider.tell("down", "down");
    service.clock.advance(Duration::from_secs(24 * 3600 + 1));
    service.auth.health().unwrap_err();
    service.reject(&token, Keys::Fetched, 503, "keys_unavailable").await;
    service.report("late start");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_logout_tokens_end_sessions_and_subjects() {
    let Some(mut provider) = Provider::start() else { return };
    let auth = Authenticator::builder()
        .issuer(Issuer::discover(&provider.issuer).profile(TokenProfile::AtJwt))
        .audience(AUDIENCE)
        .revocations(Revocations::memory())
        .replay_store(MemoryStore::new())
        .build()
        .unwrap();
    auth.ready().await.unwrap();
    let endpoint = BackchannelLogoutEndpoint::new(&auth, ["es256"]).unwrap();
    let router = axum::Router::new().route_service("/logout", EndpointService::new(endpoint));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/logout", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });

    let judge = async |token: &Token| auth.authenticate_token(&token.text).await.map(|_| ());
    let (token, other) = (provider.token("es256"), provider.token("rs256"));
    judge(&token).await.unwrap();
    // Another client of the same provider is not us.
    provider.tell(&format!("logout rs256 es256 - {url}"), "logged out 400");
    judge(&token).await.unwrap();
    provider.tell(&format!("logout es256 es256 sid-1 {url}"), "logged out 200");
    // Its access tokens have no `sid`.
    judge(&token).await.unwrap();
    provider.tell(&format!("logout es256 es256 - {url}"), "logged out 200");
    assert_eq!(judge(&token).await.unwrap_err().kind().code(), "token_revoked");
    judge(&other).await.unwrap();
    // A new key, which the logout token is the first to name.
    provider.tell("rotate", "rotated rs256-2 ps256-2 es256-2 eddsa-2");
    provider.tell(&format!("logout es256 rs256 - {url}"), "logged out 200");
    assert_eq!(judge(&other).await.unwrap_err().kind().code(), "token_revoked");
    println!("interop: oidc-provider: back-channel logout: 8 verdicts");
}

/// A service that knows of the provider by its issuer alone.
struct Service {
    auth: Authenticator,
    clock: ManualClock,
    verdicts: Cell<usize>,
}

/// Which keys a token is judged by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Keys {
    AtHand,
    /// Those that came, or did not, while the request waited.
    Fetched,
    Either,
}

impl Service {
    fn trusting(provider: &Provider) -> Self {
        Self::with_audience(provider, AUDIENCE)
    }

    fn with_audience(provider: &Provider, audience: &str) -> Self {
        // The tokens carry the real time.
        let clock = ManualClock::at(SystemClock::default().now());
        let auth = Authenticator::builder()
            .issuer(Issuer::discover(&provider.issuer).profile(TokenProfile::AtJwt))
            .audience(audience)
            .clock(clock.clone())
            .build()
            .unwrap();
        Self { auth, clock, verdicts: Cell::new(0) }
    }

    async fn accept(&self, token: &Token, keys: Keys) -> Authenticated {
        self.judge(token, keys).await.unwrap_or_else(|rejected| {
            panic!("{token:?}: {} {}", rejected.status(), rejected.code());
        })
    }

    async fn reject(&self, token: &Token, keys: Keys, status: u16, code: &str) {
        let rejected = self.judge(token, keys).await.expect_err(&format!("{token:?} is accepted"));
        assert_eq!((rejected.status(), rejected.code()), (status, code), "{token:?}");
    }

    async fn judge(&self, token: &Token, keys: Keys) -> Result<Authenticated, Challenge> {
        let (verdict, waited) = match self.auth.authenticate(&Request::new().bearer(&token.text)) {
            MaybePending::Ready(verdict) => (verdict, Keys::AtHand),
            MaybePending::Pending(waiting) => (in_time(waiting).await, Keys::Fetched),
        };
        assert!([waited, Keys::Either].contains(&keys), "{token:?}: {waited:?}, {verdict:?}");
        self.verdicts.set(self.verdicts.get() + 1);
        verdict.result.map_err(|error| Challenge::from(&error))
    }

    /// Moves the clock to when the keys are due, and waits until the fetch is over.
    async fn refresh(&self) {
        let mut changes = self.auth.key_changes();
        let due = self.auth.key_status().iter().map(|source| source.next_due).min();
        self.clock.set(due.unwrap());
        in_time(changes.changed()).await;
    }

    /// Tells `cargo xtask test` how many verdicts were as they should be.
    fn report(&self, what: &str) {
        println!("interop: oidc-provider: {what}: {} verdicts", self.verdicts.get());
    }
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("an end within 30 seconds")
}
