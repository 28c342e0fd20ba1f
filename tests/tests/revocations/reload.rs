//! An engine that is replaced: nothing that was revoked is forgotten.

use std::sync::Arc;

use portcullis::{
    ConfigError, ReloadableAuthenticator, grant::ResolverConfig, revocation::Revocations,
};
use tokio::sync::Notify;

use crate::{
    store::State,
    world::{KINDS, MODES, Mode, World},
};

#[tokio::test]
async fn a_new_engine_knows_what_the_old_one_knew() {
    for kind in KINDS {
        let world = World::new();
        let old = world.builder_of(world.trusted(), Revocations::memory()).build().unwrap();
        old.ready().await.unwrap();
        old.revoke(&[world.entry(kind)]).await.unwrap();
        let reloadable = ReloadableAuthenticator::new(old);
        let handle = reloadable.authenticator();
        for _ in 0..2 {
            // Another store: the one in memory is empty.
            let new = world.builder_of(world.trusted(), Revocations::memory()).build().unwrap();
            reloadable.replace(new).await.unwrap();
            let token = world.token().build();
            assert_eq!(world.judge(&handle, &token).await, "token_revoked", "{kind}");
        }
    }
}

#[tokio::test]
async fn a_new_engine_is_not_used_before_its_revocations_are_loaded() {
    let world = World::new();
    for mode in MODES {
        let plain = portcullis::Authenticator::builder()
            .issuer(world.trusted())
            .audience(conformance::AUDIENCE)
            .clock(world.clock.clone());
        let reloadable = ReloadableAuthenticator::new(plain.build().unwrap());
        let handle = reloadable.authenticator();
        let token = world.token().build();
        for state in [State::Gone, State::Slow] {
            world.store.set(state);
            let replaced = reloadable.replace(world.builder(mode).build().unwrap());
            let error = world.patiently(replaced).await.unwrap_err();
            assert!(matches!(error, ConfigError::RevocationsNotLoaded(_)), "{error}");
            assert_eq!(world.judge(&handle, &token).await, "ok", "{mode:?} {state:?}");
        }
        world.store.set(State::Up);
        reloadable.replace(world.builder(mode).build().unwrap()).await.unwrap();
        assert_eq!(world.judge(&handle, &token).await, "ok", "{mode:?}");
        handle.revoke(&[world.entry("token")]).await.unwrap();
        assert_eq!(world.judge(&handle, &token).await, "token_revoked", "{mode:?}");
        let again = world.token().claim("jti", format!("{mode:?}")).build();
        assert_eq!(world.judge(&handle, &again).await, "ok", "{mode:?}");
        // For the other mode.
        drop(reloadable);
        drop(handle);
        world.store.set(State::Up);
        if mode == Mode::Local {
            return Box::pin(the_same_for_strict()).await;
        }
    }
}

async fn the_same_for_strict() {
    let world = World::new();
    world.store.set(State::Gone);
    let old = portcullis::Authenticator::builder()
        .issuer(world.trusted())
        .audience(conformance::AUDIENCE)
        .clock(world.clock.clone());
    let reloadable = ReloadableAuthenticator::new(old.build().unwrap());
    let replaced = reloadable.replace(world.builder(Mode::Strict).build().unwrap());
    world.patiently(replaced).await.unwrap_err();
}

/// The same handle in both engines: its task goes on, and the new engine is ready at once.
#[tokio::test]
async fn engines_can_share_their_revocations() {
    let world = World::new();
    let revocations = world.revocations(Mode::Local);
    let engine = || world.builder_of(world.trusted(), revocations.clone()).build().unwrap();
    let first = engine();
    first.ready().await.unwrap();
    let second = engine();
    second.health().unwrap();
    first.revoke(&[world.entry("token")]).await.unwrap();
    let token = world.token().build();
    assert_eq!(world.judge(&second, &token).await, "token_revoked");
    drop(first);
    let other = world.token().claim("jti", "t2").build();
    world.pass(crate::world::STALE * 2).await;
    world.until(&second, &other, "ok").await;
}

/// The rights of a caller are looked up while its token is revoked.
#[tokio::test]
async fn a_revocation_wins_over_a_request_that_waits() {
    let world = World::new();
    let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let resolver = {
        let (asked, go_on) = (Arc::clone(&asked), Arc::clone(&go_on));
        ResolverConfig::new(move |_: portcullis::Principal| {
            let (asked, go_on) = (Arc::clone(&asked), Arc::clone(&go_on));
            async move {
                asked.notify_one();
                go_on.notified().await;
                Ok(())
            }
        })
    };
    let auth = world.builder(Mode::Local).with_resolver(resolver).build().unwrap();
    auth.ready().await.unwrap();
    let request = {
        let (auth, token) = (auth.clone(), world.token().build());
        tokio::spawn(async move { auth.authenticate_token(&token).await.map(|_| ()) })
    };
    asked.notified().await;
    auth.revoke(&[world.entry("session")]).await.unwrap();
    go_on.notify_one();
    assert_eq!(request.await.unwrap().unwrap_err().kind().code(), "token_revoked");
}
