//! The response of the service inside, the rejection, or a wait for an asynchronous rule first.

use std::{
    fmt,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
};

use actix_web::{
    Error,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse},
};
use pin_project_lite::pin_project;
use portcullis::{AuthError, BoxFuture, ChallengeSettings};

use super::service::{Shared, rejection};
use crate::ResponseForRejection;

pin_project! {
    /// The future of [`RequireMiddleware`](super::RequireMiddleware).
    #[must_use = "futures do nothing unless polled"]
    pub struct RequireFuture<S, G, R>
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
        },
        Rejected {
            response: Option<ServiceResponse>,
        },
        Waiting {
            deciding: BoxFuture<'static, Result<(), AuthError>>,
            held: Option<Box<Held<S, G, R>>>,
        },
    }
}

/// What a request needs to go on when it is decided.
struct Held<S, G, R> {
    request: ServiceRequest,
    settings: Arc<ChallengeSettings>,
    shared: Rc<Shared<S, G, R>>,
}

impl<S: Service<ServiceRequest>, G, R> RequireFuture<S, G, R> {
    pub(super) fn inner(future: S::Future) -> Self {
        Self { state: State::Inner { future } }
    }

    pub(super) fn rejected(response: ServiceResponse) -> Self {
        Self { state: State::Rejected { response: Some(response) } }
    }

    pub(super) fn waiting(
        deciding: BoxFuture<'static, Result<(), AuthError>>,
        request: ServiceRequest,
        settings: Arc<ChallengeSettings>,
        shared: Rc<Shared<S, G, R>>,
    ) -> Self {
        let held = Some(Box::new(Held { request, settings, shared }));
        Self { state: State::Waiting { deciding, held } }
    }
}

impl<S, G, R, B> Future for RequireFuture<S, G, R>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    R: ResponseForRejection,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Inner { future } => {
                    let response = ready!(future.poll(cx))?;
                    return Poll::Ready(Ok(response.map_into_left_body()));
                }
                StateProj::Rejected { response } => match response.take() {
                    Some(response) => return Poll::Ready(Ok(response.map_into_right_body())),
                    // Polled after it was ready, which no executor does.
                    None => return Poll::Pending,
                },
                StateProj::Waiting { deciding, held } => {
                    let result = ready!(Pin::new(deciding).poll(cx));
                    let Some(held) = held.take() else { return Poll::Pending };
                    (*held).go_on(result)
                }
            };
            state.set(next);
        }
    }
}

impl<S, G, R> Held<S, G, R>
where
    S: Service<ServiceRequest>,
    R: ResponseForRejection,
{
    fn go_on(self, result: Result<(), AuthError>) -> State<S, G, R> {
        let Self { request, settings, shared } = self;
        match result {
            Ok(()) => State::Inner { future: shared.service.call(request) },
            Err(error) => {
                let rejection = rejection(error, settings, request.request());
                State::Rejected { response: Some(shared.config.reject(request, *rejection)) }
            }
        }
    }
}

impl<S: Service<ServiceRequest>, G, R> fmt::Debug for RequireFuture<S, G, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireFuture").finish_non_exhaustive()
    }
}
