//! Replicas that cannot read the store, and a store that has lost its keys.

use std::time::Duration;

use portcullis::{AuthErrorKind, Authenticator, Issuer, keys::KeySource};
use portcullis_mint::{MintError, SigningKeysError};
use portcullis_testkit::MemoryKeyStore;

use crate::replica::{
    MAX_LIFETIME, PUBLISH_AHEAD, ROTATE_EVERY, Replica, RuntimeClock, SPREAD, builder, pass,
};

#[tokio::test(start_paused = true)]
async fn a_replica_that_cannot_read_the_store_keeps_its_key_until_that_is_due_to_retire() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let (cut_off, other) = (store.connect(), Replica::start(&store.connect(), clock).await);
    let replica = Replica::start(&cut_off, clock).await;
    let first = replica.mint().unwrap();
    pass(30).await;
    assert_eq!(replica.published().len(), 2, "it has the next key");
    cut_off.cut();
    // The others begin with the next key. This one must not: the key may have been removed.
    pass(ROTATE_EVERY.as_secs() - 30 + 2).await;
    let second = other.mint().unwrap();
    assert_ne!(second, first);
    assert_eq!(replica.mint().unwrap(), first);
    pass(SPREAD.as_secs()).await;
    assert!(matches!(replica.mint(), Err(MintError::NoSigningKey)));
    assert!(other.published().contains(&first), "its last tokens are accepted");
    // It goes on as soon as it can read the store.
    cut_off.heal();
    pass(2).await;
    assert_eq!(replica.mint().unwrap(), second);
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_reads_the_store_again_in_time_fails_no_token() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let replica = Replica::start(&store, clock).await;
    pass(5).await;
    let first = replica.mint().unwrap();
    store.cut();
    pass(60).await;
    assert_eq!(replica.mint().unwrap(), first);
    store.heal();
    for _ in 0..ROTATE_EVERY.as_secs() {
        pass(1).await;
        replica.mint().unwrap();
    }
    assert_ne!(replica.mint().unwrap(), first);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_away_for_several_rotations_is_usable_at_once() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let replicas =
        [Replica::start(&store, clock).await, Replica::start(&store.clone(), clock).await];
    pass(5).await;
    let old = replicas[0].published();
    store.cut();
    pass(ROTATE_EVERY.as_secs() * 5).await;
    for replica in &replicas {
        assert!(matches!(replica.mint(), Err(MintError::NoSigningKey)));
    }
    store.heal();
    // The key that was due to retire long ago signs until the next one may, which must be published first.
    pass(2).await;
    let late = replicas[0].mint().unwrap();
    let mut published = 0;
    for _ in 0..30 {
        pass(1).await;
        let signing = replicas.each_ref().map(|replica| replica.mint().unwrap());
        let is_replaced = signing.iter().any(|id| *id != late);
        assert!(!is_replaced || published >= PUBLISH_AHEAD.as_secs(), "after {published} s");
        published += u64::from(replicas[0].published().iter().any(|id| !old.contains(id)));
    }
    assert_ne!(replicas[0].mint().unwrap(), late);
    assert_eq!(replicas[0].mint().unwrap(), replicas[1].mint().unwrap());
}

#[tokio::test(start_paused = true)]
async fn keys_that_may_be_incomplete_are_no_source_and_are_not_cached_by_clients() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let replica = Replica::start(&store, clock).await;
    let max_age = replica.keys.published().max_age();
    assert!(max_age.as_secs() > 0 && replica.keys.load(None).await.is_ok());
    store.cut();
    pass(5).await;
    assert_eq!(replica.keys.published().max_age().as_secs(), 0);
    assert!(replica.keys.load(None).await.is_err());
    store.heal();
    pass(2).await;
    assert_eq!(replica.keys.published().max_age(), max_age);
    assert!(replica.keys.load(None).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_engine_accepts_what_a_replica_signs_also_if_the_store_is_away_for_more_than_a_day() {
    let rotate_every = Duration::from_secs(30 * 3600);
    let read_every = Duration::from_secs(30);
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let builder = builder(&store, clock).rotate_every(rotate_every).read_every(read_every);
    let keys = builder.start().await.unwrap();
    let replica = Replica::of(keys, clock);
    let auth = Authenticator::builder()
        .issuer(Issuer::new("own").key_source(replica.keys.clone()))
        .audience("orders")
        .clock(clock)
        .build()
        .unwrap();
    auth.ready().await.unwrap();
    store.cut();
    let mut last = replica.token().unwrap();
    // Until the key is due to retire.
    while let Ok(token) = replica.token() {
        auth.authenticate_token_now(&token).unwrap();
        last = token;
        pass(if clock.elapsed() < rotate_every { 600 } else { 1 }).await;
    }
    assert!(clock.elapsed() >= rotate_every);
    pass(MAX_LIFETIME.as_secs() - 2).await;
    auth.authenticate_token_now(&last).unwrap();
    // Then no key that it knows has a token that has not expired, unless others have signed it.
    pass(24 * 3600).await;
    let error = auth.authenticate_token_now(&last).unwrap_err();
    assert_eq!(error.kind(), AuthErrorKind::KeysUnavailable);
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_was_suspended_stops_by_its_own_clock() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let replica_clock = portcullis_testkit::ManualClock::at(portcullis::clock::Clock::now(&clock));
    let keys = builder(&store, clock).clock(replica_clock.clone()).start().await.unwrap();
    let replica = Replica::of(keys, clock);
    replica.mint().unwrap();
    // The monotonic clock of the machine did not go on.
    replica_clock.advance(ROTATE_EVERY + SPREAD);
    assert!(matches!(replica.mint(), Err(MintError::NoSigningKey)));
    pass(2).await;
    replica.mint().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_emptied_store_takes_no_key_from_a_ring_and_gets_none_from_it() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let replica = Replica::start(&store, clock).await;
    let first = replica.mint().unwrap();
    store.set_keys(Vec::new());
    pass(20).await;
    assert_eq!(replica.mint().unwrap(), first);
    assert!(store.keys().is_empty());
    assert_eq!(replica.keys.rotate_now().await, Err(SigningKeysError::Lost));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_an_error_at_the_start() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    store.cut();
    let started = builder(&store, clock).start().await;
    assert!(matches!(started, Err(SigningKeysError::Store(_))));
}
