//! The way to the response: to the inner service or to a rejection, after a wait if the engine needs one.

use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{HeaderValue, Request, Response, header};
use pin_project_lite::pin_project;
use portcullis::{
    adapter::Outcome,
    future::{BoxFuture, MaybePending},
    revocation::SetCookies,
};
use tower_service::Service;

use crate::{
    ResponseForRejection, rejection::respond_to, request::hide_tokens, set_cookies::change_cookies,
};

pin_project! {
    /// The future of [`JwtAuth`](crate::service::JwtAuth) and [`Require`](crate::service::Require).
    #[must_use = "futures do nothing unless polled"]
    pub struct AuthFuture<S, R, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        state: State<S, R, ReqBody>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, R, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        Inner {
            #[pin]
            future: S::Future,
            cache_control: Option<&'static str>,
            set_cookies: Option<SetCookies>,
        },
        Rejected {
            response: Option<S::Response>,
        },
        // Behind a pointer, because few requests wait, and all futures have the size of the largest.
        Waiting {
            waiting: Option<Box<Waiting<S, R, ReqBody>>>,
        },
    }
}

/// A request that waits for its outcome.
struct Waiting<S, R, ReqBody> {
    outcome: BoxFuture<'static, Outcome>,
    request: Request<ReqBody>,
    service: S,
    respond: R,
}

impl<S, R, ReqBody, ResBody> AuthFuture<S, R, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    R: ResponseForRejection<ResBody> + Clone,
{
    /// Does with a request what the outcome says, for a service that was made ready.
    #[inline]
    pub fn new(
        outcome: MaybePending<Outcome>,
        request: Request<ReqBody>,
        service: &mut S,
        respond: &R,
    ) -> Self {
        let state = match outcome {
            MaybePending::Ready(outcome) => State::after(outcome, request, service, respond),
            MaybePending::Pending(outcome) => {
                // The service that was made ready is the one that must be called; a clone that was
                // not takes its place.
                let clone = service.clone();
                let service = mem::replace(service, clone);
                let waiting = Waiting { outcome, request, service, respond: respond.clone() };
                State::Waiting { waiting: Some(Box::new(waiting)) }
            }
        };
        Self { state }
    }
}

impl<S: Service<Request<ReqBody>>, R, ReqBody> AuthFuture<S, R, ReqBody> {
    /// Waits for the inner service, for a request that nothing decides about.
    #[inline]
    pub fn inner(future: S::Future) -> Self {
        Self { state: State::Inner { future, cache_control: None, set_cookies: None } }
    }
}

impl<S, R, ReqBody, ResBody> State<S, R, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    R: ResponseForRejection<ResBody>,
{
    #[inline]
    fn after(
        outcome: Outcome,
        mut request: Request<ReqBody>,
        service: &mut S,
        respond: &R,
    ) -> Self {
        let cache_control = outcome.cache_control();
        let set_cookies = outcome.set_cookies;
        match outcome.result {
            Ok(context) => {
                hide_tokens(&mut request, &outcome.hidden);
                if let Some(context) = context {
                    request.extensions_mut().insert(context);
                }
                Self::Inner { future: service.call(request), cache_control, set_cookies }
            }
            Err(rejection) => {
                let mut response = respond_to(&rejection, respond);
                set_cache_control(&mut response, cache_control);
                if let Some(cookies) = set_cookies {
                    change_cookies(response.headers_mut(), &cookies);
                }
                Self::Rejected { response: Some(response) }
            }
        }
    }
}

impl<S, R, ReqBody, ResBody> Future for AuthFuture<S, R, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    R: ResponseForRejection<ResBody>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Inner { future, cache_control, set_cookies } => {
                    let mut response = ready!(future.poll(cx))?;
                    set_cache_control(&mut response, *cache_control);
                    if let Some(cookies) = set_cookies {
                        change_cookies(response.headers_mut(), cookies);
                    }
                    return Poll::Ready(Ok(response));
                }
                StateProj::Rejected { response } => match response.take() {
                    Some(response) => return Poll::Ready(Ok(response)),
                    // Polled after it was ready, which no executor does.
                    None => return Poll::Pending,
                },
                StateProj::Waiting { waiting } => {
                    let Some(pending) = waiting.as_mut() else { return Poll::Pending };
                    let outcome = ready!(pending.outcome.as_mut().poll(cx));
                    let Some(waiting) = waiting.take() else { return Poll::Pending };
                    let Waiting { request, mut service, respond, .. } = *waiting;
                    State::after(outcome, request, &mut service, &respond)
                }
            };
            state.set(next);
        }
    }
}

impl<S: Service<Request<ReqBody>>, R, ReqBody> fmt::Debug for AuthFuture<S, R, ReqBody> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthFuture").finish_non_exhaustive()
    }
}

fn set_cache_control<B>(response: &mut Response<B>, value: Option<&'static str>) {
    if let Some(value) = value {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    }
}
