//! What comes of a request when the store or the clock fails, in both modes. Each cell has its verdict.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

use conformance::NOW;
use portcullis::{
    Authenticator, NumericDate,
    revocation::{Revocation, Revoked, StoreError},
};

use crate::{
    store::State,
    world::{ISSUER, MODES, Mode, STALE, World, settle},
};

/// What is seen of one fault in one mode.
#[derive(Debug, Eq, PartialEq)]
struct Row {
    /// A token that was not revoked.
    good: &'static str,
    /// One that was revoked before the fault.
    revoked: &'static str,
    /// What a call that revokes returns.
    revoke: &'static str,
    /// The same as `good`, when the fault has lasted longer than the largest staleness.
    good_later: &'static str,
    revoked_later: &'static str,
    /// The token of the call above, when the fault is over.
    after: &'static str,
}

const OK: &str = "ok";
const REVOKED: &str = "token_revoked";
const UNAVAILABLE: &str = "store_unavailable";

/// The replica goes on with what it knows, until that is too old.
const FROM_MEMORY: Row = Row {
    good: OK,
    revoked: REVOKED,
    revoke: "failed",
    good_later: UNAVAILABLE,
    revoked_later: REVOKED,
    after: OK,
};

/// Each request needs the store; memory only rejects.
const REJECTED: Row = Row { good: UNAVAILABLE, ..FROM_MEMORY };

#[tokio::test]
async fn a_slow_store() {
    // The caller limits how long a call that revokes may take.
    require(State::Slow, Mode::Local, Row { revoke: "waits", ..FROM_MEMORY }).await;
    require(State::Slow, Mode::Strict, Row { revoke: "waits", ..REJECTED }).await;
}

#[tokio::test]
async fn a_store_that_is_gone() {
    require(State::Gone, Mode::Local, FROM_MEMORY).await;
    require(State::Gone, Mode::Strict, REJECTED).await;
}

#[tokio::test]
async fn a_store_with_a_newer_schema() {
    require(State::Unusable, Mode::Local, FROM_MEMORY).await;
    require(State::Unusable, Mode::Strict, REJECTED).await;
}

#[tokio::test]
async fn a_store_that_is_full() {
    // It answers all the same: only the call that revokes fails, and says so.
    for mode in MODES {
        require(State::Full, mode, Row { good_later: OK, ..FROM_MEMORY }).await;
    }
}

#[tokio::test]
async fn a_clock_that_is_set_forward_or_back() {
    for offset in [-86_400_i64, -3_600, 3_600, 80_000] {
        for mode in MODES {
            let world = World::new();
            let auth = world.ready(mode).await;
            auth.revoke(&[entry("before")]).await.unwrap();
            world.clock.set(NumericDate::from_seconds(NOW + offset));
            // The revocations in memory look too old, until the store is read again.
            let at_once = if mode == Mode::Local { UNAVAILABLE } else { OK };
            let judged = world.judge(&auth, &token(&world, "good")).await;
            assert_eq!(judged, at_once, "{mode:?} {offset}");
            assert_eq!(world.judge(&auth, &token(&world, "before")).await, REVOKED);
            world.until(&auth, &token(&world, "good"), OK).await;
            auth.revoke(&[entry("after")]).await.unwrap();
            for jti in ["before", "after"] {
                let judged = world.judge(&auth, &token(&world, jti)).await;
                assert_eq!(judged, REVOKED, "{mode:?} {offset} {jti}");
            }
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_memory_younger() {
    for step in [10, 40, 3_600] {
        let world = World::new();
        let auth = world.ready(Mode::Local).await;
        world.store.set(State::Gone);
        world.pass(Duration::from_secs(40)).await;
        let back = portcullis::clock::Clock::now(&world.clock);
        world.clock.set(back.saturating_sub(Duration::from_secs(step)));
        world.pass(Duration::from_secs(25)).await;
        let judged = world.judge(&auth, &token(&world, "good")).await;
        assert_eq!(
            judged, UNAVAILABLE,
            "the store is gone for 65 s, and the clock was set back by {step} s"
        );
    }
}

#[tokio::test]
async fn a_clock_that_was_set_past_the_end_of_a_token_and_back_brings_it_not_back() {
    for mode in MODES {
        let world = World::new();
        let auth = world.ready(mode).await;
        let entry = entry("before").until(NumericDate::from_seconds(NOW + 90_060));
        auth.revoke(&[entry]).await.unwrap();
        world.clock.set(NumericDate::from_seconds(NOW + 200_000));
        // Long enough for a clean-up of memory and of the store.
        world.pass(Duration::from_secs(70)).await;
        assert_eq!(world.judge(&auth, &token(&world, "before")).await, "token_expired");
        world.clock.set(NumericDate::from_seconds(NOW));
        world.until(&auth, &token(&world, "good"), OK).await;
        assert_eq!(world.judge(&auth, &token(&world, "before")).await, REVOKED, "{mode:?}");
        // Nor in a replica that starts now.
        let other = world.ready(mode).await;
        assert_eq!(world.judge(&other, &token(&world, "before")).await, REVOKED, "{mode:?}");
    }
}

async fn require(state: State, mode: Mode, expected: Row) {
    let world = World::new();
    let auth = world.ready(mode).await;
    auth.revoke(&[entry("before")]).await.unwrap();
    world.store.set(state);
    let (good, revoked) = judge(&world, &auth).await;
    let revoke = revoke(&auth).await;
    world.pass(STALE + Duration::from_secs(5)).await;
    let (good_later, revoked_later) = judge(&world, &auth).await;
    world.store.set(State::Up);
    world.until(&auth, &token(&world, "good"), OK).await;
    let after = world.judge(&auth, &token(&world, "during")).await;
    let seen = Row { good, revoked, revoke, good_later, revoked_later, after };
    assert_eq!(seen, expected, "{state:?} {mode:?}");
}

async fn judge(world: &World, auth: &Authenticator) -> (&'static str, &'static str) {
    let good = world.judge(auth, &token(world, "good")).await;
    (good, world.judge(auth, &token(world, "before")).await)
}

async fn revoke(auth: &Authenticator) -> &'static str {
    let entries = [entry("during")];
    match soon(auth.revoke(&entries)).await {
        None => "waits",
        Some(Ok(())) => "revoked",
        Some(Err(_)) => "failed",
    }
}

/// Returns the value of a future that needs no time.
async fn soon(
    future: impl Future<Output = Result<(), StoreError>>,
) -> Option<Result<(), StoreError>> {
    let mut future = pin!(future);
    for _ in 0..100 {
        let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(value) = polled {
            return Some(value);
        }
        settle().await;
    }
    None
}

fn entry(jti: &str) -> Revocation {
    Revocation::new(ISSUER, Revoked::Token(jti.into()))
}

/// A token that is valid for a day before and after now.
fn token(world: &World, jti: &str) -> String {
    let token = world.token().claim("jti", jti).claim("sid", jti);
    let token = token.claim("iat", NOW - 90_000).claim("nbf", NOW - 90_000);
    token.claim("exp", NOW + 90_000).build()
}
