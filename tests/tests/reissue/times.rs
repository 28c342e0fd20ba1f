//! When a token is due, and when it is too late.

use std::time::Duration;

use conformance::LEEWAY;
use serde_json::json;

use super::{
    servers::During,
    world::{LIFE, Setup, World, worlds},
};

/// Tokens of this life, with this many seconds left.
const TABLE: [(u64, i64, bool); 18] = [
    // 20 % of the life.
    (1000, 201, false),
    (1000, 200, true),
    (1000, 199, true),
    (155, 32, false),
    (155, 31, true),
    (155, 30, true),
    // 30 seconds, which is more than 20 %.
    (149, 31, false),
    (149, 30, true),
    (149, 29, true),
    (40, 31, false),
    (40, 30, true),
    (29, 28, true),
    // Expired.
    (1000, 1, true),
    (1000, 0, true),
    (1000, -1, true),
    (1000, 1 - LEEWAY, true),
    (29, 1 - LEEWAY, true),
    (31, 1 - LEEWAY, true),
];

fn with_life(world: &World, life: u64) -> String {
    let expiry = conformance::NOW + i64::try_from(life).unwrap();
    world.token(json!({"iat": conformance::NOW, "exp": expiry}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_reissued_in_the_last_fifth_of_its_life_or_the_last_30_seconds() {
    for (life, left, is_due) in TABLE {
        for world in worlds(Setup::default()).await {
            let token = with_life(&world, life);
            world.advance(i64::try_from(life).unwrap() - left);
            let what = format!("{:?}: {life} s, {left} s left", world.framework);
            let new = world.reissued(&token).await;
            assert_eq!(new.is_some(), is_due, "{what}");
            if let Some(new) = new {
                let claims = world.claims(&new).await;
                let now = portcullis::clock::Clock::now(&world.clock).seconds();
                assert_eq!(claims["iat"], json!(now), "{what}");
                assert_eq!(claims["nbf"], json!(now), "{what}");
                assert_eq!(claims["exp"], json!(now + i64::try_from(life).unwrap()), "{what}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_after_the_handler_counts() {
    // Seconds left before the handler, its seconds, and whether the token is reissued.
    let rows = [
        (300, 99, false),
        (300, 100, true),
        (300, 101, true),
        (201, 0, false),
        (100, 99, true),
        (100, 100, true),
        (100, 101, true),
        // The engine accepts it until the leeway is over.
        (100, 159, true),
        (100, 160, false),
        (100, 161, false),
        (100, 10_000, false),
    ];
    for (left, seconds, is_reissued) in rows {
        for world in worlds(Setup::default()).await {
            let token = world.token(json!({}));
            world.advance_to_seconds_left(left);
            let new = world.reissued_during(&token, During::Advance(seconds)).await;
            let what = format!("{:?}: {left} s left, {seconds} s", world.framework);
            assert_eq!(new.is_some(), is_reissued, "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_limits_the_age_limits_what_is_reissued() {
    let setup =
        || Setup { issuer: |issuer| issuer.max_age(Duration::from_secs(900)), ..Setup::default() };
    for (seconds, is_reissued) in [(59, true), (61, false)] {
        for world in worlds(setup()).await {
            let token = world.token(json!({}));
            world.advance(900);
            let new = world.reissued_during(&token, During::Advance(seconds)).await;
            assert_eq!(new.is_some(), is_reissued, "{:?}: {seconds}", world.framework);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_a_life_is_not_reissued() {
    let setup =
        || Setup { issuer: |issuer| issuer.dangerous_optional_expiry(), ..Setup::default() };
    for world in worlds(setup()).await {
        // A minter adds both dates, so these are signed by its key and no minter.
        let sign = |claims: serde_json::Value| {
            let (key, mut header) = (world.minter.key(), json!({"alg": "EdDSA"}));
            header["kid"] = json!(key.key_id());
            let text = format!(
                "{}.{}",
                conformance::encode(header.to_string()),
                conformance::encode(claims.to_string())
            );
            let signature = key.sign(text.as_bytes()).unwrap();
            format!("{text}.{}", conformance::encode(signature))
        };
        let own = json!({"iss": super::world::ISSUER, "sub": "task-7", "aud": conformance::AUDIENCE, "jti": "1"});
        let with = |name: &str, value: i64| {
            let mut claims = own.clone();
            claims[name] = json!(value);
            sign(claims)
        };
        assert_eq!(world.reissued(&sign(own.clone())).await, None);
        assert_eq!(world.reissued(&with("iat", conformance::NOW)).await, None);
        assert_eq!(world.reissued(&with("exp", conformance::NOW + 10)).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_lives_as_long_as_it_is_configured() {
    let setup = || Setup {
        reissuer: |reissuer| reissuer.lifetime(Duration::from_secs(70)),
        ..Setup::default()
    };
    // Seconds left, and whether the new one lives longer.
    for (left, is_reissued) in [(200, false), (71, false), (70, false), (69, true), (0, true)] {
        for world in worlds(setup()).await {
            let token = world.token(json!({}));
            world.advance_to_seconds_left(left);
            let new = world.reissued(&token).await;
            assert_eq!(new.is_some(), is_reissued, "{:?}: {left}", world.framework);
            if let Some(new) = new {
                let expiry = conformance::NOW + LIFE - left + 70;
                assert_eq!(world.claims(&new).await["exp"], json!(expiry));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_dated_back_do_not_live_longer_each_time() {
    let setup =
        || Setup { minter: |minter| minter.backdate(Duration::from_secs(10)), ..Setup::default() };
    for world in worlds(setup()).await {
        let mut token = world.token(json!({}));
        for _ in 0..3 {
            let claims = world.claims(&token).await;
            let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
            assert_eq!(life, LIFE + 10);
            let now = portcullis::clock::Clock::now(&world.clock).seconds();
            assert_eq!(claims["iat"], json!(now - 10));
            world.advance_to_seconds_left(100);
            token = world.reissued(&token).await.unwrap();
        }
    }
}
