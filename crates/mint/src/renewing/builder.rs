//! The configuration of a token that renews itself.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use portcullis::clock::{Clock, SystemClock};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{RenewingToken, Shared, TokenSource, jitter, source::Minted};
use crate::{MintError, Minter};

const LIFETIME: Duration = Duration::from_secs(600);
const MARGIN: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(10);

/// Claims that each token has of its own.
const OWN_CLAIMS: [&str; 4] = ["exp", "iat", "nbf", "jti"];

/// Builds a [`RenewingToken`].
#[must_use]
pub struct RenewingTokenBuilder {
    source: Source,
    lifetime: Option<Duration>,
    margin: Duration,
    timeout: Duration,
    name: String,
    clock: Option<Arc<dyn Clock>>,
    draw: fn() -> u32,
}

enum Source {
    Minter { minter: Box<Minter>, claims: Result<Map<String, Value>, String> },
    Other(Box<dyn TokenSource>),
}

impl RenewingTokenBuilder {
    pub(super) fn minted(minter: Minter, claims: &impl Serialize) -> Self {
        let claims = match serde_json::to_value(claims) {
            Ok(Value::Object(claims)) => Ok(claims),
            Ok(_) => Err("they are no JSON object".to_owned()),
            Err(error) => Err(format!("they cannot be written as JSON: {error}")),
        };
        Self::new(Source::Minter { minter: Box::new(minter), claims })
    }

    pub(super) fn from_source(source: impl TokenSource + 'static) -> Self {
        Self::new(Source::Other(Box::new(source)))
    }

    fn new(source: Source) -> Self {
        let draw = match source {
            // A signature of this process is no load for others.
            Source::Minter { .. } => || 0,
            Source::Other(_) => jitter::draw,
        };
        let (name, clock) = ("default".to_owned(), None);
        Self { source, lifetime: None, margin: MARGIN, timeout: TIMEOUT, name, clock, draw }
    }

    /// How long tokens are good: those that are minted, and those whose source does not say it. Default:
    /// what the minter was told, else 10 minutes.
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime: Some(lifetime), ..self }
    }

    /// How long before its end a token is renewed at the latest. Of a token that another source brings, and that
    /// lives no longer than this, half its life. Default: a minute.
    ///
    /// A token of another source is renewed up to a tenth of its life earlier, at a time that is chosen at random, so
    /// that the instances of a service do not request tokens at the same time: a token of an hour between 53 and 59
    /// minutes after it was requested.
    pub fn margin(self, margin: Duration) -> Self {
        Self { margin, ..self }
    }

    /// How long the source may take. Default: 10 seconds.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The name of this token in logs, and in the label `token` of metrics. Default: `default`.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Replaces chance in tests.
    #[cfg(test)]
    pub(super) fn draw(self, draw: fn() -> u32) -> Self {
        Self { draw, ..self }
    }

    /// The clock, which dates minted tokens too. Default: that of the minter, else the [`SystemClock`].
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Some(Arc::new(clock)), ..self }
    }

    /// Builds it. No token is asked for yet.
    ///
    /// # Errors
    ///
    /// [`MintError::MarginTooLong`] where the margin is not shorter than the lifetime, and
    /// [`MintError::InvalidClaims`] for claims that are no JSON object, or in which `exp`, `iat`,
    /// `nbf` or `jti` is fixed.
    pub fn build(self) -> Result<RenewingToken, MintError> {
        let of_minter = match &self.source {
            Source::Minter { minter, .. } => Some(minter.timing()),
            Source::Other(_) => None,
        };
        let lifetime = self.lifetime.or(of_minter.and_then(|(_, lifetime)| lifetime));
        let lifetime = lifetime.unwrap_or(LIFETIME);
        // Minted tokens end at a whole second.
        if self.margin >= Duration::from_secs(lifetime.as_secs()) {
            return Err(MintError::MarginTooLong { margin: self.margin, lifetime });
        }
        let clock = self.clock.or_else(|| of_minter.map(|(clock, _)| Arc::clone(clock)));
        let clock = clock.unwrap_or_else(|| Arc::new(SystemClock::default()));
        let source = match self.source {
            Source::Other(source) => source,
            Source::Minter { minter, claims } => {
                let minter = minter.lifetime(lifetime).shared_clock(Arc::clone(&clock));
                Box::new(Minted::new(minter, checked(claims)?))
            }
        };
        let shared = Shared {
            source,
            clock,
            lifetime,
            margin: self.margin,
            timeout: self.timeout,
            name: self.name,
            draw: self.draw,
            cached: ArcSwapOption::empty(),
            renewals: std::sync::Mutex::default(),
        };
        Ok(RenewingToken { shared: Arc::new(shared) })
    }
}

/// Rejects claims that would be the same in each token, and must not be.
fn checked(claims: Result<Map<String, Value>, String>) -> Result<Map<String, Value>, MintError> {
    let claims = claims.map_err(|reason| MintError::InvalidClaims { reason })?;
    let is_given = |name: &&&str| claims.get(**name).is_some_and(|value| !value.is_null());
    match OWN_CLAIMS.iter().find(is_given) {
        Some(name) => Err(MintError::InvalidClaims {
            reason: format!("each token has a `{name}` of its own: leave it out"),
        }),
        None => Ok(claims),
    }
}

impl fmt::Debug for RenewingTokenBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RenewingTokenBuilder")
            .field("lifetime", &self.lifetime)
            .field("margin", &self.margin)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
