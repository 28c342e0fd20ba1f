//! Rotation by schedule and on demand.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use portcullis::{NumericDate, clock::Clock};
use portcullis_jose::{Algorithm, SigningKey};
use portcullis_mint::{MintError, SigningKeyStore, SigningKeys, SigningKeysError};
use portcullis_testkit::{MemoryKeyStore, store_suite};
use tokio::time::Instant;

use crate::replica::{
    MAX_LIFETIME, PUBLISH_AHEAD, ROTATE_EVERY, Replica, RuntimeClock, SPREAD, builder, pass,
};

const STEP: Duration = Duration::from_millis(500);

#[tokio::test]
async fn the_store_in_memory_passes_the_suite() {
    let handles = std::cell::RefCell::new(Vec::<MemoryKeyStore>::new());
    store_suite::signing_keys(async || {
        // Two handles share the keys of one property.
        let mut handles = handles.borrow_mut();
        let handle = match handles.last() {
            Some(first) if handles.len() % 2 == 1 => first.connect(),
            _ => MemoryKeyStore::new(portcullis::clock::SystemClock::default()),
        };
        handles.push(handle.clone());
        handle
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn replicas_that_start_at_once_agree_on_the_first_key_and_sign_with_it() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let starts: Vec<_> = (0..5)
        .map(|_| {
            let store = store.connect();
            tokio::spawn(async move { Replica::start(&store, clock).await })
        })
        .collect();
    let mut signing = BTreeSet::new();
    for start in starts {
        signing.insert(start.await.unwrap().mint().unwrap());
    }
    assert_eq!(signing.len(), 1);
    assert_eq!(store.keys().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_published_by_all_before_it_signs_and_until_its_last_token_has_expired() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let mut replicas = Vec::new();
    // The clocks of two are 30 s off.
    for offset in [0, 0, 30, -30, 0] {
        replicas.push(Replica::start(&store.connect(), clock.ahead_by(offset)).await);
    }
    let first = replicas[0].mint().unwrap();
    // When each key was first published by all, and when it last signed.
    let mut published: HashMap<String, Instant> = HashMap::new();
    let mut signed: HashMap<String, Instant> = HashMap::new();
    let (start, end) = (Instant::now(), ROTATE_EVERY * 6);
    while start.elapsed() < end {
        let sets: Vec<_> = replicas.iter().map(Replica::published).collect();
        for id in sets[0].iter().filter(|id| sets.iter().all(|set| set.contains(id))) {
            published.entry(id.clone()).or_insert_with(Instant::now);
        }
        for replica in &replicas {
            let id = replica.mint().unwrap();
            let since = published.get(&id).expect("all replicas publish the key").elapsed();
            assert!(id == first || since >= PUBLISH_AHEAD, "{id} signs after {since:?}");
            signed.insert(id, Instant::now());
        }
        // The last token of a key, as long as verifiers accept it: its life and the leeway of a minute. The clock
        // of the replica that minted it may be 30 s ahead.
        let accepted = MAX_LIFETIME + Duration::from_secs(90);
        for (id, at) in &signed {
            let is_published = sets.iter().all(|set| set.contains(id));
            assert!(is_published || at.elapsed() > accepted, "{id} is missing");
        }
        tokio::time::sleep(STEP).await;
    }
    assert_eq!(signed.len(), 6, "a key each 100 s");
    assert!(store.keys().len() <= 5, "retired keys leave the store: {:?}", store.keys());
}

#[tokio::test(start_paused = true)]
async fn a_next_key_that_is_known_signs_at_once_on_demand_and_a_new_one_when_all_know_it() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let (one, other) =
        (Replica::start(&store, clock).await, Replica::start(&store.connect(), clock).await);
    let first = one.mint().unwrap();
    pass(30).await;
    let signs_from = one.keys.rotate_now().await.unwrap();
    assert!(signs_from <= clock.now(), "the next key was published long ago");
    let second = one.mint().unwrap();
    assert_ne!(second, first);
    pass(2).await;
    assert_eq!(other.mint().unwrap(), second);
    // The third one was just made, so it must be published first.
    let signs_from = other.keys.rotate_now().await.unwrap();
    let wait = signs_from.saturating_since(clock.now());
    assert!(wait > PUBLISH_AHEAD, "{wait:?}");
    assert!(wait <= PUBLISH_AHEAD + SPREAD, "{wait:?}");
    assert_eq!(other.mint().unwrap(), second);
    tokio::time::sleep(wait + Duration::from_secs(1)).await;
    let third = one.mint().unwrap();
    assert!(third != second && other.mint().unwrap() == third);
    assert!(one.published().contains(&first), "its tokens may live");
}

#[tokio::test(start_paused = true)]
async fn a_removed_key_signs_no_more_and_is_not_published() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let (one, other) =
        (Replica::start(&store, clock).await, Replica::start(&store.connect(), clock).await);
    pass(30).await;
    let stolen = one.mint().unwrap();
    one.keys.remove(&stolen).await.unwrap();
    // The next key was published long ago.
    let second = one.mint().unwrap();
    assert!(second != stolen && !one.published().contains(&stolen));
    pass(2).await;
    assert!(other.mint().unwrap() == second && !other.published().contains(&stolen));
    assert_eq!(one.keys.remove(&stolen).await, Err(SigningKeysError::Unknown));
}

#[tokio::test(start_paused = true)]
async fn the_only_key_can_be_removed_and_the_one_that_replaces_it_is_published_first() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let replica = Replica::start(&store, clock).await;
    let stolen = replica.mint().unwrap();
    replica.keys.remove(&stolen).await.unwrap();
    let published = replica.published();
    assert_eq!(published.len(), 1);
    let mut waited = 0;
    while matches!(replica.mint(), Err(MintError::NoSigningKey)) {
        pass(1).await;
        waited += 1;
    }
    assert!(waited >= PUBLISH_AHEAD.as_secs(), "it signs after {waited} s");
    assert!(waited <= (PUBLISH_AHEAD + SPREAD).as_secs() + 1, "it signs after {waited} s");
    assert_eq!(published, [replica.mint().unwrap()]);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_a_replica_that_was_killed_is_used_by_the_next_one() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let killed = Replica::start(&store.connect(), clock).await;
    assert!(store.lease("killed", Duration::from_secs(3)).await.unwrap());
    // It was killed after it has added a key, before that had its times. Nobody knows when it was added.
    let next = made_by(&store, clock).await;
    drop(killed);
    let replica = Replica::start(&store.connect(), clock).await;
    assert_ne!(replica.mint().unwrap(), next);
    pass(ROTATE_EVERY.as_secs() + 10).await;
    assert_eq!(replica.mint().unwrap(), next);
    assert!(store.keys().iter().all(|key| key.times.is_some()));
}

/// Adds a key to the store as a replica does that is killed then. Returns its id.
async fn made_by(store: &MemoryKeyStore, clock: RuntimeClock) -> String {
    let other = MemoryKeyStore::new(clock);
    drop(Replica::start(&other, clock).await);
    let mut key = other.keys().remove(0);
    key.times = None;
    let id = key.id.to_string();
    store.set_keys([store.keys(), vec![key]].concat());
    id
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_the_last_clone() {
    let clock = RuntimeClock::new();
    let store = Arc::new(MemoryKeyStore::new(clock));
    let keys = SigningKeys::shared(Arc::clone(&store)).dangerous_unencrypted().clock(clock);
    let keys = keys.start().await.unwrap();
    let clone = keys.clone();
    drop(keys);
    pass(20).await;
    assert!(Arc::strong_count(&store) > 1);
    drop(clone);
    pass(20).await;
    assert_eq!(Arc::strong_count(&store), 1);
}

#[tokio::test(start_paused = true)]
async fn shared_keys_are_made_by_the_ring_alone() {
    let clock = RuntimeClock::new();
    let replica = Replica::start(&MemoryKeyStore::new(clock), clock).await;
    let own = SigningKey::generate(Algorithm::EdDSA).unwrap();
    assert_eq!(replica.keys.rotate(own), Err(SigningKeysError::Shared));
}

#[tokio::test]
async fn keys_without_a_store_rotate_on_demand_too() {
    let keys = SigningKeys::new(SigningKey::generate(Algorithm::ES384).unwrap());
    let signs_from = keys.rotate_now().await.unwrap();
    assert!(signs_from > NumericDate::EPOCH);
    assert_eq!(keys.published().json().matches("ES384").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn another_algorithm_takes_effect_with_the_next_key() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    drop(Replica::start(&store, clock).await);
    let keys = builder(&store, clock).algorithm(Algorithm::ES256).start().await.unwrap();
    assert_eq!(keys.current().algorithm(), Algorithm::EdDSA);
    pass(ROTATE_EVERY.as_secs() + 10).await;
    assert_eq!(keys.current().algorithm(), Algorithm::ES256);
}

#[tokio::test(start_paused = true)]
async fn a_replaced_key_is_published_as_if_it_had_signed_until_it_was_due_unless_it_is_removed() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let replica = Replica::start(&store, clock).await;
    let first = replica.mint().unwrap();
    pass(50).await;
    replica.keys.rotate_now().await.unwrap();
    let second = replica.mint().unwrap();
    assert_ne!(second, first);
    let kept = MAX_LIFETIME + Duration::from_secs(120);
    let last = (ROTATE_EVERY + SPREAD + kept).as_secs();
    pass(last - 50 - 2).await;
    assert!(replica.published().contains(&first));
    pass(5).await;
    assert!(!replica.published().contains(&first));
    assert!(replica.published().contains(&second));
    replica.keys.remove(&second).await.unwrap();
    assert!(!replica.published().contains(&second));
}
