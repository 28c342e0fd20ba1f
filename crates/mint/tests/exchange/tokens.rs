//! Tokens that are not acceptable: all of them are answered alike.

use std::{sync::Arc, time::Duration};

use portcullis::{
    AuthErrorKind, Authenticator, Principal, Requirement,
    grant::ResolverConfig,
    revocation::{MemoryStore, Revocations, Revoked},
};
use portcullis_mint::exchange::{ExchangeRequest, ExchangedClaims, TokenExchangeEndpoint};
use portcullis_testkit::TestIssuer;
use serde_json::json;

use crate::world::{Form, GATEWAY, ORDERS, OWN, World};

#[tokio::test]
async fn a_token_that_is_not_acceptable_has_one_answer() {
    let world = World::new().await;
    let endpoint = world.builder().build().unwrap();
    let stranger = TestIssuer::new("https://stranger.test").clock(world.clock.clone());
    let impostor = TestIssuer::new("https://idp.test").clock(world.clock.clone());
    let token = || world.token();
    let hour = Duration::from_secs(3600);
    let event = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    let tokens = [
        ("no token", "x".to_owned()),
        ("three parts", "a.b.c".to_owned()),
        ("long", "a".repeat(20_000)),
        ("another audience", world.idp.token().audience("other").build()),
        ("no audience", world.idp.token().build()),
        ("expired", token().expired().build()),
        ("not yet valid", token().claim("nbf", crate::world::NOW + 3600).build()),
        ("an untrusted issuer", stranger.token().audience(GATEWAY).build()),
        ("another key", impostor.token().audience(GATEWAY).build()),
        ("a wrong signature", token().wrong_signature().build()),
        ("no algorithm", token().header("alg", "none").signature("").build()),
        ("an ID token by audience", world.idp.token().audience("client-id").build()),
        ("an ID token", token().claim("at_hash", "x").build()),
        ("an ID token of the hybrid flow", token().claim("c_hash", "x").build()),
        ("a logout token", token().claim("events", &event).header("typ", "logout+jwt").build()),
        ("a logout token without a type", token().claim("events", &event).build()),
        ("another type", token().header("typ", "dpop+jwt").build()),
        ("bound to a key", token().claim("cnf", json!({"jkt": "x"})).build()),
        ("no subject", token().without_claim("sub").build()),
        ("a subject of another type", token().claim("sub", 1).build()),
        ("an actor of another type", token().claim("act", "x").build()),
        ("expired now", token().expires_in(Duration::ZERO).build()),
    ];
    let mut bodies = Vec::new();
    for (what, bad) in &tokens {
        let as_subject = Form::of(bad).send(&endpoint).await;
        let good = Form::of(&token().expires_in(hour).build());
        let as_actor = good.add("actor_token", bad).add("actor_token_type", crate::world::JWT);
        let as_actor = as_actor.send(&endpoint).await;
        for response in [as_subject, as_actor] {
            assert_eq!(response.outcome(), (400, "invalid_request"), "{what}");
            bodies.push(response.body);
        }
    }
    bodies.dedup();
    let description = "the subject token or the actor token is not acceptable";
    assert_eq!(bodies, [json!({"error": "invalid_request", "error_description": description})]);

    let endpoint = world.builder().respond_invalid_grant().build().unwrap();
    for (what, bad) in &tokens {
        let response = Form::of(bad).send(&endpoint).await;
        assert_eq!(response.outcome(), (400, "invalid_grant"), "{what}");
    }
    // Of a malformed form it stays `invalid_request`.
    let response = Form::of("").send(&endpoint).await;
    assert_eq!(response.outcome(), (400, "invalid_request"));
}

#[tokio::test]
async fn a_revoked_token_is_not_acceptable_also_if_it_is_revoked_meanwhile() {
    let world =
        World::with(|builder| builder.revocations(Revocations::memory().allow_missing_jti())).await;
    let auth = world.auth.clone();
    let endpoint = world.builder().authorize(move |request: ExchangeRequest| {
        let auth = auth.clone();
        async move {
            if request.audiences() == ["revoke"] {
                let session = Revoked::Session("s".into());
                let issuer = request.subject().principal().issuer().to_owned();
                auth.revoke(&[auth.revocation(&issuer, session)]).await.unwrap();
            }
            Ok(ExchangedClaims::new([ORDERS]))
        }
    });
    let endpoint = endpoint.build().unwrap();
    let form = Form::of(&world.token().claim("sid", "s").build());
    assert_eq!(form.send(&endpoint).await.status, 200);
    let during = form.clone().add("audience", "revoke").send(&endpoint).await;
    assert_eq!(during.outcome(), (400, "invalid_request"));
    assert_eq!(form.send(&endpoint).await.outcome(), (400, "invalid_request"));
}

#[tokio::test]
async fn a_revocation_of_the_session_ends_what_was_exchanged() {
    let world =
        World::with(|builder| builder.revocations(Revocations::memory().allow_missing_jti())).await;
    let endpoint = world.builder().audience(GATEWAY).build().unwrap();
    let first = Form::of(&world.token().build()).add("audience", GATEWAY).send(&endpoint).await;
    let second = Form::of(first.token()).add("audience", GATEWAY).send(&endpoint).await;
    for token in [first.token(), second.token()] {
        world.auth.authenticate_token(token).await.unwrap();
    }
    // The session is named as the first token is.
    let entry = world.auth.revocation(OWN, Revoked::Session("1".into()));
    world.auth.revoke(&[entry]).await.unwrap();
    for token in [first.token(), second.token()] {
        let error = world.auth.authenticate_token(token).await.unwrap_err();
        assert_eq!(error.kind(), AuthErrorKind::TokenRevoked);
    }
}

#[tokio::test]
async fn a_resolver_that_knows_no_such_subject_refuses_it() {
    let world = World::new().await;
    let resolver = ResolverConfig::new(|caller: Principal| async move {
        match caller.subject() {
            "alice" => Ok(()),
            "away" => Err(AuthErrorKind::ResolverUnavailable.into()),
            _ => Err(AuthErrorKind::SubjectDisabled.into()),
        }
    });
    let auth = Authenticator::builder()
        .issuer(world.idp.trusted())
        .audience(GATEWAY)
        .clock(world.clock.clone())
        .with_resolver(resolver)
        .build()
        .unwrap();
    let endpoint = TokenExchangeEndpoint::builder(&auth, world.minter.clone())
        .dangerous_without_client_authentication()
        .audience(ORDERS)
        .build()
        .unwrap();
    for (subject, outcome) in [
        ("alice", (200, "issued")),
        ("bob", (400, "invalid_request")),
        ("away", (503, "temporarily_unavailable")),
    ] {
        let form = Form::of(&world.token().subject(subject).build());
        assert_eq!(form.send(&endpoint).await.outcome(), outcome, "{subject}");
        let form = Form::of(&world.token().build()).actor(&world.token().subject(subject));
        assert_eq!(form.send(&endpoint).await.outcome(), outcome, "{subject} as actor");
    }
}

#[tokio::test]
async fn a_requirement_of_the_handle_applies_to_both_tokens() {
    let world = World::new().await;
    let auth = world.auth.clone().with_requirement(Requirement::issuer(OWN)).unwrap();
    let endpoint = TokenExchangeEndpoint::builder(&auth, world.minter.clone())
        .dangerous_without_client_authentication()
        .audience(ORDERS)
        .build()
        .unwrap();
    let own = world.minter.mint(&json!({"sub": "bob", "aud": GATEWAY})).unwrap();
    let form = Form::of(own.token());
    assert_eq!(form.send(&endpoint).await.status, 200);
    assert_eq!(form.actor(&world.token()).send(&endpoint).await.status, 400);
    assert_eq!(Form::of(&world.token().build()).send(&endpoint).await.status, 400);
}

#[tokio::test]
async fn a_strict_engine_asks_the_store_again_after_the_decision() {
    let store = Arc::new(MemoryStore::new());
    let strict = || Revocations::new(Arc::clone(&store)).strict().allow_missing_jti();
    let world = World::with(|builder| builder.revocations(strict())).await;
    let replica = World::with(|builder| builder.revocations(strict())).await;
    let other = replica.auth.clone();
    let endpoint = world.builder().authorize(move |request: ExchangeRequest| {
        let other = other.clone();
        async move {
            if request.scope().is_some_and(|scope| scope.contains("revoke")) {
                let worker = request.actor().unwrap_or(request.subject()).principal().clone();
                other.revoke(&[worker.revocation().unwrap()]).await.unwrap();
            }
            Ok(ExchangedClaims::new([ORDERS]))
        }
    });
    let endpoint = endpoint.build().unwrap();
    let form = Form::of(&world.token().build());
    let worker = world.token().subject("worker").claim("jti", "2");
    assert_eq!(form.clone().actor(&worker).send(&endpoint).await.status, 200);
    let revoked = form.clone().actor(&worker).add("scope", "revoke").send(&endpoint).await;
    assert_eq!(revoked.outcome(), (400, "invalid_request"));
    let revoked = form.add("scope", "revoke").send(&endpoint).await;
    assert_eq!(revoked.outcome(), (400, "invalid_request"));
}
