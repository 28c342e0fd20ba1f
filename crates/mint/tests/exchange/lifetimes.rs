//! How long an exchanged token is valid.

use std::time::Duration;

use portcullis::Issuer;
use portcullis_mint::exchange::{ExchangeRequest, TokenExchangeEndpoint};

use crate::world::{Form, GATEWAY, NOW, ORDERS, World};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn it_ends_with_the_first_of_subject_actor_minter_and_decision() {
    let world = World::new().await;
    // What is left of the subject token and of the actor token, the lifetime of the minter and of the decision, and
    // that of the exchanged token.
    for (subject, actor, minter, decision, expected) in [
        (3600, None, None, None, Some(900)),
        (3600, None, Some(300), None, Some(300)),
        (200, None, Some(300), None, Some(200)),
        (200, Some(100), Some(300), None, Some(100)),
        (100, Some(200), Some(300), None, Some(100)),
        (3600, Some(3600), Some(300), Some(60), Some(60)),
        (30, Some(3600), Some(300), Some(60), Some(30)),
        (3600, Some(3600), Some(300), Some(3600), Some(300)),
        (5, None, None, None, Some(5)),
        (4, None, None, None, None),
        (0, None, None, None, None),
        (3600, Some(5), None, None, Some(5)),
        (3600, Some(4), None, None, None),
        (3600, None, None, Some(5), Some(5)),
        (3600, None, None, Some(4), None),
    ] {
        let minted = match minter {
            Some(lifetime) => world.minter.clone().lifetime(seconds(lifetime)),
            None => world.minter.clone(),
        };
        let endpoint = TokenExchangeEndpoint::builder(&world.auth, minted)
            .dangerous_without_client_authentication()
            .audience(ORDERS)
            .authorize(move |request: ExchangeRequest| async move {
                let claims = request.narrow()?;
                Ok(decision.map_or(claims.clone(), |decision| claims.lifetime(seconds(decision))))
            });
        let mut form = Form::of(&world.token().expires_in(seconds(subject)).build());
        if let Some(actor) = actor {
            form = form.actor(&world.token().subject("worker").expires_in(seconds(actor)));
        }
        let response = form.send(&endpoint.build().unwrap()).await;
        let what = format!("{subject} {actor:?} {minter:?} {decision:?}: {response:?}");
        match expected {
            Some(expected) => {
                assert_eq!(response.body["expires_in"], expected, "{what}");
                assert_eq!(response.claims(&world).await["exp"], NOW + expected, "{what}");
            }
            None => assert_eq!(response.outcome(), (400, "invalid_request"), "{what}"),
        }
    }
}

#[tokio::test]
async fn a_chained_exchange_does_not_outlive_its_source() {
    let world = World::new().await;
    let endpoint = world.builder().audience(GATEWAY).build().unwrap();
    let first = Form::of(&world.token().expires_in(seconds(600)).build()).add("audience", GATEWAY);
    let mut token = first.send(&endpoint).await.token().to_owned();
    for passed in [100, 200, 300, 400, 500, 595] {
        world.clock.set(portcullis::NumericDate::from_seconds(NOW + passed));
        let next = Form::of(&token).add("audience", GATEWAY).add("audience", ORDERS);
        let response = next.send(&endpoint).await;
        assert_eq!(response.body["expires_in"], 600 - passed, "{response:?}");
        assert_eq!(response.claims(&world).await["exp"], NOW + 600);
        response.token().clone_into(&mut token);
    }
    // It is within the leeway of the engine, and is not exchanged.
    world.clock.advance(seconds(10));
    let late = Form::of(&token).add("audience", ORDERS).send(&endpoint).await;
    assert_eq!(late.outcome(), (400, "invalid_request"));
}

#[tokio::test]
async fn it_ends_when_the_subject_token_reaches_its_maximum_age() {
    let world = World::new().await;
    let auth = portcullis::Authenticator::builder()
        .issuer(world.idp.trusted().max_age(seconds(120)))
        .audience(GATEWAY)
        .clock(world.clock.clone())
        .build()
        .unwrap();
    let endpoint = TokenExchangeEndpoint::builder(&auth, world.minter.clone())
        .dangerous_without_client_authentication()
        .audience(ORDERS)
        .build()
        .unwrap();
    let token = world.token().build();
    world.clock.advance(seconds(50));
    let response = Form::of(&token).send(&endpoint).await;
    assert_eq!(response.body["expires_in"], 70, "{response:?}");
    // Accepted by the leeway, and too little is left.
    world.clock.advance(seconds(66));
    assert_eq!(Form::of(&token).send(&endpoint).await.outcome(), (400, "invalid_request"));
}

#[tokio::test]
async fn a_source_without_an_end_is_limited_by_the_minter() {
    let world = World::new().await;
    let idp: Issuer = world.idp.trusted().dangerous_optional_expiry();
    let auth = portcullis::Authenticator::builder()
        .issuer(idp)
        .audience(GATEWAY)
        .clock(world.clock.clone())
        .build()
        .unwrap();
    let endpoint = TokenExchangeEndpoint::builder(&auth, world.minter.clone())
        .dangerous_without_client_authentication()
        .audience(ORDERS)
        .build()
        .unwrap();
    let response = Form::of(&world.token().without_claim("exp").build()).send(&endpoint).await;
    assert_eq!(response.body["expires_in"], 900, "{response:?}");
}
