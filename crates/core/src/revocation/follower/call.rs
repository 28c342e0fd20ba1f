//! Calls of a store that end.

use std::time::Duration;

use super::failed;
use crate::{BoxFuture, Clock, future::PanicCaught, revocation::StoreError};

/// Calls a store. A call that takes too long, or that panics, is an error.
pub(in crate::revocation) async fn call<'s, T: Send + 's>(
    clock: &dyn Clock,
    limit: Duration,
    start: impl FnOnce() -> BoxFuture<'s, Result<T, StoreError>> + Send,
) -> Result<T, StoreError> {
    // Inside of a future, because a store may panic before it returns one.
    let call = PanicCaught(Box::pin(async { start().await }));
    tokio::select! {
        biased;
        outcome = call => outcome.unwrap_or_else(|| Err(failed("the store panicked"))),
        () = clock.sleep(limit) => Err(failed("the store did not answer in time")),
    }
}
