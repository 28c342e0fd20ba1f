//! The keys in memory, and which of them signs.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use portcullis::clock::Clock;
use portcullis_jose::{NumericDate, SigningKey};

use super::{KeyTimes, PublishedKeys, shared::StoreTime};

/// How far the clocks of verifiers may differ: as long as the engine's default leeway.
pub(super) const LEEWAY: Duration = Duration::from_secs(60);

/// How many keys are published at most. Verifiers use no more than 100 of a set.
pub(super) const MAX_KEYS: usize = 50;

pub(super) struct Ring {
    /// Distinguishes this ring from others of the program.
    pub(super) identity: String,
    pub(super) keys: ArcSwap<Keys>,
    /// Locked while a key is added.
    pub(super) writing: Mutex<()>,
    pub(super) max_age: Duration,
    pub(super) publish_ahead: Duration,
    pub(super) max_lifetime: Duration,
    /// How long an engine uses the keys after the store was last read. `None` if there is no store.
    pub(super) max_stale: Option<Duration>,
    pub(super) clock: Arc<dyn Clock>,
}

/// At least one key, in the order in which they sign.
#[derive(Clone)]
pub(super) struct Keys {
    pub(super) oldest: RingKey,
    pub(super) later: Vec<RingKey>,
    /// The time of the store from which the keys were read: their times are of its clock. `None` if the keys are
    /// of this process alone.
    pub(super) store_time: Option<StoreTime>,
}

#[derive(Clone)]
pub(super) struct RingKey {
    pub(super) key: SigningKey,
    /// `None` for a secret.
    pub(super) public_jwk: Option<Arc<str>>,
    /// `None` if that is not decided yet.
    pub(super) signs_from: Option<NumericDate>,
    /// When the key is due to retire, whether there is a next one or not. `None` is never.
    pub(super) signs_until: Option<NumericDate>,
}

impl Ring {
    pub(super) fn new(
        keys: Keys,
        [max_age, publish_ahead, max_lifetime]: [Duration; 3],
        max_stale: Option<Duration>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        static RINGS: AtomicU64 = AtomicU64::new(0);
        Self {
            identity: format!("signing keys {}", RINGS.fetch_add(1, Ordering::Relaxed)),
            keys: ArcSwap::from_pointee(keys),
            writing: Mutex::default(),
            max_age,
            publish_ahead,
            max_lifetime,
            max_stale,
            clock,
        }
    }

    /// Returns the key that signs now. `Err` has the one that would, if it may not.
    pub(super) fn signing_key(&self) -> Result<SigningKey, SigningKey> {
        let keys = self.keys.load();
        let (earliest, latest) = match &keys.store_time {
            Some(time) => (time.earliest_to_begin(), time.latest(&*self.clock)),
            None => {
                let now = self.clock.now();
                (now, now)
            }
        };
        let mut later = keys.later.iter().rev();
        let current = later.find(|key| key.has_begun(earliest)).unwrap_or(&keys.oldest);
        let is_due = current.signs_until.is_some_and(|until| until <= latest);
        if is_due || !current.has_begun(earliest) {
            Err(current.key.clone())
        } else {
            Ok(current.key.clone())
        }
    }

    /// Returns the keys that verifiers need.
    pub(super) fn published_at(&self, now: NumericDate) -> Keys {
        let mut keys = Keys::clone(&self.keys.load());
        if keys.store_time.is_some() {
            // The store has only those.
            return keys;
        }
        let kept = self.max_lifetime.saturating_add(LEEWAY);
        // A key retires when the next one begins to sign.
        let is_over = |next: &&RingKey| {
            next.signs_from.is_some_and(|retired| retired.saturating_add(kept) <= now)
        };
        let over = keys.later.iter().take_while(is_over).count();
        if let Some(oldest) = keys.later.drain(..over).next_back() {
            keys.oldest = oldest;
        }
        keys
    }

    pub(super) fn published(&self) -> PublishedKeys {
        let keys = self.published_at(self.clock.now());
        let jwks = keys.iter().filter_map(|key| key.public_jwk.as_deref());
        // A client must not keep a document in which the next key may be missing.
        let max_age = if self.is_current() { self.max_age } else { Duration::ZERO };
        PublishedKeys::new(jwks, max_age)
    }

    /// Returns whether there is no store, or it was read recently.
    pub(super) fn is_current(&self) -> bool {
        let keys = self.keys.load();
        keys.store_time.as_ref().is_none_or(|time| time.is_recent(&*self.clock))
    }
}

impl Keys {
    pub(super) fn iter(&self) -> impl Iterator<Item = &RingKey> {
        [&self.oldest].into_iter().chain(&self.later)
    }
}

impl RingKey {
    pub(super) fn new(key: SigningKey, signs_from: NumericDate) -> Self {
        let public_jwk = key.public_jwk().map(Arc::from);
        Self { public_jwk, key, signs_from: Some(signs_from), signs_until: None }
    }

    pub(super) fn stored(key: SigningKey, times: Option<KeyTimes>) -> Self {
        Self {
            public_jwk: key.public_jwk().map(Arc::from),
            key,
            signs_from: times.map(|times| times.signs_from),
            signs_until: times.map(|times| times.signs_until),
        }
    }

    fn has_begun(&self, now: NumericDate) -> bool {
        self.signs_from.is_some_and(|from| from <= now)
    }
}
