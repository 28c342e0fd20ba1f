//! The end of a token, for what goes on after the request was judged.

use std::{future::pending, sync::Arc, time::Duration};

use crate::{
    AuthError, AuthErrorKind, BoxFuture, Principal, pipeline::good_until, revocation::Revocations,
};

/// How long to sleep at most before the clock is looked at again: it may have been set, or the
/// machine may have slept.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

impl Principal {
    /// Waits until the engine would no longer accept this caller's token, and returns the error that it
    /// would reject it with: when the token has expired or is too old, leeway included, and when this replica
    /// learns that it was revoked. If none of this happens, it waits forever.
    ///
    /// A request is judged once. This is for what goes on after that: a WebSocket, server-sent events, a
    /// stream. It goes by the clock of the engine. It learns of revocations from the memory of this replica,
    /// in [strict](Revocations::strict) mode too. While the store is unavailable, it goes on waiting.
    ///
    /// # Examples
    ///
    /// ```
    /// use portcullis::{Principal, future::BoxFuture};
    ///
    /// async fn serve(caller: &Principal, connection: BoxFuture<'_, ()>) {
    ///     tokio::select! {
    ///         () = connection => {}
    ///         error = caller.until_invalid() => eprintln!("the connection ends: {error}"),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn until_invalid(&self) -> BoxFuture<'static, AuthError> {
        self.invalidity().unwrap_or_else(|| Box::pin(pending()))
    }

    /// As [`until_invalid`](Self::until_invalid); `None` if that waits forever.
    #[doc(hidden)]
    #[must_use]
    pub fn invalidity(&self) -> Option<BoxFuture<'static, AuthError>> {
        match (self.expiry(), self.revoked()) {
            (Some(expiry), Some(revoked)) => Some(Box::pin(async move {
                tokio::select! {
                    biased;
                    error = revoked => error,
                    error = expiry => error,
                }
            })),
            (expiry, revoked) => revoked.or(expiry),
        }
    }

    /// Checks that the engine still accepts this caller's token: that it has not expired and is not too old,
    /// leeway included, and was not revoked. It queries the store of revocations, also in local mode: who renews
    /// a token must know of a revocation that this replica has not read yet, because the new token may escape it.
    ///
    /// # Errors
    ///
    /// Why the engine would reject the token now: kind [`TokenExpired`](AuthErrorKind::TokenExpired),
    /// [`TokenTooOld`](AuthErrorKind::TokenTooOld), [`TokenRevoked`](AuthErrorKind::TokenRevoked), or
    /// [`StoreUnavailable`](AuthErrorKind::StoreUnavailable) if it is not known whether it was revoked.
    pub async fn check_still_valid(&self) -> Result<(), AuthError> {
        let origin = self.origin();
        let clock = Arc::clone(&origin.engine().clock);
        let check_end = || match good_until(origin, self.expires_at(), self.issued_at()) {
            Some((end, kind)) if clock.now() >= end => Err(AuthError::from(kind)),
            _ => Ok(()),
        };
        check_end()?;
        let Some(revocations) = &origin.engine().revocations else { return Ok(()) };
        // Those of an engine that has replaced this one know more.
        let revocations = revocations.newest();
        revocations.check(&self.question(), clock.now())?;
        revocations.ask(&self.question(), &*clock).await?;
        // Time has passed.
        check_end()?;
        revocations.check(&self.question(), clock.now())
    }

    fn expiry(&self) -> Option<BoxFuture<'static, AuthError>> {
        let origin = self.origin();
        let (end, kind) = good_until(origin, self.expires_at(), self.issued_at())?;
        let clock = Arc::clone(&origin.engine().clock);
        Some(Box::pin(async move {
            loop {
                let now = clock.now();
                if now >= end {
                    return kind.into();
                }
                clock.sleep_until(end.min(now.saturating_add(LONGEST_SLEEP))).await;
            }
        }))
    }

    fn revoked(&self) -> Option<BoxFuture<'static, AuthError>> {
        let revocations: Revocations = self.origin().engine().revocations.clone()?;
        let (caller, mut changes) = (self.clone(), revocations.changes());
        Some(Box::pin(async move {
            while !revocations.is_revoked(&caller.question()) {
                if changes.changed().await.is_err() {
                    // Impossible: the revocations are held here.
                    return pending().await;
                }
            }
            AuthErrorKind::TokenRevoked.into()
        }))
    }
}
