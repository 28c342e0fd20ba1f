//! The way to the response: to the service inside or to a rejection, after a wait if the engine needs one.

use std::{
    fmt,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use actix_web::{
    Error, HttpMessage,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap, HeaderValue},
};
use pin_project_lite::pin_project;
use portcullis::{
    adapter::Outcome,
    future::{BoxFuture, MaybePending},
    revocation::SetCookies,
};

use crate::{
    ResponseForRejection,
    rejection::respond_to,
    set_cookies::{change_cookies, change_cookies_of_result},
};

pin_project! {
    /// The future of [`JwtAuth`](crate::JwtAuth) and [`Require`](crate::Require).
    #[must_use = "futures do nothing unless polled"]
    pub struct AuthFuture<S, R, L>
    where
        S: Service<ServiceRequest>,
    {
        #[pin]
        state: State<S, R, L>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, R, L>
    where
        S: Service<ServiceRequest>,
    {
        Inner {
            #[pin]
            future: S::Future,
            cache_control: Option<&'static str>,
            set_cookies: Option<SetCookies>,
        },
        Rejected {
            response: Option<ServiceResponse>,
        },
        // Behind a pointer, because few requests wait, and all futures have the size of the largest.
        Waiting {
            waiting: Option<Box<Waiting<S, R, L>>>,
        },
    }
}

/// A request that waits for its outcome.
struct Waiting<S, R, L> {
    outcome: BoxFuture<'static, Outcome>,
    request: ServiceRequest,
    inner: Rc<Inner<S, R, L>>,
}

/// What a middleware shares with the requests that wait.
#[derive(Debug)]
pub(crate) struct Inner<S, R, L> {
    pub(crate) service: S,
    pub(crate) respond: R,
    pub(crate) layer: L,
}

/// What a middleware checks before it passes a request on, when the outcome is there.
#[expect(unnameable_types, reason = "it bounds the type of a future that users do not name")]
pub trait Review {
    /// Returns the outcome, or a rejection in its place.
    fn review(&self, request: &ServiceRequest, outcome: Outcome) -> Outcome;
}

impl<S: Service<ServiceRequest>, R: ResponseForRejection, L: Review> AuthFuture<S, R, L> {
    /// Does with a request what the outcome says.
    pub(crate) fn new(
        outcome: MaybePending<Outcome>,
        request: ServiceRequest,
        inner: &Rc<Inner<S, R, L>>,
    ) -> Self {
        let state = match outcome {
            MaybePending::Ready(outcome) => State::after(outcome, request, inner),
            MaybePending::Pending(outcome) => {
                let waiting = Waiting { outcome, request, inner: Rc::clone(inner) };
                State::Waiting { waiting: Some(Box::new(waiting)) }
            }
        };
        Self { state }
    }
}

impl<S: Service<ServiceRequest>, R: ResponseForRejection, L: Review> State<S, R, L> {
    fn after(outcome: Outcome, request: ServiceRequest, inner: &Inner<S, R, L>) -> Self {
        let outcome = inner.layer.review(&request, outcome);
        let cache_control = outcome.cache_control();
        let set_cookies = outcome.set_cookies;
        match outcome.result {
            Ok(context) => {
                if let Some(context) = context {
                    request.extensions_mut().insert(context);
                }
                Self::Inner { future: inner.service.call(request), cache_control, set_cookies }
            }
            Err(rejection) => {
                let mut response = respond_to(&rejection, &inner.respond);
                set_cache_control(response.headers_mut(), cache_control);
                if let Some(cookies) = set_cookies {
                    change_cookies(response.headers_mut(), &cookies);
                }
                Self::Rejected { response: Some(request.into_response(response)) }
            }
        }
    }
}

impl<S, R, L, B> Future for AuthFuture<S, R, L>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    R: ResponseForRejection,
    L: Review,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Inner { future, cache_control, set_cookies } => {
                    let mut result = ready!(future.poll(cx));
                    if let Some(value) = *cache_control {
                        set_cache_control_of_result(&mut result, value);
                    }
                    if let Some(cookies) = set_cookies.take() {
                        change_cookies_of_result(&mut result, cookies);
                    }
                    return Poll::Ready(result.map(ServiceResponse::map_into_left_body));
                }
                StateProj::Rejected { response } => match response.take() {
                    Some(response) => return Poll::Ready(Ok(response.map_into_right_body())),
                    // Polled after it was ready, which no executor does.
                    None => return Poll::Pending,
                },
                StateProj::Waiting { waiting } => {
                    let Some(pending) = waiting.as_mut() else { return Poll::Pending };
                    let outcome = ready!(pending.outcome.as_mut().poll(cx));
                    let Some(waiting) = waiting.take() else { return Poll::Pending };
                    let Waiting { request, inner, .. } = *waiting;
                    State::after(outcome, request, &inner)
                }
            };
            state.set(next);
        }
    }
}

impl<S: Service<ServiceRequest>, R, L> fmt::Debug for AuthFuture<S, R, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthFuture").finish_non_exhaustive()
    }
}

fn set_cache_control(headers: &mut HeaderMap, value: Option<&'static str>) {
    if let Some(value) = value {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    }
}

/// The same if the service inside may have failed: the response is made from its error later.
fn set_cache_control_of_result<B>(
    result: &mut Result<ServiceResponse<B>, Error>,
    value: &'static str,
) {
    match result {
        Ok(response) => set_cache_control(response.headers_mut(), Some(value)),
        Err(error) => error.add_response_mapper(move |mut response| {
            set_cache_control(response.headers_mut(), Some(value));
            response
        }),
    }
}
