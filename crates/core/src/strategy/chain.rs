//! The strategies of an engine, in order, and the change of them while it runs.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwap;

use super::{Attempt, Credential, Strategy};
use crate::{
    AuthError, AuthErrorKind, BoxFuture, NumericDate, future::PanicCaught, issuer::Origin,
};

/// The strategies of an engine. Requests read them behind one atomic pointer.
#[derive(Debug)]
pub(crate) struct Chain {
    slots: ArcSwap<Vec<Slot>>,
    /// Whether there is nothing but issuers of JWTs: what most requests look at.
    only_jwt: AtomicBool,
    changing: Mutex<()>,
}

/// One place in the order.
#[derive(Clone, Debug)]
pub(crate) enum Slot {
    /// The issuers of JWTs, all of them.
    Jwt,
    Other(Arc<Registered>),
}

/// A strategy of the application.
#[derive(Debug)]
pub(crate) struct Registered {
    strategy: Arc<dyn Strategy>,
    pub(crate) origin: Arc<Origin>,
}

/// A strategy that takes a while, and what comes after it if it abstains.
pub(crate) struct StrategyComing {
    pub(crate) attempt: BoxFuture<'static, Attempt>,
    /// When its time is over, however many steps it takes.
    pub(crate) until: NumericDate,
    pub(crate) registered: Arc<Registered>,
    pub(crate) slots: Arc<Vec<Slot>>,
    pub(crate) next: usize,
    /// Why the issuers of JWTs had nothing to do with the token.
    pub(crate) told: Option<AuthError>,
}

impl std::fmt::Debug for StrategyComing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StrategyComing").field("of", &self.registered).finish_non_exhaustive()
    }
}

impl Chain {
    pub(crate) fn new(slots: Vec<Slot>) -> Self {
        let only_jwt = AtomicBool::new(is_only_jwt(&slots));
        Self { slots: ArcSwap::from_pointee(slots), only_jwt, changing: Mutex::new(()) }
    }

    /// Returns the strategies; `None` if there is nothing but issuers of JWTs.
    #[inline]
    pub(crate) fn load(&self) -> Option<Arc<Vec<Slot>>> {
        if self.only_jwt.load(Ordering::Acquire) { None } else { Some(self.slots.load_full()) }
    }

    /// Returns the strategies as they stand: another list from each change on.
    pub(crate) fn load_full(&self) -> Arc<Vec<Slot>> {
        self.slots.load_full()
    }

    /// Returns the names of the strategies, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let slots = self.slots.load();
        let names = slots.iter().filter_map(|slot| match slot {
            Slot::Jwt => None,
            Slot::Other(registered) => Some(registered.name().to_owned()),
        });
        names.collect()
    }

    /// Returns whether a strategy has this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        !self.only_jwt.load(Ordering::Acquire)
            && self
                .slots
                .load()
                .iter()
                .any(|slot| matches!(slot, Slot::Other(own) if own.name() == name))
    }

    /// Changes the order for all requests from now on.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Vec<Slot>) -> T) -> T {
        let _held = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut slots = Vec::clone(&self.slots.load());
        let changed = change(&mut slots);
        let only_jwt = is_only_jwt(&slots);
        self.slots.store(Arc::new(slots));
        self.only_jwt.store(only_jwt, Ordering::Release);
        changed
    }
}

fn is_only_jwt(slots: &[Slot]) -> bool {
    matches!(slots, [Slot::Jwt])
}

impl Registered {
    pub(crate) fn new(strategy: Arc<dyn Strategy>, origin: Arc<Origin>) -> Self {
        Self { strategy, origin }
    }

    pub(crate) fn name(&self) -> &str {
        self.origin.name()
    }

    /// Asks the strategy. Its panic is its own.
    pub(crate) fn attempt(&self, credential: &Credential<'_>) -> Attempt {
        let attempt = catch_unwind(AssertUnwindSafe(|| self.strategy.attempt(credential)));
        attempt.unwrap_or_else(|_| Attempt::Reject(panicked()))
    }
}

/// Waits for an answer, which may be that there is another to wait for.
pub(crate) async fn answer(attempt: BoxFuture<'static, Attempt>) -> Attempt {
    PanicCaught(attempt).await.unwrap_or_else(|| Attempt::Reject(panicked()))
}

fn panicked() -> AuthError {
    AuthError::because(AuthErrorKind::ResolverUnavailable, "a strategy panicked")
}
