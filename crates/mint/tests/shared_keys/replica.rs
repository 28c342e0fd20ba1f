//! Replicas of a service, and their clocks.

use std::time::Duration;

use portcullis::{NumericDate, clock::Clock};
use portcullis_jose::{Algorithm, JwkSet};
use portcullis_mint::{KeyEncryptionKey, MintError, Minter, SharedSigningKeysBuilder, SigningKeys};
use portcullis_testkit::MemoryKeyStore;
use serde_json::json;
use tokio::time::Instant;

pub(crate) const ROTATE_EVERY: Duration = Duration::from_secs(100);
pub(crate) const PUBLISH_AHEAD: Duration = Duration::from_secs(10);
pub(crate) const MAX_LIFETIME: Duration = Duration::from_secs(60);
/// How long it takes at most until all replicas and their engines have a key: three times the interval of reads, and
/// 2 s.
pub(crate) const SPREAD: Duration = Duration::from_secs(5);

/// Shows the time of the runtime, and some seconds more or less.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuntimeClock {
    start: Instant,
    offset: i64,
}

impl RuntimeClock {
    pub(crate) fn new() -> Self {
        Self { start: Instant::now(), offset: 0 }
    }

    pub(crate) fn ahead_by(self, offset: i64) -> Self {
        Self { offset, ..self }
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.start.elapsed()
    }
}

impl Clock for RuntimeClock {
    fn now(&self) -> NumericDate {
        let start = NumericDate::from_seconds(1_800_000_000 + self.offset);
        start.saturating_add(self.start.elapsed())
    }
}

pub(crate) struct Replica {
    pub(crate) keys: SigningKeys,
    minter: Minter,
}

impl Replica {
    pub(crate) async fn start(store: &MemoryKeyStore, clock: RuntimeClock) -> Self {
        Self::of(builder(store, clock).start().await.unwrap(), clock)
    }

    pub(crate) fn of(keys: SigningKeys, clock: RuntimeClock) -> Self {
        let minter = Minter::new(keys.clone()).issuer("own").lifetime(MAX_LIFETIME).clock(clock);
        Self { keys, minter }
    }

    /// Mints a token, and returns the id of the key that signed it.
    pub(crate) fn mint(&self) -> Result<String, MintError> {
        let token = self.token()?;
        let header = token.split('.').next().unwrap();
        let header = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(header).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
        Ok(header["kid"].as_str().unwrap().to_owned())
    }

    /// Mints a token.
    pub(crate) fn token(&self) -> Result<String, MintError> {
        let minted = self.minter.mint(&json!({"sub": "alice", "aud": "orders"}))?;
        Ok(minted.token().to_owned())
    }

    pub(crate) fn published(&self) -> Vec<String> {
        let set = JwkSet::from_json(self.keys.published().json()).unwrap();
        set.keys().iter().map(|key| key.id().unwrap().to_owned()).collect()
    }
}

pub(crate) fn builder(store: &MemoryKeyStore, clock: RuntimeClock) -> SharedSigningKeysBuilder {
    SigningKeys::shared(store.clone())
        .encryption_key(encryption_key(1))
        .algorithm(Algorithm::EdDSA)
        .rotate_every(ROTATE_EVERY)
        .read_every(Duration::from_secs(1))
        .max_age(Duration::from_secs(5))
        .publish_ahead(PUBLISH_AHEAD)
        .max_lifetime(MAX_LIFETIME)
        .clock(clock)
}

pub(crate) fn encryption_key(number: u8) -> KeyEncryptionKey {
    KeyEncryptionKey::from_bytes(&[number; 32]).unwrap()
}

/// Lets time go on.
pub(crate) async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
