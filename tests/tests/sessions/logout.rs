//! The end of sessions.

use std::time::Duration;

use conformance::AUDIENCE;
use portcullis_mint::session::Refresh;
use serde_json::json;

use super::{
    http::Request,
    servers::{LEAVE, LOGOUT, WHO},
    world::{Setup, World, claims_of, worlds, worlds_with},
};

/// Renews a session, and returns its tokens. All are valid.
async fn three_tokens(world: &World, first: String) -> [String; 3] {
    world.clock.advance(Duration::from_secs(3570));
    let second = world.new_token(&world.get(WHO, &first).await).unwrap();
    // Another replica has renewed the first one too.
    let mut claims = claims_of(&second);
    for name in ["jti", "iat", "nbf", "exp"] {
        claims[name] = json!(null);
    }
    let third = world.minter.mint(&claims).unwrap().into_token();
    let tokens = [first, second, third];
    for token in &tokens {
        assert_eq!(world.judge(token).await.as_deref(), Ok("alice"));
    }
    tokens
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_with_any_token_of_a_session_ends_all_of_them() {
    for path in [LOGOUT, LEAVE] {
        for world in worlds().await {
            for ended in 0..3 {
                let other = world.login().await;
                let first = world.login().await;
                let tokens = three_tokens(&world, first).await;
                let response = world.send(world.with(Request::post(path), &tokens[ended])).await;
                world.expect_removed(&response, if path == LOGOUT { 204 } else { 200 }, path);
                for token in &tokens {
                    assert_eq!(world.judge(token).await, Err("token_revoked"), "{path} {ended}");
                }
                assert_eq!(world.judge(&other).await.as_deref(), Ok("alice"));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_does_it_if_the_first_token_has_no_session() {
    let renew = |_| async { Ok::<_, String>(Refresh::Renew) };
    for world in worlds_with(Setup::default, |sessions| sessions.refresh(renew)).await {
        for ended in 0..3 {
            let first = world.minter.mint(&json!({"sub": "alice", "aud": AUDIENCE})).unwrap();
            let tokens = three_tokens(&world, first.into_token()).await;
            let response = world.send(world.with(Request::post(LOGOUT), &tokens[ended])).await;
            world.expect_removed(&response, 204, "logout");
            for token in &tokens {
                assert_eq!(world.judge(token).await, Err("token_revoked"), "{ended}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_handler_is_left_alone_by_the_layer_though_the_token_is_due() {
    for world in worlds().await {
        let token = world.login().await;
        world.clock.advance(Duration::from_secs(3000));
        let response = world.send(world.with(Request::post(LEAVE), &token)).await;
        world.expect_removed(&response, 200, "logout");
        world.expect_removed(&world.get(WHO, &token).await, 401, "logged out");
    }
}
