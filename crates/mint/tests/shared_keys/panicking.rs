//! A store that panics.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use portcullis::{future::BoxFuture, keys::KeySource};
use portcullis_jose::Algorithm;
use portcullis_mint::{
    SigningKeyStore, SigningKeyStoreError, SigningKeys, SigningKeysError, StoredKey, StoredKeys,
};
use portcullis_testkit::MemoryKeyStore;

use crate::replica::{
    MAX_LIFETIME, PUBLISH_AHEAD, ROTATE_EVERY, Replica, RuntimeClock, encryption_key, pass,
};

const WORKS: u8 = 0;
const PANICS_WHEN_CALLED: u8 = 1;
const PANICS_WHEN_POLLED: u8 = 2;

#[derive(Clone, Debug)]
struct Panicking {
    store: MemoryKeyStore,
    mode: Arc<AtomicU8>,
}

impl Panicking {
    fn set(&self, mode: u8) {
        self.mode.store(mode, Ordering::SeqCst);
    }

    fn answer<'a, T: 'a>(&'a self, answer: BoxFuture<'a, T>) -> BoxFuture<'a, T> {
        let mode = self.mode.load(Ordering::SeqCst);
        assert_ne!(mode, PANICS_WHEN_CALLED);
        Box::pin(async move {
            assert_ne!(mode, PANICS_WHEN_POLLED);
            answer.await
        })
    }
}

impl SigningKeyStore for Panicking {
    fn label(&self) -> &str {
        assert_eq!(self.mode.load(Ordering::SeqCst), WORKS);
        "panicking"
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), SigningKeyStoreError>> {
        self.store.prepare()
    }

    fn read(&self) -> BoxFuture<'_, Result<StoredKeys, SigningKeyStoreError>> {
        self.answer(self.store.read())
    }

    fn write<'a>(
        &'a self,
        keys: &'a [StoredKey],
        revision: i64,
    ) -> BoxFuture<'a, Result<bool, SigningKeyStoreError>> {
        self.answer(self.store.write(keys, revision))
    }

    fn lease<'a>(
        &'a self,
        replica: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<bool, SigningKeyStoreError>> {
        self.answer(self.store.lease(replica, duration))
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_is_unavailable_until_it_no_longer_does() {
    let clock = RuntimeClock::new();
    let store = Panicking { store: MemoryKeyStore::new(clock), mode: Arc::default() };
    let keys = SigningKeys::shared(store.clone())
        .encryption_key(encryption_key(1))
        .algorithm(Algorithm::EdDSA)
        .rotate_every(ROTATE_EVERY)
        .read_every(Duration::from_secs(1))
        .max_age(Duration::from_secs(5))
        .publish_ahead(PUBLISH_AHEAD)
        .max_lifetime(MAX_LIFETIME)
        .clock(clock);
    let replica = Replica::of(keys.start().await.unwrap(), clock);
    let first = replica.mint().unwrap();
    for mode in [PANICS_WHEN_CALLED, PANICS_WHEN_POLLED] {
        store.set(mode);
        pass(5).await;
        assert!(replica.keys.load(None).await.is_err(), "the keys were not read");
        assert_eq!(replica.mint().unwrap(), first);
        let error = replica.keys.rotate_now().await.unwrap_err();
        let is_unavailable = matches!(
            &error, SigningKeysError::Store(SigningKeyStoreError::Unavailable(text))
                if &**text == "the store of the signing keys panicked"
        );
        assert!(is_unavailable, "{error:?}");
        store.set(WORKS);
        pass(2).await;
        assert!(replica.keys.load(None).await.is_ok(), "the keys are read again");
    }
    pass(ROTATE_EVERY.as_secs()).await;
    assert_ne!(replica.mint().unwrap(), first, "keys are replaced again");
}
