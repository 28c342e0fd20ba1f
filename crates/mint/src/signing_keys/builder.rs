//! Settings of keys that one process has.

use std::{sync::Arc, time::Duration};

use portcullis::clock::{Clock, SystemClock};
use portcullis_jose::{NumericDate, SigningKey};

use super::{
    SigningKeys, SigningKeysError,
    ring::{Keys, Ring, RingKey},
};

/// How long clients may keep the published keys, unless configured otherwise.
pub(super) const MAX_AGE: Duration = Duration::from_secs(300);

/// The longest lifetime of a token, unless configured otherwise.
pub(super) const MAX_LIFETIME: Duration = Duration::from_secs(3600);

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
    pub(super) fn new(current: SigningKey) -> Self {
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
        let publish_ahead = self.ahead();
        if publish_ahead < self.max_age {
            return Err(SigningKeysError::PublishAhead { publish_ahead, max_age: self.max_age });
        }
        Ok(self.start())
    }

    /// Starts a ring with these settings, which are not checked.
    pub(super) fn start(self) -> SigningKeys {
        let oldest = RingKey::new(self.current.clone(), NumericDate::EPOCH);
        let keys = Keys { oldest, later: Vec::new(), store_time: None };
        let durations = [self.max_age, self.ahead(), self.max_lifetime];
        let ring = Ring::new(keys, durations, None, self.clock);
        SigningKeys { ring: Arc::new(ring), shared: None }
    }

    fn ahead(&self) -> Duration {
        self.publish_ahead.unwrap_or(self.max_age.saturating_mul(2))
    }
}
