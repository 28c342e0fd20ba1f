//! The end of what goes on after a request was judged.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use conformance::{AUDIENCE, NOW};
use portcullis::{AuthError, Authenticator, NumericDate, future::BoxFuture};

use crate::world::{KINDS, MODES, Mode, World};

fn poll(wait: &mut BoxFuture<'static, AuthError>) -> Option<&'static str> {
    match pin!(wait).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(error) => Some(error.kind().code()),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn a_wait_ends_when_the_token_is_revoked() {
    for mode in MODES {
        for kind in KINDS {
            let world = World::new();
            let auth = world.ready(mode).await;
            let token = world.token().build();
            let caller = world.patiently(auth.authenticate_token(&token)).await.unwrap();
            let mut wait = caller.principal().until_invalid();
            assert_eq!(poll(&mut wait), None);
            let other = world.entry(kind);
            let other = portcullis::revocation::Revocation::new("https://x.test", other.revoked);
            auth.revoke(&[other]).await.unwrap();
            assert_eq!(poll(&mut wait), None, "{mode:?} {kind}");
            auth.revoke(&[world.entry(kind)]).await.unwrap();
            assert_eq!(poll(&mut wait), Some("token_revoked"), "{mode:?} {kind}");
            // One that begins too late is over.
            assert_eq!(poll(&mut caller.principal().until_invalid()), Some("token_revoked"));
        }
    }
}

#[tokio::test]
async fn a_wait_ends_at_a_revocation_of_another_replica() {
    let world = World::new();
    let (auth, other) = (world.ready(Mode::Local).await, world.ready(Mode::Local).await);
    let token = world.token().build();
    let caller = auth.authenticate_token(&token).await.unwrap().principal().clone();
    let wait = tokio::spawn(async move { caller.until_invalid().await.kind().code() });
    other.revoke(&[world.entry("session")]).await.unwrap();
    for _ in 0..100 {
        world.pass(Duration::from_millis(100)).await;
    }
    assert!(wait.is_finished());
    assert_eq!(wait.await.unwrap(), "token_revoked");
}

#[tokio::test]
async fn a_wait_ends_with_the_token() {
    for with_revocations in [false, true] {
        let world = World::new();
        let builder = Authenticator::builder().issuer(world.trusted()).audience(AUDIENCE);
        let builder = builder.clock(world.clock.clone());
        let auth = match with_revocations {
            false => builder.build().unwrap(),
            true => builder.revocations(world.revocations(Mode::Local)).build().unwrap(),
        };
        auth.ready().await.unwrap();
        let caller = auth.authenticate_token(&world.token().build()).await.unwrap();
        let mut wait = caller.principal().until_invalid();
        world.clock.set(NumericDate::from_seconds(NOW + 3600 + 59));
        assert_eq!(poll(&mut wait), None);
        world.clock.set(NumericDate::from_seconds(NOW + 3600 + 60));
        assert_eq!(poll(&mut wait), Some("token_expired"), "{with_revocations}");
    }
}

#[tokio::test]
async fn a_wait_for_a_token_without_end_goes_on() {
    let world = World::new();
    let issuer = world.trusted().dangerous_optional_expiry();
    let auth = Authenticator::builder().issuer(issuer).audience(AUDIENCE);
    let auth = auth.clock(world.clock.clone()).build().unwrap();
    let token = world.token().without_claim("exp").build();
    let caller = auth.authenticate_token(&token).await.unwrap();
    let mut wait = caller.principal().until_invalid();
    world.clock.advance(Duration::from_secs(1_000_000_000));
    assert_eq!(poll(&mut wait), None);
}
