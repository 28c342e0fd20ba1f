//! The way to the response: from the service inside, and perhaps after a new token was made.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use actix_web::{
    Error,
    dev::ServiceResponse,
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
};
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
    result: Result<ServiceResponse<B>, Error>,
    name: HeaderName,
    token: BoxFuture<'static, Option<MintedToken>>,
}

impl<F, B> ReissueFuture<F, B> {
    pub(super) fn new(inner: F, caller: Option<(Reissuer, Principal)>) -> Self {
        Self { inner, caller, reissue: None }
    }
}

impl<F, B> Future for ReissueFuture<F, B>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.reissue.is_none() {
            let result = ready!(this.inner.poll(cx));
            let Some((reissuer, caller)) = this.caller.take() else {
                return Poll::Ready(result);
            };
            match start(&result, &reissuer, &caller) {
                Some((name, token)) => {
                    *this.reissue = Some(Box::new(Pending { result, name, token }));
                }
                None => return Poll::Ready(result),
            }
        }
        let Some(pending) = this.reissue.as_mut() else { return Poll::Pending };
        let token = ready!(pending.token.as_mut().poll(cx));
        // Polled after it was ready, which no executor does.
        let Some(pending) = this.reissue.take() else { return Poll::Pending };
        Poll::Ready(pending.finish(token))
    }
}

/// Starts to make a new token, unless there will be none.
fn start<B>(
    result: &Result<ServiceResponse<B>, Error>,
    reissuer: &Reissuer,
    caller: &Principal,
) -> Option<(HeaderName, BoxFuture<'static, Option<MintedToken>>)> {
    // The reissuer has checked it.
    let name = HeaderName::from_bytes(reissuer.header_name().as_bytes()).ok()?;
    if result.as_ref().is_ok_and(|response| response.headers().contains_key(&name)) {
        return None;
    }
    Some((name, reissuer.start(caller)?))
}

impl<B> Pending<B> {
    fn finish(self, token: Option<MintedToken>) -> Result<ServiceResponse<B>, Error> {
        let Self { mut result, name, .. } = self;
        let value = token.map(|token| HeaderValue::try_from(token.into_token()));
        let Some(Ok(mut value)) = value else { return result };
        value.set_sensitive(true);
        match &mut result {
            Ok(response) => add(response.headers_mut(), name, value),
            // The response is made from the error later.
            Err(error) => error.add_response_mapper(move |mut response| {
                add(response.headers_mut(), name.clone(), value.clone());
                response
            }),
        }
        result
    }
}

fn add(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    if !headers.contains_key(&name) {
        headers.insert(name, value);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

impl<F, B> fmt::Debug for ReissueFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReissueFuture").finish_non_exhaustive()
    }
}
