//! Only tokens of the service itself are reissued.

use std::time::Duration;

use conformance::AUDIENCE;
use portcullis::{Algorithm, keys::SigningKey};
use serde_json::json;

use super::{
    http::Request,
    world::{COOKIE, STATIC_TOKEN, Setup, worlds},
};

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_others_are_not_reissued() {
    for world in worlds(Setup::default()).await {
        let partner = world.partner.clone().lifetime(Duration::from_secs(1000));
        let partner = partner.mint(&json!({"sub": "alice", "aud": AUDIENCE})).unwrap().into_token();
        let own = world.token(json!({}));
        world.advance_to_seconds_left(100);
        for token in [partner.as_str(), STATIC_TOKEN] {
            assert_eq!(world.reissued(token).await, None, "{:?}", world.framework);
        }
        assert!(world.reissued(&own).await.is_some());
        // Without a caller there is nothing to reissue.
        let response = world.send(Request::new("GET", "/200")).await;
        assert_eq!((response.status, response.get("refreshed-api-token")), (200, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_another_key_or_of_another_issuer_with_the_same_key_are_not_reissued() {
    let other = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let same_id = || {
        let key = SigningKey::generate(Algorithm::EdDSA).unwrap().with_key_id("1");
        Setup { key, ..Setup::default() }
    };
    for setup in [
        Setup { other_key: Some(other.clone()), ..Setup::default() },
        Setup { other_key: Some(other.with_key_id("1")), ..same_id() },
        Setup {
            key: SigningKey::from_secret([7; 64], Algorithm::HS512).unwrap(),
            other_key: Some(SigningKey::from_secret([8; 64], Algorithm::HS512).unwrap()),
            ..Setup::default()
        },
        Setup {
            key: SigningKey::from_secret([7; 64], Algorithm::HS512).unwrap(),
            other_key: Some(SigningKey::from_secret([7; 64], Algorithm::HS256).unwrap()),
            ..Setup::default()
        },
        // Another service that shares the key.
        Setup { reissued_by: "https://other.test", ..Setup::default() },
    ] {
        for world in worlds(setup).await {
            let token = world.token(json!({}));
            world.advance_to_seconds_left(100);
            assert_eq!(world.reissued(&token).await, None, "{:?}", world.framework);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_from_a_cookie_is_not_reissued() {
    for world in worlds(Setup::default()).await {
        let token = world.token(json!({}));
        world.advance_to_seconds_left(100);
        let cookie = || Request::new("GET", "/200").field("cookie", format!("{COOKIE}={token}"));
        // The second has credentials of another scheme, which are no token.
        for request in [cookie(), cookie().field("authorization", "Basic eDp5")] {
            let response = world.send(request).await;
            assert_eq!((response.status, response.get("refreshed-api-token")), (200, None));
        }
        // A cookie beside a token in the header is not the caller's token.
        let response = world.send(cookie().bearer(&token)).await;
        assert!(response.get("refreshed-api-token").is_some(), "{response:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_with_an_actor_and_tokens_for_one_use_are_not_reissued() {
    for world in worlds(Setup::default()).await {
        let token = world.token(json!({"act": {"sub": "gateway"}}));
        world.advance_to_seconds_left(100);
        assert_eq!(world.reissued(&token).await, None, "{:?}", world.framework);
    }
    let once = || Setup { issuer: |issuer| issuer.one_time().require_jti(), ..Setup::default() };
    for world in worlds(once()).await {
        let token = world.token(json!({}));
        world.advance_to_seconds_left(100);
        assert_eq!(world.reissued(&token).await, None, "{:?}", world.framework);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_were_exchanged_are_not_reissued() {
    for world in worlds(Setup::default()).await {
        let token = world.token(json!({"exchanged": true}));
        world.advance_to_seconds_left(100);
        assert_eq!(world.reissued(&token).await, None, "{:?}", world.framework);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_a_cookie_session_are_not_reissued_when_they_come_as_bearer_tokens() {
    for world in worlds(Setup::default()).await {
        let token = world.token(json!({"cookie_session": true}));
        world.advance_to_seconds_left(100);
        assert_eq!(world.reissued(&token).await, None, "{:?}", world.framework);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_with_a_scope_that_is_not_renewed_are_not_reissued() {
    let setup = || Setup {
        reissuer: |reissuer| reissuer.scopes_without_renewal(["workload", "callback"]),
        ..Setup::default()
    };
    let rows = [
        (json!({"scope": "execution"}), true),
        (json!({"scope": "execution workloads"}), true),
        (json!({}), true),
        (json!({"scope": null}), true),
        (json!({"scope": "workload"}), false),
        (json!({"scope": "execution workload"}), false),
        (json!({"scope": "callback execution"}), false),
        (json!({"scp": ["execution", "workload"]}), false),
        (json!({"scp": "workload"}), false),
        (json!({"scope": "execution", "scp": ["workload"]}), false),
    ];
    for (claims, is_reissued) in rows {
        for world in worlds(setup()).await {
            let token = world.token(claims.clone());
            world.advance_to_seconds_left(100);
            let new = world.reissued(&token).await;
            assert_eq!(new.is_some(), is_reissued, "{:?}: {claims}", world.framework);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_each_kind_reissue_their_own_tokens() {
    let secret = || SigningKey::from_secret([7; 64], Algorithm::HS512).unwrap();
    let key = |algorithm| SigningKey::generate(algorithm).unwrap();
    let keys = [
        secret(),
        secret().with_key_id("not-used"),
        key(Algorithm::RS256),
        key(Algorithm::ES256).with_key_id("a"),
    ];
    for key in keys {
        for world in worlds(Setup { key: key.clone(), ..Setup::default() }).await {
            let token = world.token(json!({}));
            world.advance_to_seconds_left(100);
            let new = world.reissued(&token).await.unwrap();
            assert_eq!(world.code(&new).await, None, "{:?}: {key:?}", world.framework);
        }
    }
}
