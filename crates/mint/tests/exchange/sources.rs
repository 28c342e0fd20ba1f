//! Tokens of tenants and of this service itself: whose subjects and actors are which.

use std::time::Duration;

use portcullis::{
    AuthErrorKind, Authenticator, Issuer, NumericDate,
    revocation::{Revocations, Revoked},
    strategy::Tenants,
};
use portcullis_mint::exchange::{
    ExchangeConfigError, ExchangeRequest, TokenExchangeBuilder, TokenExchangeEndpoint,
};
use portcullis_testkit::TestIssuer;
use serde_json::json;

use crate::world::{Form, GATEWAY, JWT, NOW, ORDERS, OWN, World};

/// An endpoint whose engine looks up tenants, and no other issuer.
fn builder(world: &World, tenants: Vec<Issuer>, names: &[&str]) -> TokenExchangeBuilder {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let tenants = Tenants::new("tenants", move |name: String| {
        let found = names.iter().position(|own| *own == name);
        let found = found.and_then(|index| tenants.get(index).cloned());
        async { Ok(found) }
    });
    let auth = Authenticator::builder()
        .strategy(tenants.clock(world.clock.clone()))
        .audience(GATEWAY)
        .clock(world.clock.clone())
        .build()
        .unwrap();
    TokenExchangeEndpoint::builder(&auth, world.minter.clone())
        .dangerous_without_client_authentication()
        .audience(ORDERS)
}

#[tokio::test]
async fn a_tenant_does_not_name_subjects_and_actors_of_this_service() {
    let world = World::new().await;
    let tenant = TestIssuer::new("https://tenant.test").clock(world.clock.clone());
    // A tenant that has this service's own name.
    let impostor = TestIssuer::new(OWN).clock(world.clock.clone());
    let names = ["https://tenant.test", OWN];
    let new = || {
        let issuers = [&tenant, &impostor].map(|issuer| issuer.trusted().audience(GATEWAY));
        builder(&world, issuers.to_vec(), &names)
    };
    assert_eq!(new().build().unwrap_err(), ExchangeConfigError::SeveralIssuers);
    let narrows = new().authorize(|request: ExchangeRequest| async move { request.narrow() });
    let narrows = narrows.build().unwrap();
    let names = new().authorize(|request: ExchangeRequest| async move {
        Ok(request.narrow()?.subject("local"))
    });
    let names = names.build().unwrap();

    let token = || tenant.token().audience(GATEWAY);
    let own = impostor.token().audience(GATEWAY);
    for token in [&token(), &own] {
        let form = Form::of(&token.build());
        assert_eq!(form.send(&narrows).await.outcome(), (400, "invalid_request"), "{token:?}");
        assert_eq!(form.send(&names).await.claims(&world).await["sub"], "local");
    }
    let forged = token().claim("act", json!({"sub": "a", "act": {"sub": "worker", "iss": OWN}}));
    for form in [Form::of(&forged.build()), Form::of(&token().build()).actor(&own)] {
        assert_eq!(form.send(&names).await.outcome(), (400, "invalid_request"), "{form:?}");
    }
    let honest = token().claim("act", json!({"sub": "a"}));
    let response = Form::of(&honest.build()).actor(&token().subject("b")).send(&names).await;
    let of_tenant = "https://tenant.test";
    let expected = json!({"sub": "b", "iss": of_tenant, "act": {"sub": "a", "iss": of_tenant}});
    assert_eq!(response.claims(&world).await["act"], expected);
}

#[tokio::test]
async fn a_token_of_this_service_is_one_that_its_minter_has_signed() {
    let world = World::new().await;
    // The engine trusts another key under the same name.
    let other = TestIssuer::new(OWN).clock(world.clock.clone());
    let auth = Authenticator::builder()
        .issuer(other.trusted())
        .issuer(world.idp.trusted())
        .audience(GATEWAY)
        .clock(world.clock.clone())
        .build()
        .unwrap();
    let endpoint = TokenExchangeEndpoint::builder(&auth, world.minter.clone())
        .dangerous_without_client_authentication()
        .audience(ORDERS)
        .build()
        .unwrap();
    let own = other.token().audience(GATEWAY);
    assert_eq!(Form::of(&own.build()).send(&endpoint).await.outcome(), (400, "invalid_request"));
    let idp = Form::of(&world.token().build());
    assert_eq!(idp.send(&endpoint).await.status, 200);
    assert_eq!(idp.actor(&own).send(&endpoint).await.outcome(), (400, "invalid_request"));
    // Those of the minter are.
    let endpoint = world.builder().build().unwrap();
    let own = world.minter.mint(&json!({"sub": "worker", "aud": GATEWAY})).unwrap();
    let form = Form::of(&world.token().build()).add("actor_token", own.token());
    let response = form.add("actor_token_type", JWT).send(&endpoint).await;
    assert_eq!(response.claims(&world).await["act"], json!({"sub": "worker"}));
}

#[tokio::test]
async fn the_date_of_the_first_token_and_of_the_login_stay() {
    let world = World::new().await;
    let endpoint = world.builder().audience(GATEWAY).build().unwrap();
    let token = world.token().claim("iat", NOW - 100).claim("auth_time", NOW - 200).build();
    world.clock.advance(Duration::from_secs(50));
    let first = Form::of(&token).add("audience", GATEWAY).send(&endpoint).await;
    world.clock.advance(Duration::from_secs(50));
    let second = Form::of(first.token()).add("audience", ORDERS).send(&endpoint).await;
    let claims = second.claims(&world).await;
    assert_eq!((&claims["orig_iat"], &claims["iat"]), (&json!(NOW - 100), &json!(NOW + 100)));
    assert_eq!(claims["auth_time"], NOW - 200);
    assert_eq!(claims["exchanged"], true);
    for malformed in [json!("x"), json!({}), json!(-1e300)] {
        let token = world.token().claim("orig_iat", &malformed).build();
        let response = Form::of(&token).add("audience", ORDERS).send(&endpoint).await;
        assert_eq!(response.outcome(), (400, "invalid_request"), "{malformed}");
    }
}

#[tokio::test]
async fn a_cut_off_of_the_subject_applies_to_what_is_exchanged_later() {
    let world =
        World::with(|builder| builder.revocations(Revocations::memory().allow_missing_jti())).await;
    let endpoint = world.builder().audience(GATEWAY).build().unwrap();
    let cut_off = NumericDate::from_seconds(NOW);
    let subject = Revoked::Subject("alice".into(), cut_off);
    world.auth.revoke(&[world.auth.revocation(OWN, subject)]).await.unwrap();
    world.clock.advance(Duration::from_secs(10));
    // The token of the other issuer is older than the cut-off, and valid.
    let token = world.token().claim("iat", NOW - 1).build();
    let response = Form::of(&token).add("audience", GATEWAY).send(&endpoint).await;
    let judged = world.auth.authenticate_token(response.token()).await;
    assert_eq!(judged.unwrap_err().kind(), AuthErrorKind::TokenRevoked);
    let newer = world.token().claim("iat", NOW + 1).build();
    let response = Form::of(&newer).add("audience", GATEWAY).send(&endpoint).await;
    world.auth.authenticate_token(response.token()).await.unwrap();
}
