//! The way to the response: straight to the inner service, or after a wait for a token.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Request;
use pin_project_lite::pin_project;
use portcullis::future::BoxFuture;
use portcullis_mint::{IssuedToken, TokenError};
use tower_service::Service;

use super::{AddBearerTokenError, AddBearerTokenLayer, BoxError};

pin_project! {
    /// The future of [`AddBearerToken`](super::AddBearerToken).
    #[must_use = "futures do nothing unless polled"]
    pub struct AddBearerTokenFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        state: State<S, ReqBody>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        Inner {
            #[pin]
            future: S::Future,
        },
        Rejected {
            error: Option<AddBearerTokenError>,
        },
        // Behind a pointer, because few requests wait, and all futures have the size of the largest.
        Waiting {
            held: Option<Box<Held<S, ReqBody>>>,
        },
    }
}

/// The wait, and what a request needs to go on when it is over.
struct Held<S, ReqBody> {
    waiting: BoxFuture<'static, Result<IssuedToken, TokenError>>,
    request: Request<ReqBody>,
    service: S,
    layer: AddBearerTokenLayer,
}

impl<S, ReqBody> AddBearerTokenFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    pub(super) fn inner(future: S::Future) -> Self {
        Self { state: State::Inner { future } }
    }

    pub(super) fn rejected(error: AddBearerTokenError) -> Self {
        Self { state: State::Rejected { error: Some(error) } }
    }

    pub(super) fn waiting(
        request: Request<ReqBody>,
        service: S,
        layer: AddBearerTokenLayer,
    ) -> Self {
        let token = layer.token.clone();
        let waiting = Box::pin(async move { token.token().await });
        let held = Some(Box::new(Held { waiting, request, service, layer }));
        Self { state: State::Waiting { held } }
    }
}

impl<S, ReqBody> Future for AddBearerTokenFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
    S::Error: Into<BoxError>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Inner { future } => return future.poll(cx).map_err(Into::into),
                StateProj::Rejected { error } => match error.take() {
                    Some(error) => return Poll::Ready(Err(error.into())),
                    // Polled after it was ready, which no executor does.
                    None => return Poll::Pending,
                },
                StateProj::Waiting { held } => {
                    let Some(waiting) = held.as_mut().map(|held| held.waiting.as_mut()) else {
                        return Poll::Pending;
                    };
                    let token = ready!(waiting.poll(cx));
                    let Some(held) = held.take() else { return Poll::Pending };
                    let Held { mut request, mut service, layer, .. } = *held;
                    let added =
                        token.map_err(Into::into).and_then(|token| layer.add(&mut request, &token));
                    match added {
                        Ok(()) => State::Inner { future: service.call(request) },
                        Err(error) => State::Rejected { error: Some(error) },
                    }
                }
            };
            state.set(next);
        }
    }
}

impl<S, ReqBody> std::fmt::Debug for AddBearerTokenFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddBearerTokenFuture").finish_non_exhaustive()
    }
}
