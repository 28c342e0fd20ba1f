//! Tokens that were reissued from one.

use std::time::Duration;

use conformance::NOW;
use portcullis::{NumericDate, revocation::Revoked};
use serde_json::json;

use super::world::{LIFE, Setup, worlds};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_has_all_claims_of_the_old_one_but_its_id_and_dates() {
    for world in worlds(Setup::default()).await {
        let extra = json!({
            "aud": ["orders", "invoices"], "scope": "a b", "client_id": "runner", "nested": {"b": [1, null, "ü"], "a": 1.5},
            "large": u64::MAX, "ti": {"id": "0198"}, "empty": "", "no": null, "auth_time": NOW - 5,
        });
        let token = world.token(extra);
        let old = world.claims(&token).await;
        world.advance_to_seconds_left(100);
        let new = world.claims(&world.reissued(&token).await.unwrap()).await;
        let mut expected = old.clone();
        let now = NOW + LIFE - 100;
        expected.extend([
            ("iat".to_owned(), json!(now)),
            ("nbf".to_owned(), json!(now)),
            ("exp".to_owned(), json!(now + LIFE)),
            ("jti".to_owned(), new["jti"].clone()),
            ("sid".to_owned(), old["jti"].clone()),
            ("orig_iat".to_owned(), json!(NOW)),
        ]);
        assert_eq!(new, expected, "{:?}", world.framework);
        assert_ne!(new["jti"], old["jti"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_tokens_of_a_session_have_its_id_and_its_beginning() {
    for (first, expected) in [(json!({"jti": "1"}), "1"), (json!({"jti": "1", "sid": "s"}), "s")] {
        for world in worlds(Setup::default()).await {
            let mut token = world.token(first.clone());
            for _ in 0..3 {
                world.advance_to_seconds_left(100);
                token = world.reissued(&token).await.unwrap();
                let claims = world.claims(&token).await;
                assert_eq!(claims["sid"], json!(expected));
                assert_eq!(claims["orig_iat"], json!(NOW));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_the_session_ends_all_tokens_of_it() {
    for world in worlds(Setup::default()).await {
        let first = world.token(json!({"jti": "1"}));
        world.advance_to_seconds_left(100);
        let second = world.reissued(&first).await.unwrap();
        world.revoke(Revoked::Token("1".into())).await;
        assert_eq!(world.code(&first).await, Some("token_revoked"));
        // It is another token.
        assert_eq!(world.code(&second).await, None);
        world.advance_to_seconds_left(100);
        let third = world.reissued(&second).await.unwrap();
        world.revoke(Revoked::Session("1".into())).await;
        for token in [second, third] {
            assert_eq!(world.code(&token).await, Some("token_revoked"), "{:?}", world.framework);
        }
    }
}

/// A replica that does not know of a cut-off yet may have reissued a token after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_cut_off_applies_to_all_tokens_of_sessions_that_began_before_it() {
    // The cut-off, in seconds after the first token was issued.
    for (cut_off, is_revoked) in [(-1, false), (0, true), (1, true), (899, true), (2000, true)] {
        for world in worlds(Setup::default()).await {
            let first = world.token(json!({}));
            world.advance_to_seconds_left(100);
            let second = world.reissued(&first).await.unwrap();
            let cut_off = NumericDate::from_seconds(NOW + cut_off);
            world.revoke(Revoked::Subject("task-7".into(), cut_off)).await;
            let code = world.code(&second).await;
            assert_eq!(code.is_some(), is_revoked, "{:?}: {cut_off:?}", world.framework);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_at_its_greatest_age() {
    let setup = || Setup {
        reissuer: |reissuer| reissuer.max_session_age(Duration::from_secs(2500)),
        ..Setup::default()
    };
    for world in worlds(setup()).await {
        let mut token = world.token(json!({}));
        let mut expiries = Vec::new();
        for _ in 0..10 {
            world.advance(850);
            if world.code(&token).await.is_some() {
                break;
            }
            let Some(new) = world.reissued(&token).await else { continue };
            expiries.push(world.claims(&new).await["exp"].as_i64().unwrap() - NOW);
            token = new;
        }
        // The last one is shortened, and then there is none.
        assert_eq!(expiries, [1850, 2500], "{:?}", world.framework);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_age_of_a_session_counts_from_the_login_if_that_was_earlier() {
    let setup = || Setup {
        reissuer: |reissuer| reissuer.max_session_age(Duration::from_secs(2000)),
        ..Setup::default()
    };
    let rows = [
        (json!({}), Some(1900)),
        // The limit is 1 second after, at, and before the end of the new token and of the old one.
        (json!({"auth_time": NOW - 99}), Some(1900)),
        (json!({"auth_time": NOW - 100}), Some(1900)),
        (json!({"auth_time": NOW - 101}), Some(1899)),
        (json!({"auth_time": NOW - 999}), Some(1001)),
        (json!({"auth_time": NOW - 1000}), None),
        (json!({"auth_time": NOW - 1001}), None),
        (json!({"auth_time": NOW + 50}), Some(1900)),
        (json!({"orig_iat": NOW - 999}), Some(1001)),
        (json!({"orig_iat": NOW - 1000}), None),
        (json!({"orig_iat": NOW - 10, "auth_time": NOW - 999}), Some(1001)),
        (json!({"orig_iat": NOW - 999, "auth_time": NOW - 10}), Some(1001)),
        // What is no date is not taken for none.
        (json!({"auth_time": "yesterday"}), None),
        (json!({"orig_iat": "yesterday"}), None),
        (json!({"orig_iat": null}), None),
    ];
    for (claims, expected) in rows {
        for world in worlds(setup()).await {
            let token = world.token(claims.clone());
            world.advance_to_seconds_left(100);
            let expiry = match world.reissued(&token).await {
                Some(new) => world.claims(&new).await["exp"].as_i64().map(|expiry| expiry - NOW),
                None => None,
            };
            assert_eq!(expiry, expected, "{:?}: {claims}", world.framework);
        }
    }
}
