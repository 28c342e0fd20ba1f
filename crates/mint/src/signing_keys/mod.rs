//! The keys that a service signs with, one after the other.

mod key_source;
mod published;
#[cfg(test)]
mod tests;

use std::{
    error::Error,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use portcullis::clock::{Clock, SystemClock};
use portcullis_jose::{NumericDate, SigningKey, VerificationKey};

pub use published::PublishedKeys;

/// How long clients may keep the published keys, unless configured otherwise.
const MAX_AGE: Duration = Duration::from_secs(300);

/// The longest lifetime of a token, unless configured otherwise.
const MAX_LIFETIME: Duration = Duration::from_secs(3600);

/// How far the clocks of verifiers may differ: as long as the engine's default leeway.
const LEEWAY: Duration = Duration::from_secs(60);

/// How many keys are published at most. Verifiers use no more than 100 of a set.
const MAX_KEYS: usize = 50;

/// The keys that a service signs with: the current one, the next one, and retired ones.
///
/// A new key must be known to every verifier before the first token is signed with it, and a retired key must
/// be known until its last token has expired. So each key has three times:
///
/// ```text
///  rotate(next)          publish_ahead later       the next key signs       max_lifetime + 60 s later
///       │                        │                        │                        │
///       ├── published ───────────┼── published ───────────┼── published ───────────┤ not published
///                                └── signs ───────────────┘
/// ```
///
/// [`Minter::new`](crate::Minter::new) accepts it in place of one key. As a [`KeySource`](portcullis::keys::KeySource)
/// it gives an engine of the same program the keys, and [`published`](Self::published) is the JWK Set for other
/// services. Cloning is cheap, and clones share the keys. It holds no task: which key signs depends on the clock
/// alone.
///
/// # Examples
///
/// ```
/// use portcullis_jose::{Algorithm, SigningKey};
/// use portcullis_mint::{Minter, SigningKeys};
/// use serde_json::json;
///
/// let keys = SigningKeys::new(SigningKey::generate(Algorithm::ES256)?);
/// let minter = Minter::new(keys.clone()).issuer("https://orders.example.com");
///
/// let signs_from = keys.rotate(SigningKey::generate(Algorithm::ES256)?)?;
/// assert_eq!(keys.published().json().matches("\"kid\"").count(), 2);
/// let minted = minter.mint(&json!({"sub": "worker-7", "aud": "orders"}))?; // still signed with the first key
/// # let _ = (signs_from, minted);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SigningKeys {
    ring: Arc<Ring>,
}

struct Ring {
    /// Distinguishes this ring from others of the program.
    identity: String,
    keys: ArcSwap<Keys>,
    /// Locked while a key is added.
    writing: Mutex<()>,
    max_age: Duration,
    publish_ahead: Duration,
    max_lifetime: Duration,
    clock: Arc<dyn Clock>,
}

/// At least one key, in the order in which they sign.
#[derive(Clone)]
struct Keys {
    oldest: RingKey,
    later: Vec<RingKey>,
}

#[derive(Clone)]
struct RingKey {
    key: SigningKey,
    /// `None` for a secret.
    public_jwk: Option<Arc<str>>,
    signs_from: NumericDate,
}

impl SigningKeys {
    /// Starts with a key that signs at once, and the default settings.
    #[must_use]
    pub fn new(current: SigningKey) -> Self {
        Self::start(SigningKeysBuilder::new(current), MAX_AGE.saturating_mul(2))
    }

    /// Starts the configuration of a ring, with a key that signs at once.
    pub fn builder(current: SigningKey) -> SigningKeysBuilder {
        SigningKeysBuilder::new(current)
    }

    fn start(settings: SigningKeysBuilder, publish_ahead: Duration) -> Self {
        let oldest = RingKey::new(settings.current, NumericDate::EPOCH);
        static RINGS: AtomicU64 = AtomicU64::new(0);
        let ring = Ring {
            identity: format!("signing keys {}", RINGS.fetch_add(1, Ordering::Relaxed)),
            keys: ArcSwap::from_pointee(Keys { oldest, later: Vec::new() }),
            writing: Mutex::default(),
            max_age: settings.max_age,
            publish_ahead,
            max_lifetime: settings.max_lifetime,
            clock: settings.clock,
        };
        Self { ring: Arc::new(ring) }
    }

    /// Returns the key that signs now.
    #[must_use]
    pub fn current(&self) -> SigningKey {
        let keys = self.ring.keys.load();
        let now = self.ring.clock.now();
        let mut later = keys.later.iter().rev();
        later.find(|key| key.signs_from <= now).unwrap_or(&keys.oldest).key.clone()
    }

    /// Publishes the next key now, and lets it sign as soon as every verifier knows it. Returns when that is.
    /// Retired keys whose last token has expired are dropped.
    ///
    /// # Errors
    ///
    /// [`SigningKeysError`]; nothing has changed then.
    pub fn rotate(&self, next: SigningKey) -> Result<NumericDate, SigningKeysError> {
        let ring = &*self.ring;
        if next.public_jwk().is_none() {
            return Err(SigningKeysError::Secret);
        }
        let _writing = ring.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let now = ring.clock.now();
        let mut keys = ring.published_at(now);
        if keys.iter().any(|key| key.key.key_id() == next.key_id()) {
            return Err(SigningKeysError::Duplicate);
        }
        if keys.iter().count() >= MAX_KEYS {
            return Err(SigningKeysError::TooMany);
        }
        // Keys sign in the order in which they were added, also after a clock step into the past.
        let latest = keys.later.last().map_or(NumericDate::EPOCH, |key| key.signs_from);
        let signs_from = now.saturating_add(ring.publish_ahead).max(latest);
        keys.later.push(RingKey::new(next, signs_from));
        ring.keys.store(Arc::new(keys));
        Ok(signs_from)
    }

    /// Returns the longest lifetime of a token.
    #[must_use]
    pub fn max_lifetime(&self) -> Duration {
        self.ring.max_lifetime
    }

    /// Returns whether a key is the public half of a published key, or the secret.
    pub(crate) fn are_verified_by(&self, key: &VerificationKey) -> bool {
        self.ring.published_at(self.ring.clock.now()).iter().any(|own| own.key.is_verified_by(key))
    }

    /// Returns the public keys that verifiers need now, as a JWK Set. Secrets are not part of it.
    #[must_use]
    pub fn published(&self) -> PublishedKeys {
        let keys = self.ring.published_at(self.ring.clock.now());
        let jwks = keys.iter().filter_map(|key| key.public_jwk.as_deref());
        PublishedKeys::new(jwks, self.ring.max_age)
    }
}

/// A key that is never replaced, for tokens of any lifetime.
impl From<SigningKey> for SigningKeys {
    fn from(key: SigningKey) -> Self {
        let settings = SigningKeysBuilder::new(key).max_lifetime(Duration::MAX);
        Self::start(settings, MAX_AGE.saturating_mul(2))
    }
}

impl Ring {
    /// Returns the keys without those whose last token has expired.
    fn published_at(&self, now: NumericDate) -> Keys {
        let mut keys = Keys::clone(&self.keys.load());
        let kept = self.max_lifetime.saturating_add(LEEWAY);
        // A key retires when the next one begins to sign.
        let is_over = |next: &&RingKey| next.signs_from.saturating_add(kept) <= now;
        let over = keys.later.iter().take_while(is_over).count();
        if let Some(oldest) = keys.later.drain(..over).next_back() {
            keys.oldest = oldest;
        }
        keys
    }
}

impl Keys {
    fn iter(&self) -> impl Iterator<Item = &RingKey> {
        [&self.oldest].into_iter().chain(&self.later)
    }
}

impl RingKey {
    fn new(key: SigningKey, signs_from: NumericDate) -> Self {
        Self { public_jwk: key.public_jwk().map(Arc::from), key, signs_from }
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.ring.keys.load();
        let ids: Vec<_> = keys.iter().map(|key| (key.key.key_id(), key.signs_from)).collect();
        f.debug_struct("SigningKeys").field("keys", &ids).finish_non_exhaustive()
    }
}

/// Builds [`SigningKeys`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SigningKeysBuilder {
    current: SigningKey,
    max_age: Duration,
    publish_ahead: Option<Duration>,
    max_lifetime: Duration,
    clock: Arc<dyn Clock>,
}

impl SigningKeysBuilder {
    fn new(current: SigningKey) -> Self {
        Self {
            current,
            max_age: MAX_AGE,
            publish_ahead: None,
            max_lifetime: MAX_LIFETIME,
            clock: Arc::new(SystemClock::default()),
        }
    }

    /// How long clients may keep the published keys: the `max-age` of their `Cache-Control`. Default: 5 minutes.
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }

    /// How long a key is published before it signs. Default: twice the [`max_age`](Self::max_age).
    pub fn publish_ahead(self, publish_ahead: Duration) -> Self {
        Self { publish_ahead: Some(publish_ahead), ..self }
    }

    /// The longest lifetime of a token. A minter signs no token that lives longer, and a retired key stays
    /// published that long and 60 seconds more. Default: 1 hour.
    pub fn max_lifetime(self, max_lifetime: Duration) -> Self {
        Self { max_lifetime, ..self }
    }

    /// The clock. Default: the [`SystemClock`].
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`SigningKeysError::PublishAhead`].
    pub fn build(self) -> Result<SigningKeys, SigningKeysError> {
        let publish_ahead = self.publish_ahead.unwrap_or(self.max_age.saturating_mul(2));
        if publish_ahead < self.max_age {
            return Err(SigningKeysError::PublishAhead { publish_ahead, max_age: self.max_age });
        }
        Ok(SigningKeys::start(self, publish_ahead))
    }
}

/// Why a key cannot be one of a ring.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SigningKeysError {
    /// The next key is a secret, which has no public half to publish.
    Secret,
    /// A published key has the same key id.
    Duplicate,
    /// There are 50 published keys.
    TooMany,
    /// A key would sign before those who keep the published keys know it.
    PublishAhead {
        /// How long a key is published before it signs.
        publish_ahead: Duration,
        /// How long clients may keep the published keys.
        max_age: Duration,
    },
}

impl fmt::Display for SigningKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret => f.write_str(
                "a secret has no public half that could be published, so verifiers would not know it: use a \
                 private key",
            ),
            Self::Duplicate => f.write_str("a published key has the same key id: generate a new key"),
            Self::TooMany => f.write_str(
                "there are 50 published keys: rotate less often, or shorten `max_lifetime(…)`",
            ),
            Self::PublishAhead { publish_ahead, max_age } => write!(
                f,
                "a key would sign {publish_ahead:?} after it is published, and clients may keep the keys for \
                 {max_age:?}: set a `publish_ahead(…)` that is at least `max_age(…)`"
            ),
        }
    }
}

impl Error for SigningKeysError {}
