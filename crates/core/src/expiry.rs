//! The end of a token, for what goes on after the request was judged.

use std::{sync::Arc, time::Duration};

use crate::{AuthError, AuthErrorKind, BoxFuture, Principal, pipeline::good_until};

/// How long to sleep at most before the clock is looked at again: it may have been set, or the
/// machine may have slept.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

impl Principal {
    /// Waits until the engine would no longer accept this caller's token, and returns the error that it
    /// would reject it with: at the end of its [age](Self::expiry), and when this replica learns that it was
    /// revoked. If neither happens, this waits for ever.
    ///
    /// A request is judged once; this is for what goes on after that, such as a WebSocket, server-sent events
    /// or a stream. The future owns what it needs. It learns of revocations as requests do in local mode,
    /// from memory, also if the engine is [strict](crate::revocation::Revocations::strict). While the store
    /// is away, it goes on to wait.
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
        let expiry = self.expiry().unwrap_or_else(|| Box::pin(std::future::pending()));
        let Some(revocations) = self.origin().engine().revocations.clone() else { return expiry };
        let (caller, mut changes) = (self.clone(), revocations.changes());
        let revoked = async move {
            while !revocations.is_revoked(&caller.question()) {
                if changes.changed().await.is_err() {
                    // Impossible: the revocations are held here.
                    return std::future::pending().await;
                }
            }
            AuthErrorKind::TokenRevoked.into()
        };
        Box::pin(async move {
            tokio::select! {
                biased;
                error = revoked => error,
                error = expiry => error,
            }
        })
    }

    /// Returns a future that waits until the engine would no longer accept this caller's token for
    /// its age, leeway included, and then gives the error that it would reject it with. `None` if
    /// that time never comes.
    ///
    /// A request is judged once; this is for streams, which may go on for longer than their token is
    /// good. It goes by the clock of the engine.
    ///
    /// # Examples
    ///
    /// ```
    /// use portcullis::Principal;
    ///
    /// async fn stream_to(caller: &Principal) {
    ///     if let Some(expiry) = caller.expiry() {
    ///         let error = expiry.await;
    ///         assert_eq!(error.kind().code(), "token_expired");
    ///         // … and end the stream.
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn expiry(&self) -> Option<BoxFuture<'static, AuthError>> {
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
}
