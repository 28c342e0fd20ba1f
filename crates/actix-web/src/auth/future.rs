//! The way to the response: straight to the service inside, a rejection, or a wait for a key first.

use std::{
    fmt,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
};

use actix_web::{
    Error,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap, HeaderValue},
};
use pin_project_lite::pin_project;
use portcullis::{BoxFuture, Verdict};

use super::service::{Outcome, Shared};
use crate::ResponseForRejection;

pin_project! {
    /// The future of [`JwtAuthMiddleware`](super::JwtAuthMiddleware).
    #[must_use = "futures do nothing unless polled"]
    pub struct JwtAuthFuture<S, G, R>
    where
        S: Service<ServiceRequest>,
    {
        #[pin]
        state: State<S, G, R>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, G, R>
    where
        S: Service<ServiceRequest>,
    {
        Inner {
            #[pin]
            future: S::Future,
            no_store: bool,
        },
        Rejected {
            response: Option<ServiceResponse>,
        },
        // Behind a pointer, because few requests wait, and all futures have the size of the largest.
        Waiting {
            waiting: BoxFuture<'static, Verdict<G>>,
            held: Option<Box<Held<S, G, R>>>,
        },
    }
}

/// What a request needs to go on when the wait is over.
struct Held<S, G, R> {
    request: ServiceRequest,
    shared: Rc<Shared<S, G, R>>,
}

impl<S: Service<ServiceRequest>, G, R: ResponseForRejection> JwtAuthFuture<S, G, R> {
    pub(super) fn after(
        outcome: Outcome,
        request: ServiceRequest,
        shared: &Shared<S, G, R>,
    ) -> Self {
        Self { state: State::after(outcome, request, shared) }
    }

    pub(super) fn waiting(
        waiting: BoxFuture<'static, Verdict<G>>,
        request: ServiceRequest,
        shared: Rc<Shared<S, G, R>>,
    ) -> Self {
        let held = Some(Box::new(Held { request, shared }));
        Self { state: State::Waiting { waiting, held } }
    }
}

impl<S: Service<ServiceRequest>, G, R: ResponseForRejection> State<S, G, R> {
    fn after(outcome: Outcome, request: ServiceRequest, shared: &Shared<S, G, R>) -> Self {
        let Outcome { rejection, no_store } = outcome;
        let Some(rejection) = rejection else {
            return Self::Inner { future: shared.service.call(request), no_store };
        };
        let mut response = rejection.into_response(&shared.config.rejections);
        if no_store {
            forbid_storing(response.headers_mut());
        }
        Self::Rejected { response: Some(request.into_response(response)) }
    }
}

impl<S, G, R, B> Future for JwtAuthFuture<S, G, R>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    G: Send + Sync + 'static,
    R: ResponseForRejection,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Inner { future, no_store } => {
                    let mut result = ready!(future.poll(cx));
                    if *no_store {
                        forbid_storing_result(&mut result);
                    }
                    return Poll::Ready(result.map(ServiceResponse::map_into_left_body));
                }
                StateProj::Rejected { response } => match response.take() {
                    Some(response) => return Poll::Ready(Ok(response.map_into_right_body())),
                    // Polled after it was ready, which no executor does.
                    None => return Poll::Pending,
                },
                StateProj::Waiting { waiting, held } => {
                    let verdict = ready!(waiting.as_mut().poll(cx));
                    let Some(held) = held.take() else { return Poll::Pending };
                    let Held { mut request, shared } = *held;
                    let outcome = shared.config.decide(&mut request, verdict);
                    State::after(outcome, request, &shared)
                }
            };
            state.set(next);
        }
    }
}

impl<S: Service<ServiceRequest>, G, R> fmt::Debug for JwtAuthFuture<S, G, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtAuthFuture").finish_non_exhaustive()
    }
}

/// Forbids caches to store the response, because the request's URI holds a token
/// ([RFC 6750 §2.3]).
///
/// [RFC 6750 §2.3]: https://www.rfc-editor.org/rfc/rfc6750#section-2.3
pub(super) fn forbid_storing(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// The same, where the service inside may have failed: the response is made of its error later.
fn forbid_storing_result<B>(result: &mut Result<ServiceResponse<B>, Error>) {
    match result {
        Ok(response) => forbid_storing(response.headers_mut()),
        Err(error) => error.add_response_mapper(|mut response| {
            forbid_storing(response.headers_mut());
            response
        }),
    }
}
