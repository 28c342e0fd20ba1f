//! What a policy decides, now or soon.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{AuthError, future::PanicCaught, hooks::panicked};

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
/// Dropped it never allows, and a panic of a rule rejects as a fault of the application (500).
#[must_use = "futures do nothing unless polled"]
pub struct Deciding {
    future: PanicCaught<'static, Result<(), AuthError>>,
}

impl Deciding {
    pub(crate) fn new(
        future: impl Future<Output = Result<(), AuthError>> + Send + 'static,
    ) -> Self {
        Self { future: PanicCaught(Box::pin(future)) }
    }
}

impl Future for Deciding {
    type Output = Result<(), AuthError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.future).poll(cx).map(|answer| answer.unwrap_or_else(|| Err(panicked())))
    }
}

impl fmt::Debug for Deciding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deciding").finish_non_exhaustive()
    }
}
