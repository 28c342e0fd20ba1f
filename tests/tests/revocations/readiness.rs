//! Whether an engine is ready, and its tasks.

use std::time::Duration;

use conformance::AUDIENCE;
use portcullis::Authenticator;

use crate::{
    store::State,
    world::{MODES, Mode, STALE, World, settle},
};

#[tokio::test]
async fn an_engine_is_ready_when_its_revocations_are_loaded() {
    for mode in MODES {
        let world = World::new();
        let auth = world.builder(mode).build().unwrap();
        assert!(auth.health().is_err(), "{mode:?}");
        let probe = auth.respond_to_probe("GET");
        assert_eq!((probe.status, probe.body), (503, "not ready"));
        assert!(!auth.revocation_status().unwrap().is_loaded);
        auth.ready().await.unwrap();
        auth.health().unwrap();
        assert_eq!(auth.respond_to_probe("GET").status, 200);
        let status = auth.revocation_status().unwrap();
        assert!(status.is_loaded && status.is_current && status.error.is_none(), "{status:?}");
        auth.revoke(&[world.entry("token")]).await.unwrap();
        assert_eq!(auth.revocation_status().unwrap().entries, 1);
    }
}

#[tokio::test]
async fn an_engine_is_not_ready_while_the_store_fails() {
    for (mode, state) in [(Mode::Local, State::Gone), (Mode::Strict, State::Unusable)] {
        let world = World::new();
        world.store.set(state);
        let auth = world.builder(mode).build().unwrap();
        let error = world.patiently(auth.ready()).await.unwrap_err();
        assert_eq!(error.issuer(), None);
        assert!(error.to_string().ends_with("(store `test`)"), "{error}");
        let cause = std::error::Error::source(&error).expect("a cause").to_string();
        let expected = if state == State::Gone { "connection refused" } else { "schema is newer" };
        assert!(cause.contains(expected), "{cause}");
        assert!(auth.health().is_err());
        world.store.set(State::Up);
        for _ in 0..600 {
            if auth.health().is_ok() {
                break;
            }
            world.pass(Duration::from_millis(100)).await;
        }
        auth.health().unwrap();
        auth.ready().await.unwrap();
    }
}

#[tokio::test]
async fn an_engine_is_unhealthy_when_its_memory_is_stale() {
    let world = World::new();
    let auth = world.ready(Mode::Local).await;
    world.store.set(State::Gone);
    world.pass(STALE + Duration::from_secs(10)).await;
    let status = auth.revocation_status().unwrap();
    assert!(status.is_loaded && !status.is_current && status.error.is_some(), "{status:?}");
    assert!(status.age.unwrap() > STALE, "{status:?}");
    assert!(auth.health().is_err());
}

#[tokio::test]
async fn an_engine_is_ready_when_the_store_of_used_tokens_is_prepared() {
    let world = World::new();
    let auth = Authenticator::builder()
        .issuer(world.trusted().one_time())
        .audience(AUDIENCE)
        .clock(world.clock.clone())
        .replay_store(world.store.clone())
        .build()
        .unwrap();
    for state in [State::Gone, State::Slow, State::Unusable] {
        world.store.set(state);
        let error = world.patiently(auth.ready()).await.unwrap_err();
        assert_eq!(error.to_string(), "the store of used tokens is not ready (store `test`)");
    }
    world.store.set(State::Up);
    auth.ready().await.unwrap();
}

#[test]
fn a_task_is_started_again_when_its_runtime_went_away() {
    let world = World::new();
    let auth = world.builder(Mode::Local).build().unwrap();
    let token = world.token().build();
    let runtime =
        || tokio::runtime::Builder::new_current_thread().build().expect("a runtime of a test");
    // Outside of a runtime nothing is read.
    assert_eq!(auth.authenticate_token_now(&token).unwrap_err().kind().code(), "store_unavailable");
    runtime().block_on(async {
        auth.ready().await.unwrap();
        assert_eq!(world.judge(&auth, &token).await, "ok");
    });
    runtime().block_on(async {
        world.pass(STALE * 2).await;
        world.until(&auth, &token, "ok").await;
        let revoked = world.entry("token");
        portcullis::revocation::RevocationStore::add(&world.store, &[revoked]).await.unwrap();
        world.until(&auth, &token, "token_revoked").await;
    });
}

#[tokio::test]
async fn nothing_is_read_after_a_shutdown() {
    let world = World::new();
    let auth = world.ready(Mode::Local).await;
    let token = world.token().build();
    auth.shutdown().await;
    auth.start();
    settle().await;
    assert_eq!(world.judge(&auth, &token).await, "ok");
    world.pass(STALE + Duration::from_secs(10)).await;
    assert_eq!(world.judge(&auth, &token).await, "store_unavailable");
}

#[test]
fn a_runtime_without_timers_is_an_error_and_no_endless_wait() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let issuer = portcullis_testkit::TestIssuer::new("https://idp.test");
        let auth = Authenticator::builder()
            .issuer(issuer.trusted())
            .audience(AUDIENCE)
            .revocations(portcullis::revocation::Revocations::memory())
            .build()
            .unwrap();
        let error = auth.ready().await.unwrap_err();
        let cause = std::error::Error::source(&error).expect("a cause").to_string();
        assert!(cause.contains("enable_time"), "{cause}");
    });
}
