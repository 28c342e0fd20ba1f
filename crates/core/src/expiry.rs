//! The end of a token, for what goes on after the request was judged.

use std::{sync::Arc, time::Duration};

use crate::{AuthError, BoxFuture, Principal, pipeline::good_until};

/// How long to sleep at most before the clock is looked at again: it may have been set, or the
/// machine may have slept.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

impl Principal {
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
