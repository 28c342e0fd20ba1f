//! Every kind, in both modes, with a store that is up, slow or gone.

use std::time::Duration;

use portcullis::{
    Algorithm, NumericDate,
    revocation::{Revocation, RevocationStore, Revoked},
};

use conformance::NOW;

use crate::{
    store::State,
    world::{ISSUER, KINDS, MODES, Mode, STALE, TIMEOUT, World},
};

#[tokio::test]
async fn each_kind_is_rejected_at_once_where_it_was_revoked() {
    for mode in MODES {
        for kind in KINDS {
            let world = World::new();
            let auth = world.ready(mode).await;
            let token = world.token().build();
            assert_eq!(world.judge(&auth, &token).await, "ok", "{mode:?} {kind}");
            auth.revoke(&[world.entry(kind)]).await.unwrap();
            assert_eq!(world.judge(&auth, &token).await, "token_revoked", "{mode:?} {kind}");
            // Also without a wait, and while the store is gone.
            world.store.set(State::Gone);
            let now = auth.authenticate_token_now(&token).unwrap_err();
            assert_eq!(now.kind().code(), "token_revoked", "{mode:?} {kind}");
        }
    }
}

#[tokio::test]
async fn each_kind_is_rejected_where_another_replica_revoked_it() {
    for mode in MODES {
        for kind in KINDS {
            let world = World::new();
            let auth = world.ready(mode).await;
            let token = world.token().build();
            RevocationStore::add(&world.store, &[world.entry(kind)]).await.unwrap();
            if mode == Mode::Local {
                // Within the poll, and the time that the task needs.
                world.pass(Duration::from_millis(1_500)).await;
            }
            assert_eq!(world.judge(&auth, &token).await, "token_revoked", "{mode:?} {kind}");
        }
    }
}

#[tokio::test]
async fn other_tokens_are_accepted() {
    for mode in MODES {
        let world = World::new();
        let auth = world.ready(mode).await;
        let others = KINDS.map(|kind| {
            let entry = world.entry(kind);
            let id = format!("{}x", entry.revoked.id());
            let revoked = Revoked::from_parts(kind, &id, entry.revoked.issued_until()).unwrap();
            Revocation::new(ISSUER, revoked)
        });
        auth.revoke(&others).await.unwrap();
        let elsewhere = KINDS.map(|kind| {
            let Revocation { revoked, .. } = world.entry(kind);
            Revocation::new("https://another.test", revoked)
        });
        auth.revoke(&elsewhere).await.unwrap();
        assert_eq!(world.judge(&auth, &world.token().build()).await, "ok", "{mode:?}");
    }
}

#[tokio::test]
async fn a_cut_off_revokes_what_was_issued_up_to_its_second() {
    for mode in MODES {
        for kind in ["subject", "client"] {
            let world = World::new();
            let auth = world.ready(mode).await;
            auth.revoke(&[world.entry(kind)]).await.unwrap();
            let issued = |at: f64| world.token().claim("iat", at).build();
            for (token, expected) in [
                (issued(1_799_999_999.0), "token_revoked"),
                (issued(1_800_000_000.0), "token_revoked"),
                (issued(1_800_000_000.5), "token_revoked"),
                (issued(1_800_000_001.0), "ok"),
                (world.token().without_claim("iat").build(), "token_revoked"),
            ] {
                assert_eq!(world.judge(&auth, &token).await, expected, "{mode:?} {kind}");
            }
        }
    }
}

#[tokio::test]
async fn the_client_is_the_authorized_party_where_no_client_is_named() {
    for mode in MODES {
        let world = World::new();
        let auth = world.ready(mode).await;
        auth.revoke(&[world.entry("client")]).await.unwrap();
        let token = || world.token().without_claim("client_id");
        for (token, expected) in [
            (token().claim("azp", "c1"), "token_revoked"),
            (token().claim("azp", "c2"), "ok"),
            (token().claim("client_id", "c2").claim("azp", "c1"), "ok"),
            (token(), "ok"),
        ] {
            assert_eq!(world.judge(&auth, &token.build()).await, expected, "{mode:?}");
        }
    }
}

#[tokio::test]
async fn only_the_revoked_key_of_an_issuer_is_locked_out() {
    for mode in MODES {
        let world = World::new();
        let auth = world.ready(mode).await;
        auth.revoke(&[world.entry("key")]).await.unwrap();
        assert_eq!(world.judge(&auth, &world.token().build()).await, "token_revoked");
        let other = world.token().algorithm(Algorithm::EdDSA).build();
        assert_eq!(world.judge(&auth, &other).await, "ok", "{mode:?}");
    }
}

#[tokio::test]
async fn a_token_without_an_id_is_rejected_unless_it_is_allowed_by_name() {
    for mode in MODES {
        let world = World::new();
        let strict = world.ready(mode).await;
        let revocations = world.revocations(mode).allow_missing_jti();
        let lenient = world.builder_of(world.trusted(), revocations.clone()).build().unwrap();
        lenient.ready().await.unwrap();
        let issuer = world.trusted().require_jti();
        let required = world.builder_of(issuer, revocations).build().unwrap();
        for token in [world.token().without_claim("jti"), world.token().claim("jti", ())] {
            let token = token.build();
            assert_eq!(world.judge(&strict, &token).await, "missing_claim", "{mode:?}");
            assert_eq!(world.judge(&required, &token).await, "missing_claim", "{mode:?}");
        }
        let token = world.token().without_claim("jti").build();
        assert_eq!(world.judge(&lenient, &token).await, "ok", "{mode:?}");
        for kind in ["subject", "session", "client", "key"] {
            let world = World::new();
            let revocations = world.revocations(mode).allow_missing_jti();
            let auth = world.builder_of(world.trusted(), revocations).build().unwrap();
            auth.ready().await.unwrap();
            auth.revoke(&[world.entry(kind)]).await.unwrap();
            let token = world.token().without_claim("jti").build();
            assert_eq!(world.judge(&auth, &token).await, "token_revoked", "{mode:?} {kind}");
        }
    }
}

#[tokio::test]
async fn an_id_of_another_type_is_an_error() {
    for (mode, name) in MODES.into_iter().flat_map(|mode| ["jti", "sid"].map(|name| (mode, name))) {
        let world = World::new();
        let auth = world.ready(mode).await;
        let token = world.token().claim(name, 7).build();
        for entry in [None, Some("key")] {
            if entry.is_some() {
                auth.revoke(&[Revocation::new(ISSUER, Revoked::Token("x".into()))]).await.unwrap();
            }
            assert_eq!(world.judge(&auth, &token).await, "malformed_claim", "{mode:?} {name}");
        }
    }
}

#[tokio::test]
async fn nothing_is_accepted_before_the_revocations_are_loaded() {
    for state in [State::Slow, State::Gone, State::Unusable, State::Panics] {
        let world = World::new();
        world.store.set(state);
        let auth = world.builder(Mode::Local).build().unwrap();
        auth.start();
        crate::world::settle().await;
        let token = world.token().build();
        assert_eq!(world.judge(&auth, &token).await, "store_unavailable", "{state:?}");
        // It has a bad signature whatever was revoked.
        let forged = world.token().wrong_signature().build();
        assert_eq!(world.judge(&auth, &forged).await, "signature_mismatch", "{state:?}");
        world.store.set(State::Up);
        world.until(&auth, &token, "ok").await;
    }
}

#[tokio::test]
async fn a_strict_engine_needs_the_answer_of_the_store() {
    for state in [State::Slow, State::Gone, State::Unusable, State::Panics] {
        let world = World::new();
        let auth = world.ready(Mode::Strict).await;
        let token = world.token().build();
        world.store.set(state);
        let begun = portcullis::clock::Clock::now(&world.clock);
        assert_eq!(world.judge(&auth, &token).await, "store_unavailable", "{state:?}");
        let waited = portcullis::clock::Clock::now(&world.clock).saturating_since(begun);
        assert!(waited <= TIMEOUT + Duration::from_millis(10), "{state:?}: {waited:?}");
        world.store.set(State::Up);
        assert_eq!(world.judge(&auth, &token).await, "ok", "{state:?}");
        // One question for each request.
        let before = world.store.found();
        assert_eq!(world.judge(&auth, &token).await, "ok");
        assert_eq!(world.store.found() - before, 1);
    }
}

#[tokio::test]
async fn a_strict_engine_does_not_accept_without_waiting() {
    let world = World::new();
    let auth = world.ready(Mode::Strict).await;
    let error = auth.authenticate_token_now(&world.token().build()).unwrap_err();
    assert_eq!(error.kind().code(), "store_unavailable");
}

#[tokio::test]
async fn a_local_engine_goes_on_without_the_store_until_its_memory_is_stale() {
    for state in [State::Slow, State::Gone, State::Unusable, State::Panics] {
        let world = World::new();
        let auth = world.ready(Mode::Local).await;
        let token = world.token().build();
        world.store.set(state);
        world.pass(STALE - Duration::from_secs(5)).await;
        assert_eq!(world.judge(&auth, &token).await, "ok", "{state:?}");
        world.pass(Duration::from_secs(15)).await;
        assert_eq!(world.judge(&auth, &token).await, "store_unavailable", "{state:?}");
        // What was revoked is still known.
        let known = world.token().claim("jti", "known").build();
        assert_eq!(world.judge(&auth, &known).await, "store_unavailable", "{state:?}");
        world.store.set(State::Up);
        world.until(&auth, &token, "ok").await;
    }
}

#[tokio::test]
async fn a_revocation_that_the_store_did_not_take_is_an_error_and_holds_nowhere() {
    for mode in MODES {
        let world = World::new();
        let auth = world.ready(mode).await;
        world.store.set(State::Gone);
        auth.revoke(&[world.entry("token")]).await.unwrap_err();
        world.store.set(State::Up);
        assert_eq!(world.judge(&auth, &world.token().build()).await, "ok", "{mode:?}");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_brings_no_revoked_token_back() {
    for mode in MODES {
        for offset in [-86_400_i64, -3_600, -60, 60, 3_000] {
            let world = World::new();
            let auth = world.ready(mode).await;
            auth.revoke(&[auth.revocation(ISSUER, Revoked::Token("t1".into()))]).await.unwrap();
            world.clock.set(NumericDate::from_seconds(NOW + offset));
            world.pass(Duration::from_secs(3)).await;
            let token = world.token().claim("iat", NOW - 90_000).claim("nbf", NOW - 90_000);
            let token = token.claim("exp", NOW + 90_000).build();
            assert_eq!(world.judge(&auth, &token).await, "token_revoked", "{mode:?} {offset}");
        }
    }
}
