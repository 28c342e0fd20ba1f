//! The way to the response: from the inner service, and perhaps after a new token was made.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{HeaderName, HeaderValue, Response, header};
use pin_project_lite::pin_project;
use portcullis::{Principal, future::BoxFuture};
use portcullis_mint::{MintedToken, Reissuer};

pin_project! {
    /// The future of [`Reissue`](super::Reissue).
    #[must_use = "futures do nothing unless polled"]
    pub struct ReissueFuture<F, B> {
        #[pin]
        inner: F,
        caller: Option<(Reissuer, Principal)>,
        // Behind a pointer, because few requests have one.
        reissue: Option<Box<Pending<B>>>,
    }
}

/// A response that waits for a new token.
struct Pending<B> {
    response: Response<B>,
    name: HeaderName,
    token: BoxFuture<'static, Option<MintedToken>>,
}

impl<B> Pending<B> {
    /// Starts to make a new token, or returns the response if there will be none.
    fn start(
        response: Response<B>,
        reissuer: &Reissuer,
        caller: &Principal,
    ) -> Result<Self, Response<B>> {
        // The reissuer has checked it.
        let Ok(name) = HeaderName::from_bytes(reissuer.header_name().as_bytes()) else {
            return Err(response);
        };
        if response.headers().contains_key(&name) {
            return Err(response);
        }
        match reissuer.start(caller) {
            Some(token) => Ok(Self { response, name, token }),
            None => Err(response),
        }
    }

    fn finish(self, token: Option<MintedToken>) -> Response<B> {
        let Self { mut response, name, .. } = self;
        let value = token.map(|token| HeaderValue::try_from(token.into_token()));
        if let Some(Ok(mut value)) = value {
            value.set_sensitive(true);
            let headers = response.headers_mut();
            headers.insert(name, value);
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        response
    }
}

impl<F, B> ReissueFuture<F, B> {
    pub(super) fn new(inner: F, caller: Option<(Reissuer, Principal)>) -> Self {
        Self { inner, caller, reissue: None }
    }
}

impl<F, B, E> Future for ReissueFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.reissue.is_none() {
            let response = ready!(this.inner.poll(cx))?;
            let Some((reissuer, caller)) = this.caller.take() else {
                return Poll::Ready(Ok(response));
            };
            match Pending::start(response, &reissuer, &caller) {
                Ok(pending) => *this.reissue = Some(Box::new(pending)),
                Err(response) => return Poll::Ready(Ok(response)),
            }
        }
        let Some(pending) = this.reissue.as_mut() else { return Poll::Pending };
        let token = ready!(pending.token.as_mut().poll(cx));
        // Polled after it was ready, which no executor does.
        let Some(pending) = this.reissue.take() else { return Poll::Pending };
        Poll::Ready(Ok(pending.finish(token)))
    }
}

impl<F, B> fmt::Debug for ReissueFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReissueFuture").finish_non_exhaustive()
    }
}
