//! What the client gets: by default, and by a hook.

use std::{future::pending, time::Duration};

use portcullis::{Authenticator, NumericDate};
use portcullis_jose::{Algorithm, SigningKey};
use portcullis_mint::{
    Minter, SigningKeys,
    exchange::{
        ExchangeConfigError, ExchangeRefusal, ExchangeRequest, ExchangedClaims,
        TokenExchangeEndpoint,
    },
};
use portcullis_testkit::TestIssuer;
use serde_json::{Value, json};

use crate::world::{Form, GATEWAY, NOW, ORDERS, OWN, World};

#[tokio::test]
async fn scopes_are_those_that_are_requested_and_that_the_subject_token_has() {
    let world = World::new().await;
    let endpoint = world.builder().build().unwrap();
    // The scopes of the subject token, those requested, and those issued; and whether the response names them.
    for (own, requested, issued, is_named) in [
        ("a b", None, Some("a b"), true),
        ("a b", Some("a"), Some("a"), false),
        ("a b", Some("b a"), Some("b a"), false),
        ("a b", Some("a c"), Some("a"), true),
        ("a b", Some("c"), None, false),
        ("", Some("a"), None, false),
        ("", None, Some(""), false),
        // What is no scope by RFC 6749 is left out.
        ("a ü\"x b", None, Some("a b"), true),
        ("ü", None, Some(""), false),
    ] {
        let form = Form::of(&world.token().scope(own).build());
        let form = requested.map_or(form.clone(), |requested| form.add("scope", requested));
        let response = form.send(&endpoint).await;
        let Some(issued) = issued else {
            assert_eq!(response.outcome(), (400, "invalid_scope"), "{own} {requested:?}");
            continue;
        };
        let scope = response.claims(&world).await["scope"].clone();
        let expected = if issued.is_empty() { Value::Null } else { issued.into() };
        assert_eq!(scope, expected, "{own} {requested:?}");
        let named = if is_named { issued.into() } else { Value::Null };
        assert_eq!(response.body["scope"], named, "{own} {requested:?}");
    }
}

#[tokio::test]
async fn without_a_target_there_must_be_one_audience() {
    let world = World::new().await;
    let form = Form::of(&world.token().build());
    let one = world.builder().build().unwrap();
    assert_eq!(form.send(&one).await.claims(&world).await["aud"], ORDERS);
    let two = world.builder().audience("invoices").build().unwrap();
    assert_eq!(form.send(&two).await.outcome(), (400, "invalid_target"));
    let both = form.add("resource", ORDERS).add("audience", "invoices").send(&two).await;
    assert_eq!(both.claims(&world).await["aud"], json!(["invoices", ORDERS]));
}

#[tokio::test]
async fn a_hook_decides_and_the_endpoint_writes_its_own_claims() {
    let world = World::new().await;
    let endpoint = world.builder().authorize(|request: ExchangeRequest| async move {
        assert_eq!(request.subject().principal().subject(), "alice");
        assert_eq!(request.actor().unwrap().principal().subject(), "worker");
        assert_eq!(request.audiences(), ["invoices"]);
        assert_eq!(request.resources(), ["https://resource.test"]);
        assert!(request.scope().unwrap().contains("x"));
        assert_eq!(request.client_id(), None);
        let mut claims =
            ExchangedClaims::new([ORDERS]).subject("user-1").actor("user-2").scope("x y");
        for name in [
            "iss",
            "sub",
            "aud",
            "exp",
            "nbf",
            "iat",
            "jti",
            "act",
            "client_id",
            "scope",
            "sid",
            "orig_iat",
            "exchanged",
        ] {
            claims = claims.claim(name, 1);
        }
        Ok(claims.claim("roles", json!(["editor"])))
    });
    let form = Form::of(&world.token().without_claim("jti").build())
        .actor(&world.token().subject("worker"))
        .add("audience", "invoices")
        .add("resource", "https://resource.test")
        .add("scope", "x");
    let response = form.send(&endpoint.build().unwrap()).await;
    let mut claims = response.claims(&world).await;
    let id = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert!(id.as_str().is_some_and(|id| id.len() > 20));
    let expected = json!({
        "iss": OWN, "sub": "user-1", "aud": ORDERS, "exp": NOW + 900, "iat": NOW, "nbf": NOW,
        "act": {"sub": "user-2"}, "scope": "x y", "roles": ["editor"], "orig_iat": NOW, "exchanged": true
    });
    assert_eq!(claims, expected);
    assert_eq!(response.body["scope"], "x y");
}

#[tokio::test]
async fn a_refusal_is_answered_as_the_hook_says() {
    let world = World::new().await;
    let retry_after = Duration::from_millis(1500);
    for (refusal, status, error, after) in [
        (ExchangeRefusal::UnacceptableToken, 400, "invalid_request", None),
        (ExchangeRefusal::InvalidTarget, 400, "invalid_target", None),
        (ExchangeRefusal::InvalidScope, 400, "invalid_scope", None),
        (ExchangeRefusal::UnauthorizedClient, 400, "unauthorized_client", None),
        (ExchangeRefusal::Unavailable, 503, "temporarily_unavailable", Some("5")),
        (
            ExchangeRefusal::TooManyRequests { retry_after },
            429,
            "temporarily_unavailable",
            Some("2"),
        ),
    ] {
        let endpoint = world
            .builder()
            .authorize(move |_: ExchangeRequest| async move { Err::<ExchangedClaims, _>(refusal) });
        let response = Form::of(&world.token().build()).send(&endpoint.build().unwrap()).await;
        assert_eq!(response.outcome(), (status, error));
        assert_eq!(response.header("retry-after"), after);
    }
}

#[tokio::test]
async fn a_decision_that_is_no_good_issues_nothing() {
    let world = World::new().await;
    for (decision, error) in [
        (ExchangedClaims::new([""; 0]), "invalid_target"),
        (ExchangedClaims::new([""]), "invalid_target"),
        (ExchangedClaims::new([ORDERS, ""]), "invalid_target"),
        (ExchangedClaims::new([ORDERS]).actor(""), "invalid_request"),
        (ExchangedClaims::new([ORDERS]).subject(""), "invalid_request"),
    ] {
        let endpoint = world.builder().authorize(move |_: ExchangeRequest| {
            let decision = decision.clone();
            async move { Ok(decision) }
        });
        let response = Form::of(&world.token().build()).send(&endpoint.build().unwrap()).await;
        assert_eq!(response.outcome(), (400, error));
    }
    // What is no scope by RFC 6749 is left out.
    let endpoint = world.builder().authorize(|_: ExchangeRequest| async move {
        Ok(ExchangedClaims::new([ORDERS]).scope("a b\"c \u{fc} d"))
    });
    let response = Form::of(&world.token().build()).send(&endpoint.build().unwrap()).await;
    assert_eq!(response.body["scope"], "a d");
    assert_eq!(response.claims(&world).await["scope"], "a d");
}

#[tokio::test]
async fn a_hook_that_panics_or_hangs_issues_nothing() {
    let world = World::new().await;
    let form = Form::of(&world.token().build());
    let panics =
        world.builder().authorize(|_: ExchangeRequest| -> std::future::Ready<_> { panic!() });
    let response = form.send(&panics.build().unwrap()).await;
    assert_eq!(response.outcome(), (500, "server_error"));

    let hangs = world
        .builder()
        .authorize(|_: ExchangeRequest| pending::<Result<ExchangedClaims, ExchangeRefusal>>());
    let endpoint = hangs.build().unwrap();
    let (response, ()) = tokio::join!(form.send(&endpoint), async {
        tokio::task::yield_now().await;
        world.clock.advance(Duration::from_secs(5));
    });
    assert_eq!(response.outcome(), (503, "temporarily_unavailable"));
}

#[tokio::test]
async fn subjects_of_several_issuers_need_a_name_from_the_hook() {
    let other = TestIssuer::new("https://other.test");
    let world = World::with(|builder| builder.issuer(other.trusted())).await;
    assert_eq!(world.builder().build().unwrap_err(), ExchangeConfigError::SeveralIssuers);
    let form = Form::of(&world.token().build());
    let narrows =
        world.builder().authorize(|request: ExchangeRequest| async move { request.narrow() });
    let response = form.send(&narrows.build().unwrap()).await;
    assert_eq!(response.outcome(), (400, "invalid_request"));
    let names = world.builder().authorize(|request: ExchangeRequest| async move {
        Ok(request.narrow()?.subject("local"))
    });
    let response = form.send(&names.build().unwrap()).await;
    assert_eq!(response.claims(&world).await["sub"], "local");
}

#[tokio::test]
async fn an_endpoint_that_cannot_work_is_not_built() {
    let world = World::new().await;
    let error =
        |builder: portcullis_mint::exchange::TokenExchangeBuilder| builder.build().unwrap_err();
    let builder = |minter: Minter| TokenExchangeEndpoint::builder(&world.auth, minter);
    let minter = || world.minter.clone();
    assert_eq!(
        error(builder(minter()).audience(ORDERS)),
        ExchangeConfigError::NoClientAuthentication
    );
    let declined =
        |minter| builder(minter).dangerous_without_client_authentication().audience(ORDERS);
    assert_eq!(
        error(builder(minter()).dangerous_without_client_authentication()),
        ExchangeConfigError::NoAudience
    );
    assert_eq!(error(declined(minter()).audience("")), ExchangeConfigError::EmptyAudience);
    assert_eq!(error(declined(minter()).one_time()), ExchangeConfigError::NoReplayStore);
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    assert_eq!(error(declined(Minter::new(key.clone()))), ExchangeConfigError::NoIssuer);
    let short = minter().lifetime(Duration::from_secs(4));
    assert_eq!(error(declined(short)), ExchangeConfigError::InvalidLifetime);
    let keys = SigningKeys::builder(key).max_lifetime(Duration::from_secs(60)).build().unwrap();
    let long = Minter::new(keys).issuer(OWN).lifetime(Duration::from_secs(61));
    assert_eq!(error(declined(long)), ExchangeConfigError::InvalidLifetime);
}

#[tokio::test]
async fn the_session_stays_or_begins_with_the_subject_token() {
    let world = World::new().await;
    for (session, id, expected) in [
        (Some("s"), Some("1"), json!("s")),
        (None, Some("1"), json!("1")),
        (Some("s"), None, json!("s")),
        (Some(""), Some("1"), json!("1")),
        (None, None, Value::Null),
    ] {
        let token = world.idp.token().audience(GATEWAY).without_claim("jti");
        let token = session.map_or(token.clone(), |session| token.claim("sid", session));
        let token = id.map_or(token.clone(), |id| token.claim("jti", id));
        let claims = world.exchange(&token).await.claims(&world).await;
        assert_eq!(claims["sid"], expected, "{session:?} {id:?}");
    }
    let wrong = world.exchange(&world.token().claim("sid", 1)).await;
    assert_eq!(wrong.outcome(), (400, "invalid_request"));
}

#[tokio::test]
async fn an_engine_with_grants_of_its_own_shows_them_to_the_hook() {
    let world = World::new().await;
    let auth = Authenticator::builder()
        .issuer(world.idp.trusted())
        .audience(GATEWAY)
        .clock(world.clock.clone())
        .with_grant_from(|caller| Ok(caller.subject().len()))
        .build()
        .unwrap();
    let endpoint = TokenExchangeEndpoint::builder(&auth, world.minter.clone())
        .dangerous_without_client_authentication()
        .audience(ORDERS)
        .authorize(|request: ExchangeRequest<usize>| async move {
            Ok(request.narrow()?.claim("length", **request.subject().grant()))
        });
    let response = Form::of(&world.token().build()).send(&endpoint.build().unwrap()).await;
    assert_eq!(response.claims(&world).await["length"], 5);
    assert_eq!(NumericDate::from_seconds(NOW).seconds(), NOW);
}
