//! Looking an issuer up: once for all that wait, and within limits.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    Settings, Shared, Tenant,
    budget::{LookupBudget, Permit},
    store::Remembered,
    unavailable,
};
#[cfg(feature = "tracing")]
use crate::error::OneLine;
use crate::{
    AuthError, AuthErrorKind, Authenticator, Issuer, flights::Flights, future::PanicCaught,
    interleave::point,
};

/// The look-ups that are under way, and their limits.
pub(super) struct LookUps {
    turns: Semaphore,
    budget: Arc<LookupBudget>,
    /// By generation and name, so that a request which begins after the name was forgotten joins no older
    /// look-up.
    flights: Flights<(u64, Box<str>), Found>,
    /// Whether the last look-up failed.
    is_failing: AtomicBool,
}

type Found = Result<Option<Arc<Tenant>>, AuthError>;

/// Where the request that starts a look-up holds the permit.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<Option<Permit>>);

impl LookUps {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            turns: Semaphore::new(settings.concurrency.min(Semaphore::MAX_PERMITS)),
            budget: Arc::new(LookupBudget::new(Arc::clone(&settings.clock))),
            flights: Flights::default(),
            is_failing: AtomicBool::new(false),
        }
    }

    pub(super) fn refund(&self) {
        self.budget.refund();
    }

    /// The token was not judged. While the resolver fails, the service is at fault; otherwise the names
    /// that clients send are.
    fn not_looked_up(&self) -> AuthError {
        if self.is_failing.load(Ordering::Relaxed) {
            return unavailable("too many look-ups while the resolver fails");
        }
        let reason = "too many look-ups of unverified issuers";
        AuthError::because(AuthErrorKind::IssuerNotLookedUp, reason)
    }
}

impl Shared {
    /// Looks an issuer up, or waits for the look-up that is under way.
    pub(super) async fn look_up(&self, name: &str, generation: u64, permit: &Slot) -> Found {
        let question = (generation, name.into());
        self.look_ups.flights.share(question, || self.start_look_up(name, generation, permit)).await
    }

    async fn start_look_up(&self, name: &str, generation: u64, slot: &Slot) -> Found {
        // Another request may have been faster.
        if let Some(tenant) = self.store.kept(name) {
            return Ok(Some(tenant));
        }
        match self.store.remembered(name, self.settings.clock.now()) {
            Remembered::Tenant(tenant) => return Ok(Some(tenant)),
            Remembered::Unknown => return Ok(None),
            Remembered::Nothing => {}
        }
        let is_paid = !self.store.is_verified_name(name);
        let answer = self.ask(name, is_paid, slot).await?;
        point("tenants: looked up");
        let Some(issuer) = answer else {
            self.store.add_unknown(name, generation, self.settings.clock.now());
            return Ok(None);
        };
        let tenant = Tenant::new(name, self.engine(name, issuer)?, generation, is_paid);
        self.store.add_unverified(&tenant);
        Ok(Some(tenant))
    }

    async fn ask(
        &self,
        name: &str,
        is_paid: bool,
        slot: &Slot,
    ) -> Result<Option<Issuer>, AuthError> {
        let Settings { clock, timeout, .. } = &self.settings;
        let start = clock.now();
        // The other half is for the resolver, so that a look-up that waited can still end in time.
        let longest_wait = *timeout / 2;
        let turn = tokio::select! {
            biased;
            turn = self.wait_for_turn(is_paid, slot) => turn,
            () = clock.sleep(longest_wait) => None,
        };
        let Some(_turn) = turn else {
            if slot.is_filled() {
                // Nothing was looked up.
                self.look_ups.refund();
            }
            return Err(self.look_ups.not_looked_up());
        };
        let waited = clock.now().saturating_since(start).min(longest_wait);
        // Inside of a future, because the resolver may panic before it returns one.
        let answer = Box::pin(async { self.resolver.resolve(name.to_owned()).await });
        let answer = tokio::select! {
            answer = PanicCaught(answer) => {
                answer.unwrap_or_else(|| Err(unavailable("the resolver panicked")))
            }
            () = clock.sleep(timeout.saturating_sub(waited)) => {
                Err(unavailable("the resolver did not answer in time"))
            }
        };
        self.look_ups.is_failing.store(answer.as_ref().is_err_and(is_failure), Ordering::Relaxed);
        answer
    }

    /// Waits until the look-up is paid for, if it must be, and until it is its turn; `None` if it must not
    /// start.
    async fn wait_for_turn(&self, is_paid: bool, slot: &Slot) -> Option<SemaphorePermit<'_>> {
        if is_paid {
            slot.fill(self.look_ups.budget.pay().await?);
        }
        // An error is impossible: the semaphore is never closed.
        self.look_ups.turns.acquire().await.ok()
    }

    /// Builds the engine of a tenant.
    fn engine(&self, name: &str, issuer: Issuer) -> Result<Authenticator<()>, AuthError> {
        if !issuer.is_exactly(name) {
            return Err(self.unusable("the resolver returned an issuer of another name"));
        }
        let builder = Authenticator::builder().shared_clock(Arc::clone(&self.settings.clock));
        let builder = builder.issuer(issuer).inner().with_grant_from(|_| Ok(()));
        builder.build().map_err(|error| self.unusable(error))
    }

    /// The fault is the application's. But tenants may write their own settings, so neither the answer nor
    /// the log may call the service broken.
    #[cfg_attr(
        not(feature = "tracing"),
        expect(clippy::unused_self, reason = "without a log, nothing names the strategy")
    )]
    fn unusable(&self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> AuthError {
        let error = AuthError::with_source(AuthErrorKind::UntrustedIssuer, cause);
        #[cfg(feature = "tracing")]
        tracing::warn!(
            target: "portcullis::tenants",
            strategy = self.name,
            cause = std::error::Error::source(&error).map(OneLine).map(tracing::field::display),
            "the issuer of a tenant cannot be used"
        );
        error
    }
}

fn is_failure(error: &AuthError) -> bool {
    matches!(
        error.kind(),
        AuthErrorKind::ResolverUnavailable
            | AuthErrorKind::StoreUnavailable
            | AuthErrorKind::KeysUnavailable
            | AuthErrorKind::InternalError
    )
}

impl Slot {
    fn is_filled(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn fill(&self, permit: Permit) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(permit);
    }
}
