//! A value that is ready now or later.

use std::{
    fmt, future, mem,
    pin::Pin,
    task::{Context, Poll},
};

use crate::BoxFuture;

/// A value that is ready now or later: the result of everything that may have to wait.
///
/// With keys at hand, the engine answers at once and allocates no future. An adapter looks at the
/// variants, so that such a request costs it no future either. Other code awaits it:
///
/// ```
/// use portcullis::{Authenticator, Principal};
///
/// async fn caller(auth: &Authenticator, token: &str) -> Option<Principal> {
///     let caller = auth.authenticate_token(token).await.ok()?;
///     Some(caller.principal().clone())
/// }
/// ```
#[must_use = "the request is not decided before you look at the value"]
#[expect(clippy::exhaustive_enums, reason = "an adapter must handle both")]
pub enum MaybePending<T> {
    /// The value.
    Ready(T),
    /// A future that returns the value. It waits for a bounded time.
    Pending(BoxFuture<'static, T>),
}

impl<T: Unpin + 'static> Future for MaybePending<T> {
    type Output = T;

    /// Polled after it has returned a ready value, it stays pending.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if let Self::Pending(future) = &mut *self {
            return future.as_mut().poll(cx);
        }
        // `future::pending()` has no size, so that its box allocates nothing.
        match mem::replace(&mut *self, Self::Pending(Box::pin(future::pending()))) {
            Self::Ready(value) => Poll::Ready(value),
            Self::Pending(_) => Poll::Pending,
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for MaybePending<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(value) => f.debug_tuple("Ready").field(value).finish(),
            Self::Pending(_) => f.debug_tuple("Pending").finish_non_exhaustive(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_value_is_returned_once() {
        let mut ready = MaybePending::Ready("value");
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert_eq!(Pin::new(&mut ready).poll(&mut cx), Poll::Ready("value"));
        assert_eq!(Pin::new(&mut ready).poll(&mut cx), Poll::Pending);
    }

    #[test]
    fn a_pending_value_is_that_of_the_future() {
        let mut pending = MaybePending::Pending(Box::pin(async { 7 }));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert_eq!(Pin::new(&mut pending).poll(&mut cx), Poll::Ready(7));
    }
}
