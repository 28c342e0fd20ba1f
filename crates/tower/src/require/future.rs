//! The response of the inner service, or the rejection; after a wait, if a rule takes time.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use pin_project_lite::pin_project;
use portcullis::{AuthError, BoxFuture, ChallengeSettings};
use tower_service::Service;

use crate::{Rejection, ResponseForRejection, rejection::RejectionForm};

pin_project! {
    /// The future of [`Require`](super::Require).
    #[must_use = "futures do nothing unless polled"]
    pub struct RequireFuture<S, R, ReqBody>
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
        },
        Rejected {
            response: Option<S::Response>,
        },
        Deciding {
            deciding: BoxFuture<'static, Result<(), AuthError>>,
            held: Option<Box<Held<S, R, ReqBody>>>,
        },
    }
}

/// What a request needs to go on when it is decided.
pub(super) struct Held<S, R, ReqBody> {
    pub(super) request: Request<ReqBody>,
    pub(super) service: S,
    pub(super) rejections: RejectionForm<R>,
    pub(super) settings: Arc<ChallengeSettings>,
}

impl<S, R, ReqBody> RequireFuture<S, R, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    pub(super) fn inner(future: S::Future) -> Self {
        Self { state: State::Inner { future } }
    }

    pub(super) fn rejected(response: S::Response) -> Self {
        Self { state: State::Rejected { response: Some(response) } }
    }

    pub(super) fn deciding(
        deciding: BoxFuture<'static, Result<(), AuthError>>,
        held: Held<S, R, ReqBody>,
    ) -> Self {
        Self { state: State::Deciding { deciding, held: Some(Box::new(held)) } }
    }
}

impl<S, R, ReqBody, ResBody> Future for RequireFuture<S, R, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    R: ResponseForRejection<ResBody>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Inner { future } => return future.poll(cx),
                StateProj::Rejected { response } => match response.take() {
                    Some(response) => return Poll::Ready(Ok(response)),
                    // Polled after it was ready, which no executor does.
                    None => return Poll::Pending,
                },
                StateProj::Deciding { deciding, held } => {
                    let decided = ready!(Pin::new(deciding).poll(cx));
                    let Some(held) = held.take() else { return Poll::Pending };
                    let Held { request, mut service, rejections, settings } = *held;
                    match decided {
                        Ok(()) => State::Inner { future: service.call(request) },
                        Err(error) => {
                            let rejection = Rejection::new(error, settings, request.method());
                            State::Rejected { response: Some(rejection.into_response(&rejections)) }
                        }
                    }
                }
            };
            state.set(next);
        }
    }
}

impl<S, R, ReqBody> fmt::Debug for RequireFuture<S, R, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireFuture").finish_non_exhaustive()
    }
}
