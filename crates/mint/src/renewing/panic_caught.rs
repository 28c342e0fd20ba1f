//! A source that panics counts as one that fails.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use portcullis::future::BoxFuture;

/// Returns `None` if the future inside panics.
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
