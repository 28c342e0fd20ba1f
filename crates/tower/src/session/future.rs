//! The way from the handler's response to the one with the renewed session.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use pin_project_lite::pin_project;
use portcullis::{Principal, future::BoxFuture, revocation::SetCookies};
use portcullis_mint::session::Sessions;

use crate::set_cookies::{change_cookies, forbid_caching, is_changed};

pin_project! {
    /// The future of [`Sessions`](super::Sessions).
    #[must_use = "futures do nothing unless polled"]
    pub struct SessionsFuture<F, B> {
        #[pin]
        handler: F,
        sessions: Sessions,
        caller: Option<Principal>,
        renewal: Option<Renewal<B>>,
    }
}

/// A response that waits for the renewal of its session.
struct Renewal<B> {
    response: Option<Response<B>>,
    cookies: BoxFuture<'static, Option<SetCookies>>,
}

impl<F, B> SessionsFuture<F, B> {
    pub(super) fn new(handler: F, sessions: Sessions, caller: Option<Principal>) -> Self {
        Self { handler, sessions, caller, renewal: None }
    }
}

impl<F, B, E> Future for SessionsFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.renewal.is_none() {
            let mut response = ready!(this.handler.poll(cx))?;
            if is_changed(response.headers(), this.sessions.removal().name()) {
                forbid_caching(response.headers_mut());
                return Poll::Ready(Ok(response));
            }
            let cookies = this.caller.take().and_then(|caller| this.sessions.renew(&caller));
            let Some(cookies) = cookies else { return Poll::Ready(Ok(response)) };
            *this.renewal = Some(Renewal { response: Some(response), cookies });
        }
        // It is there: otherwise the future has ended above.
        let Some(renewal) = this.renewal else { return Poll::Pending };
        let cookies = ready!(renewal.cookies.as_mut().poll(cx));
        // Polled after it was ready, which no executor does.
        let Some(mut response) = renewal.response.take() else { return Poll::Pending };
        if let Some(cookies) = cookies {
            change_cookies(response.headers_mut(), &cookies);
        }
        Poll::Ready(Ok(response))
    }
}

impl<F, B> fmt::Debug for SessionsFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionsFuture").finish_non_exhaustive()
    }
}
