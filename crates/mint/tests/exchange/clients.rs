//! The authentication of clients, and the limit of requests.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use base64_simd::STANDARD;
use portcullis::{Authenticator, Issuer, revocation::MemoryStore};
use portcullis_jose::{Algorithm, SigningKey};
use portcullis_mint::{
    Minter,
    exchange::{
        ClientAssertions, ClientError, ClientSecrets, ExchangeConfigError, ExchangeRefusal,
        PresentedCredentials, RateLimitRequest, TokenExchangeBuilder, TokenExchangeEndpoint,
    },
};
use serde_json::{Value, json};

use crate::world::{Form, ORDERS, World};

const TOKEN_URL: &str = "https://gateway.test/token";
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn builder(world: &World) -> TokenExchangeBuilder {
    TokenExchangeEndpoint::builder(&world.auth, world.minter.clone()).audience(ORDERS)
}

fn basic(text: &str) -> String {
    format!("Basic {}", STANDARD.encode_to_string(text))
}

#[tokio::test]
async fn a_client_shows_its_secret_in_the_header_or_in_the_form() {
    let world = World::new().await;
    let clients = [("web", "s1"), ("web", "s2"), ("a:b", "c d+%")];
    let endpoint = builder(&world).client_authentication(ClientSecrets::new(clients).unwrap());
    let endpoint = endpoint.build().unwrap();
    let form = Form::of(&world.token().build());
    let header = |text: &str| form.clone().field("authorization", &basic(text));
    let post =
        |id: &str, secret: &str| form.clone().add("client_id", id).add("client_secret", secret);
    for (form, client) in [
        (header("web:s1"), "web"),
        (header("web:s2"), "web"),
        (header("a%3Ab:c+d%2B%25"), "a:b"),
        (header("web:s1").add("client_id", "web"), "web"),
        (post("web", "s2"), "web"),
        (post("a:b", "c d+%"), "a:b"),
    ] {
        let response = form.send(&endpoint).await;
        assert_eq!(response.claims(&world).await["client_id"], client, "{form:?}");
    }
    let header_field = |value: &str| form.clone().field("authorization", value);
    for (form, is_challenged) in [
        (form.clone(), false),
        (post("web", "wrong"), false),
        (post("unknown", "s1"), false),
        (post("a:b", "s1"), false),
        (form.clone().add("client_id", "web"), false),
        (form.clone().add("client_secret", "s1"), false),
        (header("web:wrong"), true),
        (header("unknown:s1"), true),
        (header("unknown:"), true),
        (header("web:"), true),
        (header("a:b:c d+%"), true),
        (header("web:s1").add("client_id", "a:b"), true),
        (header_field("Basic"), true),
        (header_field("Basic !"), true),
        (header_field("Bearer x"), true),
        (header_field(""), true),
    ] {
        let response = form.send(&endpoint).await;
        assert_eq!(response.outcome(), (401, "invalid_client"), "{form:?}");
        let challenge = response.header("www-authenticate");
        assert_eq!(challenge.is_some_and(|value| value.starts_with("Basic realm=")), is_challenged);
        assert_eq!(challenge.is_some(), is_challenged, "{form:?}");
    }
    for form in [
        post("web", "s1").field("authorization", &basic("web:s1")),
        header("web:s1").field("authorization", &basic("web:s1")),
        post("web", "s1").add("client_assertion", "x"),
        header("web:s1").add("client_assertion", "x"),
    ] {
        assert_eq!(form.send(&endpoint).await.outcome(), (400, "invalid_request"), "{form:?}");
    }
}

#[test]
fn an_empty_client_or_secret_is_a_mistake() {
    for client in [("", "x"), ("x", "")] {
        assert_eq!(ClientSecrets::new([client]).unwrap_err(), ExchangeConfigError::EmptyClient);
    }
}

#[tokio::test]
async fn debug_shows_no_secret() {
    let clients = ClientSecrets::new([("web", "hidden")]).unwrap();
    assert_eq!(format!("{clients:?}"), "ClientSecrets { clients: 1, .. }");
}

#[tokio::test]
async fn nothing_is_verified_before_the_client() {
    let world = World::new().await;
    let endpoint = builder(&world).client_authentication(ClientSecrets::new([("a", "b")]).unwrap());
    let endpoint = endpoint.build().unwrap();
    let response = Form::of("no token").set("grant_type", "x").send(&endpoint).await;
    assert_eq!(response.outcome(), (401, "invalid_client"));
}

#[tokio::test]
async fn a_client_signs_an_assertion_that_is_accepted_once() {
    let world = World::new().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let clients = Authenticator::builder()
        .issuer(Issuer::new("web").key(key.verification_key().unwrap()))
        .issuer(Issuer::new("other").key(key.verification_key().unwrap()))
        .audience(TOKEN_URL)
        .clock(world.clock.clone());
    let without_store = clients.build().unwrap();
    assert_eq!(
        ClientAssertions::new(without_store).unwrap_err(),
        ExchangeConfigError::NoReplayStore
    );
    let clients = Authenticator::builder()
        .issuer(Issuer::new("web").key(key.verification_key().unwrap()))
        .audience(TOKEN_URL)
        .clock(world.clock.clone())
        .replay_store(MemoryStore::new())
        .build()
        .unwrap();
    let endpoint = builder(&world).client_authentication(ClientAssertions::new(clients).unwrap());
    let endpoint = endpoint.build().unwrap();
    let minter = Minter::new(key).clock(world.clock.clone());
    let assertion = |claims: Value| minter.mint(&claims).unwrap().into_token();
    let with = |assertion: &str| {
        Form::of(&world.token().build())
            .add("client_assertion_type", ASSERTION_TYPE)
            .add("client_assertion", assertion)
    };
    let good = json!({"iss": "web", "sub": "web", "aud": TOKEN_URL});
    let first = with(&assertion(good.clone()));
    assert_eq!(first.send(&endpoint).await.claims(&world).await["client_id"], "web");
    assert_eq!(first.send(&endpoint).await.outcome(), (401, "invalid_client"));
    let again = with(&assertion(good.clone())).add("client_id", "web");
    assert_eq!(again.send(&endpoint).await.status, 200);
    for form in [
        with(&assertion(good.clone())).add("client_id", "other"),
        with(&assertion(good.clone())).without("client_assertion_type"),
        with(&assertion(good.clone())).set("client_assertion_type", "x"),
        with(&assertion(json!({"iss": "web", "sub": "other", "aud": TOKEN_URL}))),
        with(&assertion(json!({"iss": "web", "sub": "web", "aud": "x"}))),
        with(&assertion(json!({"iss": "web", "sub": "web", "aud": TOKEN_URL, "jti": ""}))),
        with(&assertion(json!({"iss": "web", "sub": "web", "aud": TOKEN_URL, "exp": 1}))),
        with("x"),
        with(&assertion(good)).without("client_assertion"),
    ] {
        assert_eq!(form.send(&endpoint).await.outcome(), (401, "invalid_client"), "{form:?}");
    }
}

#[tokio::test]
async fn a_hook_of_the_application_authenticates_clients() {
    let world = World::new().await;
    let endpoint =
        builder(&world).client_authentication(|client: PresentedCredentials| async move {
            match client.client_id() {
                Some("panics") => panic!(),
                Some("empty") => Ok(String::new()),
                Some("away") => Err(ClientError::Unavailable),
                Some("eager") => {
                    Err(ClientError::TooManyRequests { retry_after: Duration::from_secs(7) })
                }
                Some(id) => Ok(id.to_owned()),
                None => Err(ClientError::Invalid),
            }
        });
    let endpoint = endpoint.build().unwrap();
    for (id, outcome) in [
        ("web", (200, "issued")),
        ("panics", (500, "server_error")),
        ("empty", (500, "server_error")),
        ("away", (503, "temporarily_unavailable")),
        ("eager", (429, "temporarily_unavailable")),
        ("", (401, "invalid_client")),
    ] {
        let form = Form::of(&world.token().build()).add("client_id", id);
        assert_eq!(form.send(&endpoint).await.outcome(), outcome, "{id}");
    }
}

#[tokio::test]
async fn a_declined_authentication_gives_no_client() {
    let world = World::new().await;
    let form = Form::of(&world.token().claim("client_id", "of-the-subject").build());
    let form = form.add("client_id", "web").field("authorization", &basic("web:x"));
    let response = form.send(&world.builder().build().unwrap()).await;
    assert_eq!(response.claims(&world).await["client_id"], Value::Null);
}

#[tokio::test]
async fn requests_are_limited_by_client_or_header() {
    let world = World::new().await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let counted = Arc::clone(&seen);
    let endpoint = builder(&world)
        .client_authentication(ClientSecrets::new([("web", "x")]).unwrap())
        .rate_limit_header("X-Real-IP")
        .rate_limit(move |request: RateLimitRequest| {
            let key = (
                request.client_id().map(str::to_owned),
                request.header("X-real-ip").map(str::to_owned),
            );
            assert_eq!(request.header("other"), None);
            let mut seen = counted.lock().unwrap();
            seen.push(key);
            let is_over = seen.len() > 3;
            async move {
                match is_over {
                    true => Err(ExchangeRefusal::TooManyRequests {
                        retry_after: Duration::from_secs(60),
                    }),
                    false => Ok(()),
                }
            }
        });
    let endpoint = endpoint.build().unwrap();
    let form = Form::of(&world.token().build()).field("other", "x");
    let good = form.clone().field("authorization", &basic("web:x")).field("x-real-ip", "192.0.2.1");
    let bad = form.clone().field("authorization", &basic("web:y")).field("x-real-ip", "192.0.2.1");
    let twice = good.clone().field("x-real-ip", "192.0.2.2");
    assert_eq!(good.send(&endpoint).await.status, 200);
    assert_eq!(bad.send(&endpoint).await.status, 401);
    assert_eq!(twice.send(&endpoint).await.status, 200);
    // Good or bad: the same answer.
    for form in [good, bad] {
        let response = form.send(&endpoint).await;
        assert_eq!(response.outcome(), (429, "temporarily_unavailable"));
        assert_eq!(response.header("retry-after"), Some("60"));
    }
    let ip = Some("192.0.2.1".to_owned());
    let web = Some("web".to_owned());
    let expected = [
        (web.clone(), ip.clone()),
        (None, ip.clone()),
        (web.clone(), None),
        (web, ip.clone()),
        (None, ip),
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}
