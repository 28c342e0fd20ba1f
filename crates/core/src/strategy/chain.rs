//! The strategies of an engine, in order.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{Attempt, Credential, Strategy};
use crate::{
    AuthError, AuthErrorKind, BoxFuture, ConfigError, GrantMapping, IssuerError, NumericDate,
    future::PanicCaught,
    issuer::{EngineInfo, LEEWAY, Origin, TrustedIssuers},
};

/// One place in the order.
#[derive(Clone, Debug)]
pub(crate) enum Slot {
    /// The issuers of JWTs, all of them.
    Jwt,
    Other(Arc<Registered>),
}

/// Returns the names of the strategies, in order. Issuers are not among them.
pub(crate) fn names(slots: &[Slot]) -> impl Iterator<Item = &str> {
    slots.iter().filter_map(|slot| match slot {
        Slot::Jwt => None,
        Slot::Other(registered) => Some(registered.name()),
    })
}

/// A strategy of the application.
#[derive(Debug)]
pub(crate) struct Registered {
    strategy: Arc<dyn Strategy>,
    pub(crate) origin: Arc<Origin>,
}

/// The answer of a strategy that is pending, and what follows if it abstains.
pub(crate) struct PendingStrategy {
    pub(crate) attempt: BoxFuture<'static, Attempt>,
    /// The deadline, however many steps the answer takes.
    pub(crate) until: NumericDate,
    pub(crate) registered: Arc<Registered>,
    /// The position of the next strategy.
    pub(crate) next: usize,
    /// Why the issuers of JWTs abstained.
    pub(crate) jwt_error: Option<AuthError>,
}

impl Registered {
    /// Makes a strategy an origin of callers.
    ///
    /// # Errors
    ///
    /// [`IssuerError::NoName`] and [`IssuerError::Duplicate`] for its name.
    pub(crate) fn new(
        strategy: Arc<dyn Strategy>,
        issuers: &TrustedIssuers,
        info: &Arc<EngineInfo>,
    ) -> Result<Self, ConfigError> {
        let name = strategy.name().to_owned();
        if name.is_empty() {
            return Err(IssuerError::NoName.into());
        }
        if issuers.all().any(|issuer| issuer.name() == name) {
            return Err(IssuerError::Duplicate { issuer: name }.into());
        }
        let mapping = GrantMapping::default().permissions("permissions", ":");
        let origin = Arc::new(Origin::new(name, &mapping, LEEWAY, info)?);
        Ok(Self { strategy, origin })
    }

    pub(crate) fn name(&self) -> &str {
        self.origin.name()
    }

    /// Calls the strategy. A panic rejects the token.
    pub(crate) fn attempt(&self, credential: &Credential<'_>) -> Attempt {
        let attempt = catch_unwind(AssertUnwindSafe(|| self.strategy.attempt(credential)));
        attempt.unwrap_or_else(|_| Attempt::Reject(panicked()))
    }
}

/// Waits for an answer, which may be that another one is pending.
pub(crate) async fn answer(attempt: BoxFuture<'static, Attempt>) -> Attempt {
    PanicCaught(attempt).await.unwrap_or_else(|| Attempt::Reject(panicked()))
}

fn panicked() -> AuthError {
    AuthError::because(AuthErrorKind::ResolverUnavailable, "a strategy panicked")
}

impl fmt::Debug for PendingStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingStrategy").field("of", &self.registered).finish_non_exhaustive()
    }
}
