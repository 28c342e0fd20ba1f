//! Results that may be pending, and futures of the application, which the engine polls.

pub use crate::maybe_pending::MaybePending;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

/// A future in a box: what the traits of this crate return, so that they can be objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Ends with `None` where the future inside panics, so that nothing but the request does.
pub(crate) struct PanicCaught<'a, T>(pub(crate) BoxFuture<'a, T>);

impl<T> Future for PanicCaught<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Some),
            Err(_) => Poll::Ready(None),
        }
    }
}
