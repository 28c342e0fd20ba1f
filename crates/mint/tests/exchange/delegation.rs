//! Who acts for whom.

use portcullis_mint::exchange::ExchangeRequest;
use portcullis_testkit::TestIssuer;
use serde_json::{Value, json};

use crate::world::{Form, GATEWAY, JWT, ORDERS, OWN, World};

/// An `act` of this many actors.
fn chain(actors: usize) -> Value {
    (1..actors).rev().fold(
        json!({"sub": actors.to_string()}),
        |inner, actor| json!({"sub": actor.to_string(), "act": inner}),
    )
}

#[tokio::test]
async fn the_actor_is_named_with_its_issuer_and_the_former_actors_behind_it() {
    let world = World::new().await;
    let endpoint = world.builder().build().unwrap();
    let idp = "https://idp.test";
    let worker = world.token().subject("worker");
    for (act, actor, expected) in [
        (None, None, Value::Null),
        (None, Some(&worker), json!({"sub": "worker", "iss": idp})),
        // Without an actor token, the actor stays who it was.
        (Some(json!({"sub": "a"})), None, json!({"sub": "a", "iss": idp})),
        (Some(json!({"sub": "a", "iss": OWN})), None, json!({"sub": "a"})),
        (
            Some(
                json!({"sub": "a", "iss": "https://other.test", "email": "a@b", "act": {"sub": "b"}}),
            ),
            Some(&worker),
            json!({"sub": "worker", "iss": idp, "act": {
                "sub": "a", "iss": "https://other.test", "act": {"sub": "b", "iss": idp}
            }}),
        ),
    ] {
        let token = match &act {
            Some(act) => world.token().claim("act", act),
            None => world.token(),
        };
        let form = Form::of(&token.build());
        let form = actor.map_or(form.clone(), |actor| form.actor(actor));
        let claims = form.send(&endpoint).await.claims(&world).await;
        assert_eq!(claims["act"], expected, "{act:?}");
        assert_eq!(claims["sub"], "alice");
    }
}

#[tokio::test]
async fn there_are_no_more_than_five_actors() {
    let world = World::new().await;
    let endpoint = world.builder().build().unwrap();
    let worker = world.token().subject("worker");
    for (former, with_actor, expected) in
        [(5, false, 200), (6, false, 400), (4, true, 200), (5, true, 400), (20, true, 400)]
    {
        let form = Form::of(&world.token().claim("act", chain(former)).build());
        let form = if with_actor { form.actor(&worker) } else { form };
        let response = form.send(&endpoint).await;
        assert_eq!(response.status, expected, "{former} {with_actor}: {response:?}");
    }
    // Also if the application adds one.
    let endpoint = world.builder().authorize(|request: ExchangeRequest| async move {
        Ok(request.narrow()?.actor("one more"))
    });
    let endpoint = endpoint.build().unwrap();
    let send = |former| Form::of(&world.token().claim("act", chain(former)).build());
    assert_eq!(send(5).send(&endpoint).await.outcome(), (400, "invalid_request"));
    let act = send(4).send(&endpoint).await.claims(&world).await["act"].clone();
    assert_eq!((&act["sub"], &act["iss"]), (&json!("one more"), &Value::Null));
    assert_eq!(act["act"]["sub"], "1");
}

#[tokio::test]
async fn only_the_actor_that_may_act_names_acts() {
    let world = World::new().await;
    let endpoint = world.builder().build().unwrap();
    let idp = "https://idp.test";
    let worker = world.token().subject("worker").claim("email", "worker@test");
    for (may_act, is_allowed) in [
        (json!({"sub": "worker"}), true),
        (json!({"sub": "worker", "iss": idp}), true),
        (json!({"sub": "worker", "email": "worker@test"}), true),
        (json!({"sub": "other"}), false),
        (json!({"sub": "worker", "iss": "https://other.test"}), false),
        (json!({"sub": "worker", "email": "other@test"}), false),
        (json!({"sub": "worker", "role": "x"}), false),
        (json!({"iss": idp}), false),
        (json!({"email": "worker@test"}), false),
        (json!({}), false),
        (json!("worker"), false),
        (json!(["worker"]), false),
        (Value::Null, false),
    ] {
        let token = world.token().claim("may_act", &may_act).build();
        let response = Form::of(&token).actor(&worker).send(&endpoint).await;
        let expected = if is_allowed { (200, "issued") } else { (400, "invalid_request") };
        assert_eq!(response.outcome(), expected, "{may_act}");
        if is_allowed {
            // The next exchange is limited too, to the same actor.
            let mut expected = may_act.clone();
            expected["iss"] = idp.into();
            assert_eq!(response.claims(&world).await["may_act"], expected);
        }
        // The client does not act as the subject itself.
        let response = Form::of(&token).send(&endpoint).await;
        assert_eq!(response.outcome(), (400, "invalid_request"), "{may_act}");
    }
}

#[tokio::test]
async fn may_act_without_an_issuer_names_one_of_the_same_issuer() {
    let other = TestIssuer::new("https://other.test");
    let world = World::with(|builder| {
        let clock = other.trusted();
        builder.issuer(clock)
    })
    .await;
    let other = other.clock(world.clock.clone());
    let endpoint = world.builder().authorize(|request: ExchangeRequest| async move {
        Ok(request.narrow()?.subject("local"))
    });
    let endpoint = endpoint.build().unwrap();
    let worker = other.token().audience(GATEWAY).subject("worker");
    for (may_act, is_allowed) in [
        (json!({"sub": "worker"}), false),
        (json!({"sub": "worker", "iss": "https://other.test"}), true),
    ] {
        let token = world.token().claim("may_act", &may_act).build();
        let response = Form::of(&token).actor(&worker).send(&endpoint).await;
        let expected = if is_allowed { 200 } else { 400 };
        assert_eq!(response.status, expected, "{may_act}");
    }
}

#[tokio::test]
async fn may_act_limits_a_chained_exchange_to_the_same_actor() {
    let world = World::new().await;
    let endpoint = world.builder().audience(GATEWAY).build().unwrap();
    let worker = world.token().subject("worker");
    let token = world.token().claim("may_act", json!({"sub": "worker"})).build();
    let first = Form::of(&token).actor(&worker).add("audience", GATEWAY).send(&endpoint).await;
    let next = |actor| Form::of(first.token()).actor(actor).add("audience", ORDERS);
    let again = next(&worker).send(&endpoint).await;
    assert_eq!(again.claims(&world).await["act"]["act"]["sub"], "worker");
    let other = next(&world.token().subject("other")).send(&endpoint).await;
    assert_eq!(other.outcome(), (400, "invalid_request"));
    // The worker of this service is another one.
    let own = world.minter.mint(&json!({"sub": "worker", "aud": GATEWAY})).unwrap();
    let own = Form::of(first.token())
        .add("actor_token", own.token())
        .add("actor_token_type", JWT)
        .add("audience", ORDERS);
    assert_eq!(own.send(&endpoint).await.outcome(), (400, "invalid_request"));
}

#[tokio::test]
async fn an_actor_for_whom_another_party_acts_is_not_acceptable() {
    let world = World::new().await;
    let endpoint = world.builder().build().unwrap();
    let worker = world.token().subject("worker").claim("act", json!({"sub": "x"}));
    let response = Form::of(&world.token().build()).actor(&worker).send(&endpoint).await;
    assert_eq!(response.outcome(), (400, "invalid_request"));
}
