//! When a session is renewed, and with which claims.

use std::time::Duration;

use conformance::{AUDIENCE, NOW};
use portcullis::{NumericDate, revocation::Revoked};
use portcullis_mint::session::Refresh;
use serde_json::{Value, json};

use super::{
    http::Request,
    servers::{BARRIER, CACHED, FAILING, MAYBE, POLICY, PUBLIC, REQUIRED, WHO},
    world::{OWN, Setup, World, claims_of, worlds, worlds_with},
};

const DAY: u64 = 24 * 3600;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

async fn renew() -> Result<Refresh, String> {
    Ok(Refresh::Renew)
}

fn living(lifetime: u64) -> Setup {
    Setup { lifetime: secs(lifetime), ..Setup::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_when_a_fifth_of_its_life_or_30_seconds_are_left() {
    for (lifetime, last_kept) in [(3600, 2879), (1000, 799), (150, 119), (100, 69), (31, 0)] {
        for world in worlds_with(|| living(lifetime), |sessions| sessions).await {
            let token = world.login().await;
            let what = format!("lifetime {lifetime}");
            world.clock.advance(secs(last_kept));
            world.expect_kept(&world.get(WHO, &token).await, 200, "alice", &what);
            world.clock.advance(secs(1));
            let renewed = world.new_token(&world.get(WHO, &token).await).expect(&what);
            assert_eq!(
                claims_of(&renewed)["exp"],
                NOW + i64::try_from(last_kept + 1 + lifetime).unwrap()
            );
            // Both are valid, and the new one is not due.
            assert_eq!(world.judge(&token).await.as_deref(), Ok("alice"));
            let response = world.get(WHO, &renewed).await;
            if lifetime > 31 {
                world.expect_kept(&response, 200, "alice", &what);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_every_request_a_token_is_renewed_at_once() {
    for world in worlds_with(Setup::default, |sessions| sessions.at_every_request()).await {
        let token = world.login().await;
        // Otherwise it would not live longer.
        world.expect_kept(&world.get(WHO, &token).await, 200, "alice", "same second");
        world.clock.advance(secs(1));
        let renewed = world.new_token(&world.get(WHO, &token).await).unwrap();
        world.clock.advance(secs(1));
        world.new_token(&world.get(WHO, &renewed).await).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_token_has_the_claims_of_the_old_one_and_lives_anew() {
    for world in worlds().await {
        let first = claims_of(&world.login().await);
        let token = world.login().await;
        let old = claims_of(&token);
        assert_ne!(old["sid"], first["sid"]);
        world.clock.advance(secs(3000));
        let renewed = world.new_token(&world.get(WHO, &token).await).unwrap();
        let new = claims_of(&renewed);
        assert_ne!(new["jti"], old["jti"]);
        let (now, first_issued_at) = (NOW + 3000, old["iat"].clone());
        assert_eq!(
            new,
            json!({
                "iss": OWN, "sub": "alice", "aud": AUDIENCE, "scope": "read", "theme": "dark",
                "sid": old["sid"], "orig_iat": first_issued_at, "cookie_session": true,
                "iat": now, "nbf": now, "exp": now + 3600, "jti": new["jti"],
            })
        );
        // The beginning of the session does not move.
        world.clock.advance(secs(3000));
        let again = claims_of(&world.new_token(&world.get(WHO, &renewed).await).unwrap());
        assert_eq!((&again["orig_iat"], &again["sid"]), (&first_issued_at, &old["sid"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_at_its_greatest_age() {
    for (auth_time, end) in [(None, DAY), (Some(NOW - 3600), DAY - 3600), (Some(NOW + 60), DAY)] {
        let setup = || {
            let mut setup = Setup::default();
            if let Some(auth_time) = auth_time {
                setup.claims["auth_time"] = auth_time.into();
            }
            setup
        };
        for world in worlds_with(setup, |sessions| sessions).await {
            let (mut token, mut renewals) = (world.login().await, 0);
            let end = NOW + i64::try_from(end).unwrap();
            loop {
                let claims = claims_of(&token);
                assert_eq!(claims.get("auth_time"), auth_time.map(Value::from).as_ref());
                let expiry = claims["exp"].as_i64().unwrap();
                assert!(expiry <= end, "{expiry}");
                world.clock.set(NumericDate::from_seconds(expiry - 1));
                let response = world.get(WHO, &token).await;
                match world.new_token(&response) {
                    Some(renewed) => token = renewed,
                    None => {
                        world.expect_kept(&response, 200, "alice", "the last");
                        assert_eq!(expiry, end);
                        break;
                    }
                }
                renewals += 1;
            }
            assert!(renewals > 20, "{renewals}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_renewed_whatever_the_handler_answers() {
    for world in worlds().await {
        for (path, status) in [
            (WHO, 200),
            (MAYBE, 200),
            (POLICY, 200),
            (PUBLIC, 200),
            (FAILING, 500),
            (REQUIRED, 200),
        ] {
            let token = world.login().await;
            world.clock.advance(secs(3000));
            let response = world.get(path, &token).await;
            assert_eq!(response.status, status, "{path}");
            let renewed = world.new_token(&response).expect(path);
            assert_eq!(world.judge(&renewed).await.as_deref(), Ok("alice"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_sets_the_cookie_is_stored_by_no_cache() {
    for world in worlds().await {
        for (own, sent) in [
            ("public, max-age=60", "no-store"),
            ("no-cache", "no-store"),
            ("private, no-store", "private, no-store"),
        ] {
            let token = world.login().await;
            let request = || {
                let request = Request::new("GET", CACHED).field("x-cache-control", own);
                world.with(request, &token)
            };
            assert_eq!(world.send(request()).await.get("cache-control"), Some(own));
            world.clock.advance(secs(3000));
            let response = world.send(request()).await;
            assert!(response.get("set-cookie").is_some());
            assert_eq!(response.get("cache-control"), Some(sent));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_services_own_tokens_from_the_cookie_alone_are_renewed() {
    for world in worlds_with(Setup::default, |sessions| sessions.refresh(|_| renew())).await {
        let token = world.login().await;
        let mint = |claims: Value| world.minter.mint(&claims).unwrap().into_token();
        let foreign = world.partner.token().audience(AUDIENCE).claim("jti", "1").claim("sid", "s");
        let foreign = foreign.claim("iat", NOW).claim("exp", NOW + 3600).build();
        let acting = mint(json!({
            "sub": "alice", "aud": AUDIENCE, "sid": "s", "act": {"sub": "bob"},
        }));
        let exchanged =
            mint(json!({"sub": "alice", "aud": AUDIENCE, "sid": "s", "exchanged": true}));
        let timeless = mint(json!({"sub": "alice", "aud": AUDIENCE, "sid": "s"}));
        world.clock.advance(secs(3000));
        world.expect_kept(&world.get(WHO, &foreign).await, 200, "alice", "of another issuer");
        world.expect_kept(&world.get(WHO, &acting).await, 200, "alice", "with an actor");
        world.expect_kept(&world.get(WHO, &exchanged).await, 200, "alice", "exchanged");
        let header = Request::new("GET", WHO).bearer(&token);
        world.expect_kept(&world.send(header.clone()).await, 200, "alice", "in a header field");
        let both = world.with(header, &token);
        world.expect_kept(&world.send(both).await, 200, "alice", "in a header field too");
        assert!(world.new_token(&world.get(WHO, &timeless).await).is_some());
        assert!(world.new_token(&world.get(WHO, &token).await).is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_be_used_once_is_not_renewed() {
    let setup = || Setup { issuer: |issuer| issuer.one_time(), ..Setup::default() };
    for world in worlds_with(setup, |sessions| sessions.at_every_request()).await {
        let token = world.login().await;
        world.clock.advance(secs(3000));
        world.expect_kept(&world.get(WHO, &token).await, 200, "alice", "the first use");
        world.expect_removed(&world.get(WHO, &token).await, 401, "the second use");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_default_a_token_without_a_session_is_not_renewed() {
    for world in worlds().await {
        let token = world.minter.mint(&json!({"sub": "worker", "aud": AUDIENCE})).unwrap();
        world.clock.advance(secs(3000));
        world.expect_kept(&world.get(WHO, token.token()).await, 200, "worker", "no `sid`");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_token_without_a_session_names_it_by_its_id() {
    for world in worlds_with(Setup::default, |sessions| sessions.refresh(|_| renew())).await {
        let first = world.minter.mint(&json!({"sub": "alice", "aud": AUDIENCE})).unwrap();
        world.clock.advance(secs(3000));
        let second = world.new_token(&world.get(WHO, first.token()).await).unwrap();
        assert_eq!(claims_of(&second)["sid"], *first.token_id().unwrap());
        world.clock.advance(secs(3000));
        let third = world.new_token(&world.get(WHO, &second).await).unwrap();
        assert_eq!(claims_of(&third)["sid"], *first.token_id().unwrap());
    }
}

/// Sends a request that is revoked while its handler runs.
async fn revoked_meanwhile(world: &World, revoked: impl Fn(&Value) -> Revoked) {
    let token = world.login().await;
    world.clock.advance(secs(3000));
    let revoke = async {
        let entry = world.auth.revocation(OWN, revoked(&claims_of(&token)));
        world.auth.revoke(&[entry]).await.unwrap();
    };
    let response = world.meanwhile(world.get(BARRIER, &token), revoke).await;
    world.expect_kept(&response, 200, "alice", "revoked while its handler runs");
    assert_eq!(world.judge(&token).await, Err("token_revoked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_revoked_while_its_handler_runs_is_not_renewed() {
    for strict in [false, true] {
        let setup = || Setup {
            revocations: if strict { |it| it.strict() } else { Setup::default().revocations },
            requests_at_barrier: 2,
            ..Setup::default()
        };
        for world in worlds_with(setup, |sessions| sessions).await {
            let text = |claim: &Value| claim.as_str().unwrap().into();
            revoked_meanwhile(&world, |claims| Revoked::Token(text(&claims["jti"]))).await;
            revoked_meanwhile(&world, |claims| Revoked::Session(text(&claims["sid"]))).await;
            let now = NumericDate::from_seconds(NOW + 9000);
            revoked_meanwhile(&world, |claims| Revoked::Subject(text(&claims["sub"]), now)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_while_its_handler_runs_is_not_renewed() {
    for (late, renewed) in [(59, true), (60, false)] {
        let setup = || Setup { requests_at_barrier: 2, ..Setup::default() };
        for world in worlds_with(setup, |sessions| sessions).await {
            let token = world.login().await;
            let advance = async { world.clock.advance(secs(3600 + late)) };
            let response = world.meanwhile(world.get(BARRIER, &token), advance).await;
            assert_eq!(response.status, 200);
            // The leeway of the engine is a minute.
            assert_eq!(world.new_token(&response).is_some(), renewed, "{late}");
        }
    }
}
