//! The store of used tokens, as an engine uses it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use super::{ReplayStore, StoreError, Use};
use crate::{AuthError, AuthErrorKind, Clock, NumericDate, future::PanicCaught};

/// The longest time for one call of the store, unless the engine's revocations have another limit.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(250);

/// How often expired ids are deleted, at most.
const CLEAN_UP_EVERY: Duration = Duration::from_secs(60);

/// How many batches one clean-up deletes, at most.
const BATCHES: usize = 100;

/// The store of used tokens, as an engine uses it.
#[derive(Clone)]
pub(crate) struct OneTimeUse {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn ReplayStore>,
    timeout: Duration,
    /// Whether the schema is there. An error takes it back.
    is_prepared: AtomicBool,
    /// When expired ids are deleted again, in seconds since 1970.
    next_clean_up: AtomicI64,
}

impl OneTimeUse {
    pub(crate) fn new(store: Arc<dyn ReplayStore>, timeout: Duration) -> Self {
        let (is_prepared, next_clean_up) = (AtomicBool::new(false), AtomicI64::new(i64::MIN));
        Self { inner: Arc::new(Inner { store, timeout, is_prepared, next_clean_up }) }
    }

    pub(crate) fn label(&self) -> &str {
        self.inner.store.label()
    }

    /// Connects to the store and creates its schema, unless that was done.
    pub(crate) async fn prepare(&self) -> Result<(), StoreError> {
        if !self.inner.is_prepared.load(Ordering::Relaxed) {
            self.inner.store.prepare().await?;
            self.inner.is_prepared.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Uses a token.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::TokenReplayed`] if it was used before, and [`AuthErrorKind::StoreUnavailable`].
    pub(crate) async fn consume(
        &self,
        issuer: &str,
        jti: &str,
        until: NumericDate,
        clock: &dyn Clock,
    ) -> Result<(), AuthError> {
        let call = PanicCaught(Box::pin(async {
            self.prepare().await?;
            self.inner.store.consume(issuer, jti, until).await
        }));
        let answer = tokio::select! {
            biased;
            answer = call => answer,
            () = clock.sleep(self.inner.timeout) => {
                return Err(self.failed(AuthError::because(
                    AuthErrorKind::StoreUnavailable,
                    "the store of used tokens did not answer in time",
                )));
            }
        };
        match answer {
            Some(Ok(Use::First)) => {
                self.clean_up(clock.now());
                Ok(())
            }
            Some(Ok(Use::Replayed)) => Err(AuthErrorKind::TokenReplayed.into()),
            Some(Err(error)) => {
                Err(self.failed(AuthError::with_source(AuthErrorKind::StoreUnavailable, error)))
            }
            None => Err(self.failed(AuthError::because(
                AuthErrorKind::StoreUnavailable,
                "the store of used tokens panicked",
            ))),
        }
    }

    /// Notes that the store has failed, so that it is prepared again.
    fn failed(&self, error: AuthError) -> AuthError {
        self.inner.is_prepared.store(false, Ordering::Relaxed);
        crate::metrics::store_failed(self.inner.store.label());
        error
    }

    /// Deletes expired ids now and then, in a task of its own, which no request waits for.
    fn clean_up(&self, now: NumericDate) {
        let next = &self.inner.next_clean_up;
        let due = next.load(Ordering::Relaxed);
        let after = now.saturating_add(CLEAN_UP_EVERY).seconds();
        let is_mine =
            || next.compare_exchange(due, after, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        // A clock that was set back must not postpone it.
        let is_due = now.seconds() >= due || due > after;
        if !is_due || !is_mine() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let store = Arc::clone(&self.inner.store);
        runtime.spawn(async move {
            for _ in 0..BATCHES {
                // An error is no loss: the next clean-up deletes them.
                if !matches!(store.delete_expired(now).await, Ok(1..)) {
                    return;
                }
            }
        });
    }
}

impl fmt::Debug for OneTimeUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTimeUse")
            .field("store", &self.inner.store.label())
            .field("timeout", &self.inner.timeout)
            .finish_non_exhaustive()
    }
}
