//! Tokens of the service's own, and settings that cannot be.

use std::{
    collections::HashSet,
    thread::{self, ThreadId},
};

use portcullis::{Authenticator, Issuer};
use portcullis_jose::{Algorithm, SigningKey};
use serde_json::json;

use super::*;
use crate::{MintError, Minter};

fn minter(algorithm: Algorithm) -> (Minter, Issuer) {
    let key = SigningKey::generate(algorithm).unwrap();
    let issuer = Issuer::new("workers").key(key.verification_key().unwrap());
    (Minter::new(key).issuer("workers").token_type("at+jwt"), issuer)
}

#[tokio::test]
async fn minted_tokens_hold_and_are_renewed_with_the_same_claims() {
    // One that signs here, and one that signs in a thread of its own.
    for algorithm in [Algorithm::ES256, Algorithm::RS256] {
        let (minter, issuer) = minter(algorithm);
        let clock = Moved::new();
        let auth = Authenticator::builder().issuer(issuer).audience("orders").clock(clock.clone());
        let auth = auth.build().unwrap();
        let claims = json!({"sub": "worker-7", "aud": "orders", "tier": "gold"});
        let token = built(RenewingToken::minted(minter, &claims), &clock);
        let mut ids = Vec::new();
        for life in 0..3 {
            clock.set(life * 600_000);
            let issued = token.token().await.unwrap();
            assert_eq!(issued.expiry(), Some(clock.now().saturating_add(Duration::from_secs(600))));
            let caller = auth.authenticate_token_now(issued.token()).unwrap();
            let principal = caller.principal();
            assert_eq!(principal.subject(), "worker-7");
            assert_eq!(principal.claim::<String>("tier").unwrap().as_deref(), Some("gold"));
            assert_eq!(principal.expires_at(), issued.expiry());
            ids.push(principal.token_id().unwrap().to_owned());
        }
        ids.dedup();
        assert_eq!(ids.len(), 3);
    }
}

#[tokio::test]
async fn the_life_of_the_minter_and_its_clock_hold_unless_others_are_given() {
    let life = async |builder: RenewingTokenBuilder| {
        let token = builder.build().unwrap().token().await.unwrap();
        token.expiry().unwrap().seconds() - START
    };
    let clock = Moved::new();
    let (minter, _) = minter(Algorithm::EdDSA);
    let minter = minter.clock(clock.clone());
    let of = |minter: &Minter| RenewingToken::minted(minter.clone(), &json!({"sub": "a"}));
    assert_eq!(life(of(&minter)).await, 600);
    let minter = minter.lifetime(Duration::from_secs(300));
    assert_eq!(life(of(&minter)).await, 300);
    assert_eq!(life(of(&minter).lifetime(Duration::from_secs(120))).await, 120);
    let other = Moved::new();
    other.set(5_000);
    assert_eq!(life(of(&minter).clock(other)).await, 305);
}

#[test]
fn a_margin_that_leaves_no_life_is_a_mistake() {
    let (minter, _) = minter(Algorithm::EdDSA);
    let build = |lifetime: Duration, margin: Duration| {
        let builder = RenewingToken::minted(minter.clone(), &json!({}));
        builder.lifetime(lifetime).margin(margin).build()
    };
    let seconds = Duration::from_secs;
    for (lifetime, margin) in [
        (seconds(60), seconds(60)),
        (seconds(59), seconds(60)),
        (Duration::from_millis(60_900), seconds(60)),
        (Duration::from_millis(900), Duration::ZERO),
        (Duration::ZERO, Duration::ZERO),
    ] {
        let rejected = build(lifetime, margin).unwrap_err();
        assert!(matches!(rejected, MintError::MarginTooLong { .. }), "{lifetime:?} {margin:?}");
        assert!(rejected.to_string().contains("`margin(…)`"), "{rejected}");
    }
    build(seconds(61), seconds(60)).unwrap();
    let other = RenewingToken::from_source(Scripted::new([])).margin(seconds(600)).build();
    assert!(matches!(other, Err(MintError::MarginTooLong { .. })));
}

#[test]
fn claims_that_cannot_be_those_of_every_token_are_a_mistake() {
    let (minter, _) = minter(Algorithm::EdDSA);
    let build = |claims| RenewingToken::minted(minter.clone(), &claims).build();
    for name in ["exp", "iat", "nbf", "jti"] {
        let rejected = build(json!({"sub": "a", name: 1})).unwrap_err();
        assert!(rejected.to_string().contains(name), "{rejected}");
        build(json!({"sub": "a", name: null})).unwrap();
    }
    assert!(matches!(build(json!([1])), Err(MintError::InvalidClaims { .. })));
}

#[test]
fn without_a_runtime_a_token_is_minted_by_the_clock_of_the_system() {
    let (minter, _) = minter(Algorithm::RS256);
    let token = RenewingToken::minted(minter, &json!({"sub": "a"})).build().unwrap();
    let mut call = std::pin::pin!(token.token());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(minted) = call.as_mut().poll(&mut context) else {
        panic!("minting waits for nothing")
    };
    assert_eq!(minted.unwrap().token().split('.').count(), 3);
}

/// Keeps the threads that ask for the time, of which the one that mints is one.
#[derive(Clone, Debug, Default)]
struct Threads(Arc<Mutex<HashSet<ThreadId>>>);

impl Clock for Threads {
    fn now(&self) -> NumericDate {
        self.0.lock().unwrap().insert(thread::current().id());
        NumericDate::from_seconds(START)
    }
}

#[tokio::test]
async fn rsa_signs_in_a_thread_of_its_own_and_the_others_do_not() {
    for (algorithm, threads) in
        [(Algorithm::RS256, 2), (Algorithm::PS512, 2), (Algorithm::ES256, 1), (Algorithm::EdDSA, 1)]
    {
        let (minter, _) = minter(algorithm);
        let clock = Threads::default();
        let builder = RenewingToken::minted(minter, &json!({"sub": "a"})).clock(clock.clone());
        builder.build().unwrap().token().await.unwrap();
        assert_eq!(clock.0.lock().unwrap().len(), threads, "{algorithm}");
    }
}
