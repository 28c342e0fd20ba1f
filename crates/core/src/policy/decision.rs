//! What a policy decides, now or soon.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use crate::AuthError;

/// What a policy decides, now or soon.
#[derive(Debug)]
#[must_use = "nobody may go on before it is looked at"]
#[expect(clippy::exhaustive_enums, reason = "an adapter must handle both")]
pub enum Decision {
    /// It is decided.
    Done(Result<(), AuthError>),
    /// An asynchronous rule was reached, and has to answer first.
    Waiting(Deciding),
}

/// A decision that waits for an asynchronous rule.
///
/// It holds the caller and what the rules may ask of the route, and nothing else of the request.
/// Dropped, or ended by a panic of the rule, it never allows.
#[must_use = "futures do nothing unless polled"]
pub struct Deciding {
    future: Pin<Box<dyn Future<Output = Result<(), AuthError>> + Send>>,
}

impl Deciding {
    pub(crate) fn new(
        future: impl Future<Output = Result<(), AuthError>> + Send + 'static,
    ) -> Self {
        Self { future: Box::pin(future) }
    }
}

impl Future for Deciding {
    type Output = Result<(), AuthError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.future.as_mut().poll(cx)
    }
}

impl fmt::Debug for Deciding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deciding").finish_non_exhaustive()
    }
}
