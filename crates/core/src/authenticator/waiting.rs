//! Requests that wait for a key.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use super::{Authenticator, Verdict};
#[cfg(feature = "remote")]
use crate::{
    AuthError, AuthErrorKind, Authenticated,
    issuer::Over,
    pipeline::{Patience, Stop},
};
use crate::{issuer::KeysComing, pipeline::Presented};

/// What the engine says of a request, now or soon.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "an adapter must handle both")]
pub enum Judgement<G = crate::Grant> {
    /// It is judged.
    Done(Verdict<G>),
    /// A key is on its way that it may need.
    Waiting(Waiting<G>),
}

/// A request that waits for a key, for a bounded time. It holds the tokens, and nothing else of the
/// request.
#[must_use = "futures do nothing unless polled"]
pub struct Waiting<G> {
    future: Pin<Box<dyn Future<Output = Verdict<G>> + Send>>,
    now: Verdict<G>,
}

impl<G> Waiting<G> {
    /// Returns the verdict by the keys at hand.
    #[must_use]
    pub fn give_up(self) -> Verdict<G> {
        self.now
    }
}

#[cfg(feature = "remote")]
impl<G: Send + Sync + 'static> Waiting<G> {
    pub(super) fn new(
        auth: &Authenticator<G>,
        tokens: &[Presented<'_>],
        coming: KeysComing,
        now: Verdict<G>,
    ) -> Self {
        let tokens: Vec<_> = tokens.iter().map(Presented::to_owned_token).collect();
        let hidden = now.hidden.clone();
        let auth = auth.clone();
        let future = Box::pin(async move {
            let wait = coming.longest_wait();
            let result = tokio::select! {
                result = judge_when_over(&auth, &tokens, coming) => result,
                () = auth.engine.clock.sleep(wait) => judge_at_last(&auth, &tokens),
            };
            auth.verdict(result, hidden)
        });
        Self { future, now }
    }
}

/// Judges anew whenever a fetch is over, until the key is there or no fetch is left.
#[cfg(feature = "remote")]
async fn judge_when_over<G: Send + Sync + 'static>(
    auth: &Authenticator<G>,
    tokens: &[Presented<'_>],
    mut coming: KeysComing,
) -> Result<Authenticated<G>, AuthError> {
    loop {
        let over = coming.next_over().await;
        let patience = if over == Over::AskAgain { Patience::Ask } else { Patience::JudgeNow };
        match auth.judge(tokens, patience) {
            Err(Stop { coming: Some(again), .. }) => coming = again,
            Err(stop) if over == Over::MoreToCome && is_about_keys(&stop.error) => {}
            judged => return judged.map_err(|stop| stop.error),
        }
    }
}

/// Judges at the end of the wait. A key that has not been looked up is not unknown.
#[cfg(feature = "remote")]
fn judge_at_last<G: Send + Sync + 'static>(
    auth: &Authenticator<G>,
    tokens: &[Presented<'_>],
) -> Result<Authenticated<G>, AuthError> {
    auth.judge(tokens, Patience::JudgeNow).map_err(|stop| match stop.error.kind() {
        AuthErrorKind::UnknownKey => AuthErrorKind::KeysUnavailable.into(),
        _ => stop.error,
    })
}

#[cfg(feature = "remote")]
fn is_about_keys(error: &AuthError) -> bool {
    matches!(error.kind(), AuthErrorKind::UnknownKey | AuthErrorKind::KeysUnavailable)
}

#[cfg(not(feature = "remote"))]
impl<G> Waiting<G> {
    #[expect(clippy::needless_pass_by_value, reason = "there is no value")]
    pub(super) fn new(
        _: &Authenticator<G>,
        _: &[Presented<'_>],
        coming: KeysComing,
        _: Verdict<G>,
    ) -> Self {
        match coming {}
    }
}

impl<G> Future for Waiting<G> {
    type Output = Verdict<G>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Verdict<G>> {
        self.future.as_mut().poll(cx)
    }
}

impl<G> fmt::Debug for Waiting<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").finish_non_exhaustive()
    }
}
