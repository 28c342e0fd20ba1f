//! Private keys in the store are encrypted.

use portcullis_mint::{SharedSigningKeysBuilder, SigningKeys, SigningKeysError, StoredKey};
use portcullis_testkit::MemoryKeyStore;

use crate::replica::{ROTATE_EVERY, Replica, RuntimeClock, builder, encryption_key, pass};

fn settings(store: &MemoryKeyStore) -> SharedSigningKeysBuilder {
    builder(store, RuntimeClock::new())
}

/// A store with the keys of a ring.
async fn filled() -> MemoryKeyStore {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let replica = Replica::start(&store, clock).await;
    pass(5).await;
    drop(replica);
    assert_eq!(store.keys().len(), 2);
    store
}

#[expect(clippy::needless_pass_by_value, reason = "callers pass what a call returns")]
fn require_unreadable(started: Result<SigningKeys, SigningKeysError>) {
    assert!(matches!(started, Err(SigningKeysError::Unreadable { .. })), "{started:?}");
}

#[tokio::test(start_paused = true)]
async fn no_private_key_is_readable_in_the_store() {
    let store = filled().await;
    for key in store.keys() {
        let text = String::from_utf8_lossy(&key.private_key).into_owned();
        assert!(!text.contains("PRIVATE KEY"), "{text}");
        assert!(!format!("{key:?}").contains(&format!("{:?}", key.private_key)));
    }
    assert!(settings(&store).start().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn another_encryption_key_reads_nothing() {
    let store = filled().await;
    require_unreadable(settings(&store).encryption_key(encryption_key(2)).start().await);
    let previous = settings(&store).encryption_key(encryption_key(2));
    require_unreadable(previous.previous_encryption_key(encryption_key(3)).start().await);
}

#[tokio::test(start_paused = true)]
async fn the_previous_encryption_key_reads_and_the_current_one_writes() {
    let store = filled().await;
    let keys = settings(&store)
        .encryption_key(encryption_key(2))
        .previous_encryption_key(encryption_key(1))
        .start()
        .await
        .unwrap();
    pass(ROTATE_EVERY.as_secs() * 5).await;
    drop(keys);
    // All that were encrypted with the previous one have left the store.
    assert!(settings(&store).encryption_key(encryption_key(2)).start().await.is_ok());
    require_unreadable(settings(&store).start().await);
}

#[tokio::test(start_paused = true)]
async fn a_ciphertext_under_another_key_id_is_rejected() {
    let store = filled().await;
    let mut keys = store.keys();
    let (one, other) = keys.split_at_mut(1);
    std::mem::swap(&mut one[0].private_key, &mut other[0].private_key);
    store.set_keys(keys);
    require_unreadable(settings(&store).start().await);
}

#[tokio::test(start_paused = true)]
async fn a_private_key_under_another_key_id_is_rejected_without_encryption_too() {
    let store = MemoryKeyStore::new(RuntimeClock::new());
    let clock = RuntimeClock::new();
    let plain_keys = SigningKeys::shared(store.clone()).dangerous_unencrypted().clock(clock);
    let keys = plain_keys.clone().start().await.unwrap();
    pass(10).await;
    drop(keys);
    let mut keys = store.keys();
    let (one, other) = keys.split_at_mut(1);
    std::mem::swap(&mut one[0].private_key, &mut other[0].private_key);
    store.set_keys(keys);
    require_unreadable(plain_keys.start().await);
}

#[tokio::test(start_paused = true)]
async fn a_changed_byte_anywhere_is_rejected() {
    let store = filled().await;
    let keys = store.keys();
    let len = keys[0].private_key.len();
    for (position, bit) in [(0, 1), (1, 1), (12, 128), (13, 1), (len / 2, 4), (len - 1, 1)] {
        let mut changed = keys.clone();
        changed[0].private_key[position] ^= bit;
        store.set_keys(changed);
        require_unreadable(settings(&store).start().await);
    }
    for short in [0, 1, 12, 13, 28, len - 1] {
        let mut changed = keys.clone();
        changed[0].private_key = changed[0].private_key[..short].into();
        store.set_keys(changed);
        require_unreadable(settings(&store).start().await);
    }
    store.set_keys(keys);
    assert!(settings(&store).start().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn nonces_are_new_for_each_key() {
    let store = filled().await;
    let keys = store.keys();
    assert_ne!(keys[0].private_key[1..13], keys[1].private_key[1..13]);
}

#[tokio::test(start_paused = true)]
async fn a_private_key_that_is_not_encrypted_is_rejected_unless_all_of_them_may_be() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    // As someone adds a key who can write to the store, and does not know the encryption key.
    let plain = SigningKeys::shared(store.clone()).dangerous_unencrypted().clock(clock);
    drop(plain.clone().start().await.unwrap());
    assert!(String::from_utf8_lossy(&store.keys()[0].private_key).contains("PRIVATE KEY"));
    require_unreadable(settings(&store).start().await);
    require_unreadable(settings(&store).dangerous_unencrypted().start().await);
    assert!(plain.start().await.is_ok());
    let encrypted = filled().await;
    let plain = SigningKeys::shared(encrypted).dangerous_unencrypted().clock(clock);
    require_unreadable(plain.start().await);
}

#[tokio::test(start_paused = true)]
async fn a_running_replica_keeps_its_keys_if_one_of_the_store_cannot_be_read() {
    let clock = RuntimeClock::new();
    let store = MemoryKeyStore::new(clock);
    let replica = Replica::start(&store, clock).await;
    let first = replica.mint().unwrap();
    let foreign = StoredKey::new("foreign", "EdDSA", [1; 64]);
    store.set_keys([store.keys(), vec![foreign]].concat());
    pass(10).await;
    assert_eq!(replica.mint().unwrap(), first);
    assert!(!replica.published().contains(&"foreign".to_owned()));
}
