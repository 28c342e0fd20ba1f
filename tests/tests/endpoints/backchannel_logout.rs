//! OpenID Connect Back-Channel Logout.

use std::time::Duration;

use conformance::{AUDIENCE, NOW};
use portcullis::{
    Algorithm, Authenticator,
    revocation::{BackchannelLogoutEndpoint, EndpointError, MemoryStore, Revocations, Revoked},
};
use portcullis_testkit::{KeyServer, ManualClock, SigningKey, TestIssuer, TokenBuilder};
use serde_json::{Value, json};

use super::{
    http::Request,
    servers::{BACKCHANNEL, Framework},
    world::{World, worlds, worlds_with},
};

const INVALID: &str = r#"{"error":"invalid_request"}"#;
const UNAVAILABLE: &str = r#"{"error":"temporarily_unavailable"}"#;

fn events() -> Value {
    json!({"http://schemas.openid.net/event/backchannel-logout": {}})
}

/// A good logout token with this `jti`, for the subject `alice`.
fn logout_token(issuer: &TestIssuer, token_id: &str) -> TokenBuilder {
    let token = issuer.token().header("typ", "logout+jwt").audience("web");
    token.claim("jti", token_id).claim("events", events()).expires_in(Duration::from_secs(120))
}

fn send(token: &TokenBuilder) -> Request {
    Request::post(BACKCHANNEL).form(format!("logout_token={}", token.build()))
}

impl World {
    fn logout_token(&self, token_id: &str) -> TokenBuilder {
        logout_token(&self.issuer, token_id)
    }

    fn session_token(&self, token_id: &str, session: &str) -> TokenBuilder {
        self.token(token_id).claim("sid", session)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_token_with_a_session_revokes_that_session() {
    for world in worlds().await {
        let (ours, other) = (world.session_token("1", "s"), world.session_token("2", "t"));
        let response =
            world.expect(send(&world.logout_token("l").claim("sid", "s")), 200, "").await;
        assert_eq!(response.get("content-type"), None);
        world.assert_revoked(&ours).await;
        // The subject is the same.
        world.assert_good(&other).await;
        world.assert_entries(&[(&world.issuer, "session", "s")]).await;
        // Another session without a `sub`.
        let no_subject = world.logout_token("m").claim("sid", "t").without_claim("sub");
        world.expect(send(&no_subject), 200, "").await;
        world.assert_revoked(&other).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_token_with_a_subject_revokes_what_was_issued_up_to_its_own_date() {
    for world in worlds().await {
        let at = |id: &str, seconds: i64| world.token(id).claim("iat", NOW + seconds);
        let (before, at_once, later) = (at("1", -100), at("2", -10), at("3", -9));
        let of_bob = at("4", -100).subject("bob");
        let of_partner = world.partner.token().audience(AUDIENCE).claim("jti", "5");
        world.expect(send(&world.logout_token("l").claim("iat", NOW - 10)), 200, "").await;
        world.assert_revoked(&before).await;
        world.assert_revoked(&at_once).await;
        for token in [&later, &of_bob, &of_partner] {
            world.assert_good(token).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn good_logout_tokens_differ() {
    for world in worlds().await {
        let good = |id: &str| world.logout_token(id);
        let tokens = [
            good("1").header("typ", Value::Null),
            good("2").header("typ", "application/logout+jwt"),
            good("3").header("typ", "LOGOUT+JWT"),
            good("4").audience("mobile"),
            good("5").claim("aud", ["other", "web"]),
            good("6").algorithm(Algorithm::RS256),
            good("7").claim("iat", NOW - 300),
            good("8").claim("iat", NOW + 60),
            good("9").claim("exp", NOW - 59),
            good("10").claim("events", json!({"https://x": 1, "http://schemas.openid.net/event/backchannel-logout": {"a": 1}})),
            good("11").claim("nbf", NOW),
            good("12").claim("sid", "s").without_claim("sub"),
            logout_token(&world.partner, "1"),
        ];
        for token in tokens {
            world.expect(send(&token), 200, "").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_lacks_anything_of_a_logout_token_gets_400_and_revokes_nothing() {
    for world in worlds().await {
        let good = || world.logout_token("l").claim("sid", "s");
        let event = "http://schemas.openid.net/event/backchannel-logout";
        let stranger = TestIssuer::new("https://stranger.test").clock(world.clock.clone());
        let same_name = TestIssuer::new(world.issuer.name()).clock(world.clock.clone());
        let other_key = SigningKey::generate(Algorithm::ES256, "es256");
        let duplicate = good().claims_json().replace(r#""sid":"s""#, r#""sid":"s","sid":"t""#);
        let twice = format!(r#""events":{{"{event}":1,"{event}":{{}}}}"#);
        let events_json = format!(r#""events":{}"#, events());
        let duplicate_event = good().claims_json().replace(&events_json, &twice);
        assert_ne!(duplicate_event, good().claims_json());
        for (what, token) in [
            ("`typ` is JWT", good().header("typ", "JWT")),
            ("`typ` is that of an access token", good().header("typ", "at+jwt")),
            ("`typ` is that of another event", good().header("typ", "secevent+jwt")),
            ("`typ` is empty", good().header("typ", "")),
            ("no `events`", good().without_claim("events")),
            ("`events` is a list", good().claim("events", [event])),
            ("`events` is the event", good().claim("events", event)),
            ("`events` is null", good().claim("events", Value::Null)),
            ("`events` is empty", good().claim("events", json!({}))),
            ("another event", good().claim("events", json!({"https://x": {}}))),
            ("the event is null", good().claim("events", json!({event: null}))),
            ("the event is true", good().claim("events", json!({event: true}))),
            ("the event is a list", good().claim("events", json!({event: []}))),
            ("two events of one name", good().raw_claims(duplicate_event)),
            ("a nonce", good().claim("nonce", "n")),
            ("a nonce that is null", good().claim("nonce", Value::Null)),
            ("no `jti`", good().without_claim("jti")),
            ("an empty `jti`", good().claim("jti", "")),
            ("a number as `jti`", good().claim("jti", 1)),
            ("no `exp`", good().without_claim("exp")),
            ("expired", good().claim("exp", NOW - 60)),
            ("no `iat`", good().without_claim("iat")),
            ("too old", good().claim("iat", NOW - 361)),
            ("from the future", good().claim("iat", NOW + 61)),
            ("no `iss`", good().without_claim("iss")),
            ("another issuer", good().claim("iss", "https://partner.test")),
            ("a stranger's", logout_token(&stranger, "l")),
            ("a stranger's with the name", logout_token(&same_name, "l").key(&other_key)),
            ("no `aud`", good().without_claim("aud")),
            ("the audience of the API", good().audience(AUDIENCE)),
            ("another client", good().audience("webs")),
            ("neither session nor subject", good().without_claim("sid").without_claim("sub")),
            ("an empty session", good().claim("sid", "")),
            ("a number as session", good().claim("sid", 1)),
            ("null as session", good().claim("sid", Value::Null)),
            ("an empty subject", good().without_claim("sid").claim("sub", "")),
            ("a number as subject", good().claim("sub", 1)),
            ("two sessions", good().raw_claims(duplicate)),
            ("a wrong signature", good().wrong_signature()),
            ("no signature", good().signature(*b"")),
            ("no algorithm", good().raw_header(r#"{"alg":"none"}"#).signature(*b"")),
            ("bound to a key", good().claim("cnf", json!({"jkt": "x"}))),
            ("an access token", world.session_token("1", "s")),
        ] {
            let response = world.send(send(&token)).await;
            let answer = (response.status, &*response.body, response.get("cache-control"));
            assert_eq!(answer, (400, INVALID, Some("no-store")), "{:?} {what}", world.framework);
        }
        world.assert_entries(&[]).await;
        // None of them counts as used.
        world.expect(send(&good()), 200, "").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_token_is_accepted_once_and_is_no_access_token() {
    let patient = |revocations: Revocations| revocations.max_staleness(Duration::from_secs(3600));
    for world in worlds_with(|issuer| issuer, patient).await {
        let token = world.logout_token("l").claim("aud", ["web", AUDIENCE]);
        world.expect(send(&token), 200, "").await;
        world.expect(send(&token), 400, INVALID).await;
        world.expect(send(&token.clone().claim("sid", "s")), 400, INVALID).await;
        // The issuer and the id together.
        let of_partner = logout_token(&world.partner, "l");
        world.expect(send(&of_partner), 200, "").await;
        // As long as it could be accepted.
        world.clock.advance(Duration::from_secs(179));
        world.expect(send(&token), 400, INVALID).await;
        for token in [token.clone(), token.header("typ", "JWT")] {
            assert_eq!(world.judge(&token.build()).await.unwrap_err(), "wrong_type");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_that_fails_for_now_is_not_lost() {
    for world in worlds().await {
        let (ours, token) =
            (world.session_token("1", "s"), world.logout_token("l").claim("sid", "s"));
        world.store.refuse_entries(true);
        world.expect(send(&token), 503, UNAVAILABLE).await;
        world.assert_good(&ours).await;
        // The store of used tokens fails after the revocation was written: the logout holds.
        world.store.refuse_entries(false);
        world.store.refuse_ids(true);
        world.expect(send(&token), 503, UNAVAILABLE).await;
        world.assert_revoked(&ours).await;
        world.store.refuse_ids(false);
        world.expect(send(&token), 200, "").await;
        world.expect(send(&token), 400, INVALID).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_logout_token_does_not_end_a_later_login() {
    for world in worlds().await {
        let token = world.logout_token("l");
        world.expect(send(&token), 200, "").await;
        world.clock.advance(Duration::from_secs(30));
        let later = world.token("1");
        world.expect(send(&token), 400, INVALID).await;
        world.assert_good(&later).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_that_is_revoked_only_the_key_concerns_a_logout_token() {
    for strict in [false, true] {
        let mode = |revocations: Revocations| {
            if strict { revocations.strict() } else { revocations }
        };
        for world in worlds_with(|issuer| issuer, mode).await {
            let token = |id| world.logout_token(id).claim("sid", "s").claim("client_id", "web");
            let now = portcullis::NumericDate::from_seconds(NOW);
            world.revoke(Revoked::Subject("alice".into(), now)).await;
            world.revoke(Revoked::Client("web".into(), now)).await;
            world.revoke(Revoked::Session("s".into())).await;
            world.expect(send(&token("1")), 200, "").await;
            let key = world.issuer.key(Algorithm::ES256).verification_key().unwrap();
            world.revoke(Revoked::Key(key.thumbprint().unwrap().into())).await;
            world.expect(send(&token("2")), 400, INVALID).await;
            world.expect(send(&token("3").algorithm(Algorithm::RS256)), 200, "").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_are_not_allowed() {
    for world in worlds().await {
        for method in ["GET", "HEAD", "PUT", "OPTIONS"] {
            let response = world.expect(Request::new(method, BACKCHANNEL), 405, "").await;
            assert_eq!(response.get("allow"), Some("POST"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_tokens_use_the_keys_that_access_tokens_use() {
    for framework in Framework::ALL {
        let clock = ManualClock::at(portcullis::NumericDate::from_seconds(NOW));
        let server = KeyServer::start();
        let issuer = server.issuer().clock(clock.clone());
        let keys = portcullis::keys::RemoteJwkSet::new(server.url("/jwks.json"));
        let auth = Authenticator::builder()
            .issuer(portcullis::Issuer::new(issuer.name()).key_source(keys))
            .audience(AUDIENCE)
            .clock(clock.clone())
            .revocations(Revocations::memory())
            .replay_store(MemoryStore::new())
            .build()
            .unwrap();
        auth.ready().await.unwrap();
        let address = framework.start(&auth);
        let post = async |token: TokenBuilder| send(&token).send(address).await.status;
        assert_eq!(post(logout_token(&issuer, "1")).await, 200);
        assert_eq!(server.hits("/jwks.json"), 1);

        // A new key, which the request waits for. The access tokens have it too.
        issuer.rotate(Algorithm::ES256);
        server.publish(&issuer);
        clock.advance(Duration::from_secs(60));
        assert_eq!(post(logout_token(&issuer, "2")).await, 200);
        let token = issuer.token().audience(AUDIENCE).claim("jti", "1").subject("bob").build();
        auth.authenticate_token_now(&token).unwrap();
        assert_eq!(server.hits("/jwks.json"), 2);
    }
}

#[test]
fn an_engine_without_stores_and_a_service_without_a_client_id_are_errors() {
    let builder = || {
        let issuer = TestIssuer::new("https://idp.test").trusted();
        Authenticator::builder().issuer(issuer).audience(AUDIENCE)
    };
    let new = |auth: &Authenticator, ids: &[&str]| {
        BackchannelLogoutEndpoint::new(auth, ids.iter().copied()).map(|_| ()).unwrap_err()
    };
    let auth = builder().replay_store(MemoryStore::new()).build().unwrap();
    assert_eq!(new(&auth, &["web"]), EndpointError::NoRevocations);
    let auth = builder().revocations(Revocations::memory()).build().unwrap();
    assert_eq!(new(&auth, &["web"]), EndpointError::NoReplayStore);
    let auth = builder().revocations(Revocations::memory()).replay_store(MemoryStore::new());
    let auth = auth.build().unwrap();
    assert_eq!(new(&auth, &[]), EndpointError::NoClientId);
    assert_eq!(new(&auth, &["web", ""]), EndpointError::NoClientId);
}
