use std::sync::atomic::{AtomicI64, Ordering};

use portcullis::{Authenticator, Issuer, clock::Clock, keys::KeySource};
use portcullis_jose::{Algorithm, JwkSet};
use serde_json::json;

use super::{builder::MAX_AGE, *};
use crate::{MintError, Minter};

const START: i64 = 1_800_000_000;

#[derive(Clone, Debug)]
struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }

    fn set(&self, seconds: i64) {
        self.0.store(START + seconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> NumericDate {
        NumericDate::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::EdDSA).unwrap()
}

/// Keys that are published 600 s before they sign, for tokens of at most 3,600 s.
fn ring(clock: &ManualClock) -> (SigningKeys, SigningKey) {
    let first = key();
    (SigningKeys::builder(first.clone()).clock(clock.clone()).build().unwrap(), first)
}

fn id(key: &SigningKey) -> String {
    key.key_id().unwrap().to_owned()
}

fn published(keys: &SigningKeys) -> Vec<String> {
    let set = JwkSet::from_json(keys.published().json()).unwrap();
    set.keys().iter().map(|key| key.id().unwrap().to_owned()).collect()
}

#[test]
fn a_key_is_published_before_it_signs_and_until_its_last_token_has_expired() {
    let clock = ManualClock::new();
    let (keys, first) = ring(&clock);
    assert_eq!((id(&keys.current()), published(&keys)), (id(&first), vec![id(&first)]));
    let next = key();
    assert_eq!(keys.rotate(next.clone()), Ok(NumericDate::from_seconds(START + 600)));
    let both = vec![id(&first), id(&next)];
    for (seconds, signs, expected) in [
        (0, &first, &both),
        (599, &first, &both),
        (600, &next, &both),
        // The last token of the first key was signed just before 600, for 3,600 s, and verifiers allow 60 s.
        (600 + 3600 + 59, &next, &both),
        (600 + 3600 + 60, &next, &vec![id(&next)]),
    ] {
        clock.set(seconds);
        assert_eq!((&id(&keys.current()), &published(&keys)), (&id(signs), expected), "{seconds}");
    }
}

#[test]
fn keys_that_are_added_early_sign_in_their_order() {
    let clock = ManualClock::new();
    let (keys, first) = ring(&clock);
    let (second, third) = (key(), key());
    keys.rotate(second.clone()).unwrap();
    clock.set(-1000);
    assert_eq!(id(&keys.current()), id(&first));
    // The clock was set back: without care the third key would sign before the second one.
    let signs_from = keys.rotate(third.clone()).unwrap();
    assert_eq!(signs_from, NumericDate::from_seconds(START + 600));
    clock.set(600);
    assert_eq!(id(&keys.current()), id(&third));
    assert_eq!(published(&keys), [id(&first), id(&second), id(&third)]);
}

#[test]
fn a_key_that_cannot_be_added_changes_nothing() {
    let clock = ManualClock::new();
    let (keys, first) = ring(&clock);
    assert_eq!(keys.rotate(first.clone()), Err(SigningKeysError::Duplicate));
    let secret = SigningKey::generate(Algorithm::HS256).unwrap().with_key_id("s");
    assert_eq!(keys.rotate(secret), Err(SigningKeysError::Secret));
    for _ in 1..MAX_KEYS {
        keys.rotate(key()).unwrap();
    }
    assert_eq!(keys.rotate(key()), Err(SigningKeysError::TooMany));
    assert_eq!(published(&keys).len(), MAX_KEYS);
    assert_eq!(id(&keys.current()), id(&first));
    let ahead = SigningKeys::builder(key()).publish_ahead(Duration::from_secs(299)).build();
    assert!(matches!(ahead.unwrap_err(), SigningKeysError::PublishAhead { .. }));
}

#[test]
fn no_token_outlives_the_publication_of_its_key() {
    let clock = ManualClock::new();
    let (keys, _) = ring(&clock);
    let minter = Minter::new(keys).clock(clock);
    let mint = |claims| minter.mint(&claims).map(|_| ());
    assert!(mint(json!({"exp": START + 3600})).is_ok());
    for exp in [json!(START + 3601), json!("soon"), json!(f64::MAX)] {
        let rejected = mint(json!({ "exp": exp })).unwrap_err();
        assert!(matches!(rejected, MintError::LifetimeTooLong { .. }), "{rejected}");
    }
    let long = minter.clone().lifetime(Duration::from_secs(3601)).mint(&json!({}));
    assert!(matches!(long.unwrap_err(), MintError::LifetimeTooLong { .. }));
    // A lone key has no such limit.
    assert!(Minter::new(key()).mint(&json!({"exp": START * 2})).is_ok());
}

#[test]
fn the_document_has_public_halves_only_and_changes_its_etag_with_its_keys() {
    let clock = ManualClock::new();
    let (keys, _) = ring(&clock);
    let before = keys.published();
    assert_eq!(keys.published(), before);
    assert_eq!(before.max_age(), MAX_AGE);
    keys.rotate(key()).unwrap();
    let after = keys.published();
    assert_ne!(before.etag(), after.etag());
    assert!(after.etag().starts_with('"') && after.etag().ends_with('"'));
    assert!(!after.json().contains("\"d\""), "{}", after.json());
    let secret = SigningKey::generate(Algorithm::HS256).unwrap();
    assert_eq!(SigningKeys::from(secret).published().json(), r#"{"keys":[]}"#);
}

#[tokio::test]
async fn an_engine_that_reads_the_ring_accepts_tokens_of_each_key() {
    let (keys, _) = ring(&ManualClock::new());
    let keys_clock = ManualClock::new();
    let keys = SigningKeys::builder(keys.current()).clock(keys_clock.clone()).build().unwrap();
    keys.rotate(key()).unwrap();
    let auth = Authenticator::builder()
        .issuer(Issuer::new("own").key_source(keys.clone()))
        .audience("orders")
        .clock(keys_clock.clone())
        .build()
        .unwrap();
    auth.ready().await.unwrap();
    let minter = Minter::new(keys.clone()).issuer("own").clock(keys_clock.clone());
    for seconds in [0, 601] {
        keys_clock.set(seconds);
        let minted = minter.mint(&json!({"sub": "alice", "aud": "orders"})).unwrap();
        assert!(auth.authenticate_token_now(minted.token()).is_ok(), "{seconds}");
    }
    assert_ne!(keys.identity(), ring(&keys_clock).0.identity());
}
