//! Rights that the application looks up for each caller.

use std::{
    borrow::Cow,
    fmt,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use tokio::sync::Semaphore;

use super::{known, of_a_caller};
use crate::{
    AuthError, AuthErrorKind, BoxFuture, Clock, NumericDate, Principal, bounded_map::BoundedMap,
    flights::Flights, future::PanicCaught, grant::Watched, interleave::point,
};

/// How many grants are kept, where they are kept for a while.
const MAX_KEPT: usize = 10_000;

/// Looks up what a caller may do *now*: in a database, or at another service.
///
/// Closures are one:
///
/// ```
/// use portcullis::{AuthErrorKind, Authenticator, Principal, grant::ResolverConfig};
///
/// struct Rights {
///     is_editor: bool,
/// }
///
/// let builder = Authenticator::builder().with_resolver(ResolverConfig::new(|caller: Principal| async move {
///     match caller.subject() {
///         "alice" => Ok(Rights { is_editor: true }),
///         "bob" => Err(AuthErrorKind::SubjectDisabled.into()),
///         _ => Err(AuthErrorKind::SubjectUnknown.into()),
///     }
/// }));
/// ```
///
/// Where tokens name actors, [`DelegationResolver`](super::DelegationResolver) looks subject and actor up one by one.
pub trait GrantResolver<G>: Send + Sync {
    /// Looks up the rights of a caller whose token was found good.
    ///
    /// Errors say what was found: [`SubjectUnknown`](AuthErrorKind::SubjectUnknown),
    /// [`SubjectDisabled`](AuthErrorKind::SubjectDisabled),
    /// [`ActorDisabled`](AuthErrorKind::ActorDisabled), or
    /// [`ResolverUnavailable`](AuthErrorKind::ResolverUnavailable) with the cause as its
    /// [source](AuthError::with_source), which callers may try again (503).
    fn resolve(&self, caller: Principal) -> BoxFuture<'static, Result<G, AuthError>>;
}

impl<G, F, Fut> GrantResolver<G> for F
where
    F: Fn(Principal) -> Fut + Send + Sync,
    Fut: Future<Output = Result<G, AuthError>> + Send + 'static,
{
    fn resolve(&self, caller: Principal) -> BoxFuture<'static, Result<G, AuthError>> {
        Box::pin(self(caller))
    }
}

/// A [`GrantResolver`], and how it is asked.
///
/// 1. Requests with equal claims that come while one is looked up share its answer.
/// 2. No more than a number of look-ups run at once; the others wait for their turn.
/// 3. A look-up that takes too long, and one that panics, rejects the request as
///    [`ResolverUnavailable`](AuthErrorKind::ResolverUnavailable): 503.
/// 4. Nothing is kept, unless [`keep_for`](Self::keep_for) says so: a change in the database holds from
///    the next look-up on.
/// 5. Callers of a tenant that was [forgotten](crate::strategy::Tenants::forget), or of a strategy that was removed,
///    share nothing with those of a later one that has the same name.
#[must_use]
pub struct ResolverConfig<G> {
    resolver: Box<dyn GrantResolver<G>>,
    timeout: Duration,
    keep_for: Duration,
    share: Share,
    turns: Semaphore,
    flights: Flights<Key, Result<Arc<G>, AuthError>>,
    kept: Mutex<BoundedMap<Key, Kept<G>>>,
}

/// What two callers who are the same have in common: a digest, so that it takes no room where answers
/// are kept, however long the claims are.
type Key = [u8; SHA256_OUTPUT_LEN];

#[derive(Debug)]
struct Kept<G> {
    grant: Arc<G>,
    /// When the look-up began.
    since: NumericDate,
}

/// What makes two callers the same for the resolver.
enum Share {
    EqualClaims,
    Function(Box<dyn Fn(&Principal) -> String + Send + Sync>),
}

impl<G: Send + Sync + 'static> ResolverConfig<G> {
    /// Asks this resolver.
    pub fn new(resolver: impl GrantResolver<G> + 'static) -> Self {
        Self {
            resolver: Box::new(resolver),
            timeout: Duration::from_secs(2),
            keep_for: Duration::ZERO,
            share: Share::EqualClaims,
            turns: Semaphore::new(64),
            flights: Flights::default(),
            kept: Mutex::new(BoundedMap::new(MAX_KEPT)),
        }
    }

    /// The longest time that a look-up may take, the wait for its turn included. Default: 2 seconds.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The number of look-ups that may run at once. Default: 64.
    pub fn concurrency(self, concurrency: NonZeroUsize) -> Self {
        let turns = Semaphore::new(concurrency.get().min(Semaphore::MAX_PERMITS));
        Self { turns, ..self }
    }

    /// How long an answer is kept, counted from when its look-up began. A change of rights holds after that
    /// time only. Up to 10,000 answers are kept; a new one takes the place of the oldest. Default: not at
    /// all.
    pub fn keep_for(self, keep_for: Duration) -> Self {
        Self { keep_for, ..self }
    }

    /// What makes two callers the same, such as the subject alone, so that all tokens of a subject
    /// share an answer. Default: all claims are equal.
    ///
    /// Callers of different issuers are never the same, because subjects are unique within their issuer
    /// only.
    ///
    /// # Security
    ///
    /// What the resolver looks at must be part of it: a caller gets the rights of another whose text is
    /// the same.
    pub fn share_by(self, function: impl Fn(&Principal) -> String + Send + Sync + 'static) -> Self {
        Self { share: Share::Function(Box::new(function)), ..self }
    }

    /// Returns the grant of a caller, if it is kept.
    pub(super) fn kept(&self, caller: &Principal, clock: &dyn Clock) -> Option<Arc<G>> {
        if self.keep_for.is_zero() {
            return None;
        }
        let key = self.key(caller)?;
        let now = clock.now();
        let mut memory = lock(&self.kept);
        let kept = memory.get(&key)?;
        // What was looked up in the future does not count: the clock was ahead then.
        if kept.since <= now && now < kept.since.saturating_add(self.keep_for) {
            return Some(Arc::clone(&kept.grant));
        }
        // Dropped, so that a clock that is set back brings nothing back.
        memory.remove(&key);
        None
    }

    /// Returns the grant of a caller, looked up now or by a request that has begun to.
    pub(super) async fn resolve(
        &self,
        caller: &Principal,
        clock: &dyn Clock,
    ) -> Result<Arc<G>, AuthError> {
        let Some(key) = self.key(caller) else {
            return unavailable("what makes callers the same panicked");
        };
        self.flights.share(key, || self.ask(key, caller, clock)).await
    }

    async fn ask(
        &self,
        key: Key,
        caller: &Principal,
        clock: &dyn Clock,
    ) -> Result<Arc<G>, AuthError> {
        let answer = async {
            // Closed never: a turn comes, or the time is up.
            let _turn = self.turns.acquire().await;
            // A change of rights while the look-up is under way may be missing in its answer, so that the
            // answer is as old as the question.
            let since = clock.now();
            // Inside, because it may panic before it gives a future.
            let call = Box::pin(async { self.resolver.resolve(caller.clone()).await });
            (Watched::new(PanicCaught(call)).await, since)
        };
        let (answer, since) = tokio::select! {
            answer = answer => answer,
            () = clock.sleep(self.timeout) => {
                return unavailable("the resolver did not answer in time");
            }
        };
        let (Some(answer), has_read) = answer else {
            return unavailable("the resolver panicked");
        };
        let grant = Arc::new(known(answer.map_err(of_a_caller), has_read)?);
        point("resolver: answered");
        self.keep(key, &grant, since);
        Ok(grant)
    }

    fn keep(&self, key: Key, grant: &Arc<G>, since: NumericDate) {
        if self.keep_for.is_zero() {
            return;
        }
        lock(&self.kept).insert(key, Kept { grant: Arc::clone(grant), since });
    }

    /// Tells which callers are the same as this one; `None` if the function that knows panics.
    fn key(&self, caller: &Principal) -> Option<Key> {
        let text = match &self.share {
            Share::EqualClaims => Cow::Borrowed(caller.claims_text()),
            Share::Function(function) => {
                Cow::Owned(catch_unwind(AssertUnwindSafe(|| function(caller))).ok()?)
            }
        };
        let mut digest = Context::new(&SHA256);
        // The origin by its number and not by its name: what a tenant that was forgotten, or a strategy that
        // was removed, is allowed to do must not pass to one that takes over its name.
        for id in caller.origin().ids() {
            digest.update(&id.to_ne_bytes());
        }
        // And the issuer that the token names, because an origin may stand for any issuer.
        let parts = [caller.issuer(), &text];
        for part in parts {
            // Before each its length, so that no part can look like the end of another.
            digest.update(&part.len().to_ne_bytes());
            digest.update(part.as_bytes());
        }
        let mut key = Key::default();
        for (byte, digested) in key.iter_mut().zip(digest.finish().as_ref()) {
            *byte = *digested;
        }
        Some(key)
    }
}

fn unavailable<T>(reason: &'static str) -> Result<T, AuthError> {
    Err(AuthError::because(AuthErrorKind::ResolverUnavailable, reason))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<G> fmt::Debug for ResolverConfig<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolverConfig")
            .field("timeout", &self.timeout)
            .field("keep_for", &self.keep_for)
            .finish_non_exhaustive()
    }
}
