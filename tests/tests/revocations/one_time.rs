//! Tokens that may be used once.

use std::sync::Arc;

use conformance::{AUDIENCE, Request};
use portcullis::{
    AuthErrorKind, Authenticator, AuthenticatorBuilder, ReloadableAuthenticator, TokenLocation,
    grant::ResolverConfig, strategy::Tenants,
};
use tokio::sync::Notify;

use crate::{
    store::State,
    world::{MODES, World},
};

fn one_time(world: &World) -> AuthenticatorBuilder {
    Authenticator::builder()
        .issuer(world.trusted().one_time())
        .audience(AUDIENCE)
        .clock(world.clock.clone())
        .replay_store(world.store.clone())
}

#[tokio::test]
async fn the_second_presentation_is_rejected() {
    let world = World::new();
    let auth = one_time(&world).build().unwrap();
    let other_replica = one_time(&world).build().unwrap();
    let token = world.token().build();
    assert_eq!(world.judge(&auth, &token).await, "ok");
    assert_eq!(world.judge(&auth, &token).await, "token_replayed");
    assert_eq!(world.judge(&other_replica, &token).await, "token_replayed");
    let other = world.token().claim("jti", "t2").build();
    assert_eq!(world.judge(&auth, &other).await, "ok");
}

#[tokio::test]
async fn a_token_needs_an_id_and_an_end() {
    let world = World::new();
    let auth = one_time(&world).build().unwrap();
    for name in ["jti", "exp"] {
        let token = world.token().without_claim(name).build();
        assert_eq!(world.judge(&auth, &token).await, "missing_claim", "{name}");
    }
    assert_eq!(world.store.consumed(), 0);
}

#[tokio::test]
async fn a_token_is_used_after_every_other_check() {
    let world = World::new();
    let revocations = world.revocations(crate::world::Mode::Local);
    let issuer = world.trusted().one_time().validate(|caller| match caller.subject() {
        "mallory" => Err(AuthErrorKind::WrongSubject.into()),
        _ => Ok(()),
    });
    let auth = world.builder_of(issuer, revocations).replay_store(world.store.clone());
    let auth = auth
        .with_grant_from(|caller| match caller.subject() {
            "bob" => Err(AuthErrorKind::SubjectDisabled.into()),
            _ => Ok(()),
        })
        .build()
        .unwrap();
    auth.ready().await.unwrap();
    auth.revoke(&[world.entry("session")]).await.unwrap();
    let judge = async |token: String| {
        let judged = world.patiently(auth.authenticate_token(&token)).await;
        judged.map_or_else(|error| error.kind().code(), |_| "ok")
    };
    assert_eq!(judge(world.token().build()).await, "token_revoked");
    let token = || world.token().claim("sid", "s2");
    assert_eq!(judge(token().expired().build()).await, "token_expired");
    assert_eq!(judge(token().subject("mallory").build()).await, "wrong_subject");
    assert_eq!(judge(token().subject("bob").build()).await, "subject_disabled");
    assert_eq!(world.store.consumed(), 0);
    assert_eq!(judge(token().build()).await, "ok");
    assert_eq!(judge(token().build()).await, "token_replayed");
    assert_eq!(world.store.consumed(), 2);
}

/// The route needs a second token, which is bad: the first one is not used up before all are judged.
#[tokio::test]
async fn a_token_is_used_when_all_tokens_of_the_request_are_good() {
    let world = World::new();
    let places = [TokenLocation::bearer(), TokenLocation::header("x-second")];
    let auth = one_time(&world).locations(places);
    let auth = auth.multiple_tokens(portcullis::MultipleTokens::All).build().unwrap();
    let (first, second) = (world.token().build(), world.token().claim("jti", "t2").build());
    let judge = async |second: &str| {
        let request = Request::new().bearer(&first).field("x-second", second.to_owned());
        let verdict = world.patiently(auth.authenticate(&request)).await;
        verdict.result.map_or_else(|error| error.kind().code(), |_| "ok")
    };
    assert_eq!(judge(&world.token().wrong_signature().build()).await, "signature_mismatch");
    assert_eq!(judge(&second).await, "ok");
    // Each of them is used now.
    assert_eq!(world.judge(&auth, &second).await, "token_replayed");
    assert_eq!(world.judge(&auth, &first).await, "token_replayed");
}

#[tokio::test]
async fn a_store_that_does_not_answer_rejects_the_request() {
    for state in [State::Slow, State::Gone, State::Unusable, State::Panics] {
        let world = World::new();
        let auth = one_time(&world).build().unwrap();
        world.store.set(state);
        let token = world.token().build();
        assert_eq!(world.judge(&auth, &token).await, "store_unavailable", "{state:?}");
        let now = auth.authenticate_token_now(&token).unwrap_err();
        assert_eq!(now.kind().code(), "store_unavailable", "{state:?}");
        world.store.set(State::Up);
        assert_eq!(world.judge(&auth, &token).await, "ok", "{state:?}");
    }
}

#[tokio::test]
async fn a_call_that_cannot_wait_uses_no_token() {
    let world = World::new();
    let auth = one_time(&world).build().unwrap();
    let token = world.token().build();
    auth.authenticate_token_now(&token).unwrap_err();
    let request = Request::new().bearer(&token);
    assert!(auth.authenticate_now(&request).result.is_err());
    assert_eq!(world.store.consumed(), 0);
    assert_eq!(world.judge(&auth, &token).await, "ok");
}

#[tokio::test]
async fn of_many_requests_at_once_one_is_accepted() {
    let world = World::new();
    let auth = one_time(&world).build().unwrap();
    let token = world.token().build();
    let requests = (0..50).map(|_| {
        let (auth, token) = (auth.clone(), token.clone());
        tokio::spawn(async move { auth.authenticate_token(&token).await.is_ok() })
    });
    let requests: Vec<_> = requests.collect();
    let mut accepted = 0;
    for request in requests {
        accepted += usize::from(request.await.unwrap());
    }
    assert_eq!(accepted, 1);
}

/// A reload while the grant is looked up: the new engine judges the request again, and that is no second use.
#[tokio::test]
async fn a_reload_does_not_use_a_token_twice() {
    let world = World::new();
    let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let engine = || {
        let (asked, go_on) = (Arc::clone(&asked), Arc::clone(&go_on));
        let resolver = ResolverConfig::new(move |_: portcullis::Principal| {
            let (asked, go_on) = (Arc::clone(&asked), Arc::clone(&go_on));
            async move {
                asked.notify_one();
                go_on.notified().await;
                Ok(())
            }
        });
        one_time(&world).with_resolver(resolver).build().unwrap()
    };
    let reloadable = ReloadableAuthenticator::new(engine());
    let handle = reloadable.authenticator();
    let token = world.token().build();
    let request = {
        let token = token.clone();
        tokio::spawn(async move { handle.authenticate_token(&token).await.map(|_| ()) })
    };
    asked.notified().await;
    reloadable.replace(engine()).await.unwrap();
    go_on.notify_one();
    asked.notified().await;
    go_on.notify_one();
    request.await.unwrap().unwrap();
    assert_eq!(world.store.consumed(), 1);
}

#[tokio::test]
async fn the_tokens_of_a_tenant_are_used_by_the_engine_that_has_the_store() {
    for mode in MODES {
        let world = World::new();
        let builder = || {
            let issuer = world.trusted().audience(AUDIENCE).one_time();
            let tenants = Tenants::new("tenants", move |_: String| {
                let issuer = issuer.clone();
                async move { Ok(Some(issuer)) }
            });
            Authenticator::builder()
                .strategy(tenants.clock(world.clock.clone()))
                .clock(world.clock.clone())
                .revocations(world.revocations(mode))
        };
        let auth = builder().replay_store(world.store.clone()).build().unwrap();
        auth.ready().await.unwrap();
        let token = world.token().build();
        assert_eq!(world.judge(&auth, &token).await, "ok", "{mode:?}");
        assert_eq!(world.judge(&auth, &token).await, "token_replayed", "{mode:?}");
        let without_store = builder().build().unwrap();
        without_store.ready().await.unwrap();
        let token = world.token().claim("jti", "t2").build();
        assert_eq!(world.judge(&without_store, &token).await, "untrusted_issuer", "{mode:?}");
    }
}
