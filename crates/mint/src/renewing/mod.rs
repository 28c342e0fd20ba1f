//! A token that is at hand whenever a call needs it.

mod builder;
mod cached_token;
mod error;
mod issued_token;
mod jitter;
mod metrics;
pub(crate) mod panic_caught;
mod renewal;
mod source;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use portcullis::clock::Clock;
use portcullis_jose::{NumericDate, jws::is_b64token};
use serde::Serialize;
use tokio::{runtime::Handle, sync::watch};

pub use builder::RenewingTokenBuilder;
pub use error::TokenError;
pub use issued_token::IssuedToken;
pub use source::TokenSource;

use self::{
    cached_token::{CachedToken, Freshness},
    panic_caught::PanicCaught,
    renewal::{Outcome, Renewal, Renewals},
};
use crate::Minter;

/// A token for calls to another service, which is renewed ahead of its end. Clones share it.
///
/// 1. The first call that needs a token waits for it, and so do those that come meanwhile: the source is
///    asked once.
/// 2. From then on the token is at hand: nothing is locked, and nothing waits. Within the
///    [margin](RenewingTokenBuilder::margin) before its end one call starts a renewal, as a task of its
///    tokio runtime, and goes on with the old token as all others do.
/// 3. A renewal that fails is told to the log, and tried again after a pause: of one second, then of
///    twice as long each time, up to 10 seconds, or as long as the server of the source says (`Retry-After`), 10
///    minutes at most. A quarter is added at most, chosen at random. The old token serves until its end; after that calls fail
///    with a [`TokenError`], at once during a pause.
/// 4. A call that is given up takes no renewal with it. A source that panics, hangs or goes away with its
///    runtime holds up nobody: whoever needs a token next asks again.
/// 5. A token that a server rejects can be [discarded](Self::discard), and one that a server returns in its place can
///    [replace](Self::replace) it. The client layers do so.
/// 6. A clock that is set forward makes the token old, and one that is set back makes it one of the
///    future, which is renewed; by more than the margin it is not used any more.
///
/// Tokens are signed where the renewal runs; with RSA, which takes a millisecond and more, in a thread
/// for such work. Outside of a tokio runtime tokens are renewed when they are over, by the call that
/// needs one.
///
/// # Examples
///
/// ```
/// use portcullis_jose::{Algorithm, SigningKey};
/// use portcullis_mint::{Minter, RenewingToken};
/// use serde_json::json;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let minter = Minter::new(SigningKey::generate(Algorithm::ES256)?).issuer("workers");
/// let token = RenewingToken::minted(minter, &json!({"sub": "worker-7", "aud": "orders"})).build()?;
///
/// let first = token.token().await?;
/// assert!(first.is_same(&token.token().await?));
/// # Ok(()) }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(example())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RenewingToken {
    shared: Arc<Shared>,
}

/// The state that clones and renewals share.
struct Shared {
    source: Box<dyn TokenSource>,
    clock: Arc<dyn Clock>,
    lifetime: Duration,
    margin: Duration,
    timeout: Duration,
    name: String,
    /// Draws a number for [`jitter`].
    draw: fn() -> u32,
    cached: ArcSwapOption<CachedToken>,
    /// As long as it is locked, no renewal begins or ends.
    renewals: Mutex<Renewals>,
}

/// What a call does that needs a token.
enum NextStep {
    /// Use this token, which is fresh.
    Use(IssuedToken),
    /// Run this renewal.
    Renew(Renewal),
    /// Wait for the renewal that is in progress.
    Wait(watch::Receiver<Option<Outcome>>),
    /// Fail, because the last renewal failed a moment ago.
    Fail(TokenError),
}

impl RenewingToken {
    /// Mints tokens of these claims, which are a struct or a map: `sub`, `aud` and whatever else the other
    /// service wants. Dates and ids are the minter's.
    pub fn minted(minter: Minter, claims: &impl Serialize) -> RenewingTokenBuilder {
        RenewingTokenBuilder::minted(minter, claims)
    }

    /// Gets tokens from elsewhere.
    pub fn from_source(source: impl TokenSource + 'static) -> RenewingTokenBuilder {
        RenewingTokenBuilder::from_source(source)
    }

    /// Returns the token at hand, without waiting, and starts a renewal if one is due. `None` if none is
    /// good: [`token`](Self::token) waits for one.
    #[must_use]
    pub fn current(&self) -> Option<IssuedToken> {
        let cached = self.shared.cached.load();
        let cached = cached.as_ref()?;
        // Read after the token, which would otherwise seem to be of the future.
        match cached.freshness(self.shared.clock.now()) {
            Freshness::Fresh => {}
            Freshness::RenewalDue => self.renew_in_a_task(),
            Freshness::Expired => return None,
        }
        Some(cached.token.clone())
    }

    /// Returns the token at hand, or waits for one.
    ///
    /// # Errors
    ///
    /// A [`TokenError`] if no token is good, and the renewal fails, or failed a moment ago.
    pub async fn token(&self) -> Result<IssuedToken, TokenError> {
        if let Some(token) = self.current() {
            return Ok(token);
        }
        let mut in_a_task = true;
        loop {
            let step = self.shared.next_step(&mut self.shared.lock());
            let mut in_progress = match step {
                NextStep::Use(token) => return Ok(token),
                NextStep::Fail(error) => return Err(error),
                NextStep::Wait(in_progress) => in_progress,
                NextStep::Renew(renewal) => {
                    let in_progress = renewal.subscribe();
                    match Handle::try_current() {
                        // In a task, which goes on if this call is given up.
                        Ok(runtime) if in_a_task => drop(runtime.spawn(renewal.run())),
                        _ => renewal.run().await,
                    }
                    // A runtime that is ending loses tasks: then this call carries the next itself.
                    in_a_task = false;
                    in_progress
                }
            };
            let outcome =
                in_progress.wait_for(Option::is_some).await.map(|outcome| outcome.clone());
            match outcome {
                Ok(Some(Ok(token))) => return self.shared.usable(token),
                Ok(Some(Err(error))) => return Err(error),
                // It was dropped before its end.
                Ok(None) | Err(_) => {}
            }
        }
    }

    /// Discards this token, which a server has rejected, so that the next call requests another. Returns whether
    /// another token is worth a second try.
    ///
    /// If the token was replaced since it was sent, nothing is discarded, and the newer one is worth a try. After a
    /// token was discarded, no other is for 30 seconds, so that a server that rejects every token causes no request to
    /// the source for each of its responses. A renewal that is in progress has no effect then: calls after this one
    /// do not wait for it, and its token is not used.
    #[must_use]
    pub fn discard(&self, token: &IssuedToken) -> bool {
        let mut renewals = self.shared.lock();
        let cached = self.shared.cached.load();
        if !cached.as_ref().is_some_and(|cached| cached.token.is_same(token)) {
            return true;
        }
        if !renewals.may_discard(self.shared.clock.now()) {
            return false;
        }
        renewals.supersede();
        self.shared.cached.store(None);
        metrics::discarded(&self.shared.name);
        true
    }

    /// Replaces a token that was sent by another that a server returned for it. Nothing happens if `sent` is no
    /// longer the token in the cache, or if `reissued` is not a bearer token ([RFC 6750 §2.1]) or has expired. Returns
    /// whether it was replaced; then a renewal that is in progress has no effect.
    ///
    /// # Security
    ///
    /// Calls to every server then use the new token. So it must come from a server that is trusted as the source is.
    ///
    /// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
    #[expect(clippy::must_use_candidate, reason = "the token that was sent serves all the same")]
    pub fn replace(&self, sent: &IssuedToken, reissued: IssuedToken) -> bool {
        if !is_b64token(reissued.token().as_bytes()) {
            return false;
        }
        let now = self.shared.clock.now();
        let reissued = self.shared.cached(reissued, now);
        let mut renewals = self.shared.lock();
        let cached = self.shared.cached.load();
        let is_sent = cached.as_ref().is_some_and(|cached| cached.token.is_same(sent));
        if !is_sent || reissued.freshness(now) == Freshness::Expired {
            return false;
        }
        renewals.supersede();
        metrics::renewed(&self.shared.name, "reissue", reissued.expiry());
        self.shared.cached.store(Some(Arc::new(reissued)));
        true
    }

    fn renew_in_a_task(&self) {
        let Ok(runtime) = Handle::try_current() else { return };
        let mut renewals = match self.shared.renewals.try_lock() {
            Ok(renewals) => renewals,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Another call starts or ends a renewal.
            Err(TryLockError::WouldBlock) => return,
        };
        if let NextStep::Renew(renewal) = self.shared.next_step(&mut renewals) {
            // Before, because a runtime that is ending drops the task at once.
            drop(renewals);
            runtime.spawn(renewal.run());
        }
    }
}

impl Shared {
    /// Decides what a call does that found the token due or expired.
    fn next_step(self: &Arc<Self>, renewals: &mut Renewals) -> NextStep {
        let cached = self.cached.load();
        let now = self.clock.now();
        // A renewal may have ended since.
        if let Some(cached) =
            cached.as_ref().filter(|cached| cached.freshness(now) == Freshness::Fresh)
        {
            return NextStep::Use(cached.token.clone());
        }
        if let Some(in_progress) = &renewals.in_progress {
            return NextStep::Wait(in_progress.clone());
        }
        match renewals.failure.as_ref().and_then(|failure| failure.pauses(now)) {
            Some(error) => NextStep::Fail(error.clone()),
            None => NextStep::Renew(Renewal::begin(self, renewals)),
        }
    }

    /// Requests a token from the source, which may panic or hang.
    async fn request_token(&self) -> Result<CachedToken, TokenError> {
        let requested_at = self.clock.now();
        let answer = async {
            tokio::select! {
                biased;
                // Inside, because it may panic before it gives a future.
                answer = async { self.source.token().await } => {
                    answer.map_err(|error| TokenError::Source(error.into()))
                }
                // Inside, because a source that answers at once needs no runtime.
                () = async { self.clock.sleep(self.timeout).await } => Err(TokenError::TimedOut),
            }
        };
        let answer = PanicCaught(Box::pin(answer)).await;
        let token = answer.unwrap_or(Err(TokenError::Panicked))?;
        if !is_b64token(token.token().as_bytes()) {
            return Err(TokenError::Malformed);
        }
        let cached = self.cached(token, requested_at);
        if cached.freshness(self.clock.now()) == Freshness::Expired {
            Err(TokenError::Expired)
        } else {
            Ok(cached)
        }
    }

    fn cached(&self, token: IssuedToken, requested_at: NumericDate) -> CachedToken {
        CachedToken::new(token, requested_at, self.lifetime, self.margin, (self.draw)())
    }

    /// Checks the expiry of a token that this call waited for, because the wait may have been long.
    fn usable(&self, token: IssuedToken) -> Result<IssuedToken, TokenError> {
        let is_over = token.expiry().is_some_and(|end| end <= self.clock.now());
        if is_over { Err(TokenError::Expired) } else { Ok(token) }
    }

    fn report(&self, error: &TokenError) {
        let cached = self.cached.load();
        let has_token = cached
            .as_ref()
            .is_some_and(|cached| cached.freshness(self.clock.now()) != Freshness::Expired);
        #[cfg(feature = "tracing")]
        tracing::warn!(
            target: "portcullis::tokens",
            token = self.name,
            cause = std::error::Error::source(error).map(tracing::field::display),
            has_token,
            "token not renewed: {error}"
        );
        #[cfg(not(feature = "tracing"))]
        let _ = (has_token, error, &self.name);
    }

    fn lock(&self) -> MutexGuard<'_, Renewals> {
        // Nothing panics while it is cached; if it ever did, what is known is still whole.
        self.renewals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("lifetime", &self.lifetime)
            .field("margin", &self.margin)
            .field("cached", &self.cached.load().as_deref())
            .finish_non_exhaustive()
    }
}
