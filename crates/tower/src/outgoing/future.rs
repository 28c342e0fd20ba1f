//! The way to the response.
//!
//! ```text
//!  no token ──▶ Waiting ──▶ Sent ──▶ response
//!  a token ────────────────▶ │
//!                            └ 401, and the request was kept ──▶ WaitingAgain ──▶ ReadyAgain ──▶ Sent (the last one)
//! ```

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use pin_project_lite::pin_project;
use portcullis::future::BoxFuture;
use portcullis_mint::{AddBearerTokenError, IssuedToken, TokenError};
use tower_service::Service;

use super::{AddBearerTokenLayer, BoxError, NoReplay, Replay};

pin_project! {
    /// The future of [`AddBearerToken`](super::AddBearerToken).
    #[must_use = "futures do nothing unless polled"]
    pub struct AddBearerTokenFuture<S, ReqBody, R = NoReplay>
    where
        S: Service<Request<ReqBody>>,
        R: Replay<ReqBody>,
    {
        #[pin]
        state: State<S, ReqBody, R>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, ReqBody, R>
    where
        S: Service<Request<ReqBody>>,
        R: Replay<ReqBody>,
    {
        Sent {
            #[pin]
            future: S::Future,
            // `None` if the response says nothing of a token of this layer.
            sent: Option<SentToken<S, R, R::Kept>>,
        },
        Rejected {
            error: Option<AddBearerTokenError>,
        },
        // Behind a pointer, because few requests wait, and all futures have the size of the largest.
        Waiting {
            waiting: Option<Box<Waiting<S, ReqBody, R>>>,
        },
        WaitingAgain {
            second: Option<Box<SecondTry<S, R, R::Kept, S::Response>>>,
        },
        ReadyAgain {
            second: Option<Box<ReadyAgain<S, ReqBody, R>>>,
        },
    }
}

/// The token of a request on its way.
struct SentToken<S, R, K> {
    token: IssuedToken,
    layer: AddBearerTokenLayer<R>,
    again: Option<Again<S, K>>,
}

/// What a second try needs.
struct Again<S, K> {
    service: S,
    kept: K,
}

/// The wait for a token, and what a request needs to go on after it.
struct Waiting<S, ReqBody, R> {
    token: BoxFuture<'static, Result<IssuedToken, TokenError>>,
    request: Request<ReqBody>,
    service: S,
    layer: AddBearerTokenLayer<R>,
}

/// The wait for another token, and the response that is the result if there is none.
struct SecondTry<S, R, K, T> {
    token: BoxFuture<'static, Option<IssuedToken>>,
    response: T,
    layer: AddBearerTokenLayer<R>,
    again: Again<S, K>,
}

/// A second try that waits for the service to be ready.
struct ReadyAgain<S, ReqBody, R> {
    service: S,
    request: Request<ReqBody>,
    token: IssuedToken,
    layer: AddBearerTokenLayer<R>,
}

impl<S, ReqBody, R> AddBearerTokenFuture<S, ReqBody, R>
where
    S: Service<Request<ReqBody>>,
    R: Replay<ReqBody>,
{
    pub(super) fn unchanged(future: S::Future) -> Self {
        Self { state: State::Sent { future, sent: None } }
    }

    pub(super) fn rejected(error: impl Into<AddBearerTokenError>) -> Self {
        Self { state: State::rejected(error) }
    }

    pub(super) fn send(
        request: Request<ReqBody>,
        token: IssuedToken,
        service: &mut S,
        layer: AddBearerTokenLayer<R>,
    ) -> Self
    where
        S: Clone,
    {
        Self { state: State::send(request, token, service, layer) }
    }

    pub(super) fn waiting(
        request: Request<ReqBody>,
        service: S,
        layer: AddBearerTokenLayer<R>,
    ) -> Self {
        let credentials = layer.credentials.clone();
        let token = Box::pin(async move { credentials.token().await });
        let waiting = Some(Box::new(Waiting { token, request, service, layer }));
        Self { state: State::Waiting { waiting } }
    }
}

impl<S, ReqBody, R> State<S, ReqBody, R>
where
    S: Service<Request<ReqBody>>,
    R: Replay<ReqBody>,
{
    fn rejected(error: impl Into<AddBearerTokenError>) -> Self {
        Self::Rejected { error: Some(error.into()) }
    }

    /// Sends a request for the first time.
    fn send(
        request: Request<ReqBody>,
        token: IssuedToken,
        service: &mut S,
        layer: AddBearerTokenLayer<R>,
    ) -> Self
    where
        S: Clone,
    {
        let (mut request, kept) = layer.replay.keep(request);
        if let Err(error) = layer.add(&mut request, &token) {
            return Self::rejected(error);
        }
        let again = kept.map(|kept| Again { service: service.clone(), kept });
        let future = service.call(request);
        Self::Sent { future, sent: Some(SentToken { token, layer, again }) }
    }
}

impl<S, R, K> SentToken<S, R, K> {
    /// Evaluates the response. Returns what a second try needs, if there is one.
    fn evaluate<B>(self, response: &Response<B>) -> Option<(Self, Again<S, K>)> {
        let headers = response.headers();
        let header = |name: &str| headers.get(name).map(|value| value.as_bytes());
        let status = response.status().as_u16();
        if !self.layer.credentials.evaluate(&self.token, status, header) {
            return None;
        }
        let Self { token, layer, again } = self;
        Some((Self { token, layer, again: None }, again?))
    }
}

impl<S, ReqBody, R, ResBody> Future for AddBearerTokenFuture<S, ReqBody, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    R: Replay<ReqBody>,
{
    type Output = Result<Response<ResBody>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            // What was taken out is missing only after the future was ready, when no executor polls it.
            let next = match state.as_mut().project() {
                StateProj::Sent { future, sent } => {
                    let response = ready!(future.poll(cx)).map_err(Into::into)?;
                    let Some((sent, again)) = sent.take().and_then(|sent| sent.evaluate(&response))
                    else {
                        return Poll::Ready(Ok(response));
                    };
                    let SentToken { token, layer, .. } = sent;
                    let credentials = layer.credentials.clone();
                    let token = Box::pin(async move { credentials.second_token(&token).await });
                    let second = Some(Box::new(SecondTry { token, response, layer, again }));
                    State::WaitingAgain { second }
                }
                StateProj::Rejected { error } => match error.take() {
                    Some(error) => return Poll::Ready(Err(error.into())),
                    None => return Poll::Pending,
                },
                StateProj::Waiting { waiting } => {
                    let Some(token) = waiting.as_mut().map(|waiting| waiting.token.as_mut()) else {
                        return Poll::Pending;
                    };
                    let token = ready!(token.poll(cx));
                    let Some(waiting) = waiting.take() else { return Poll::Pending };
                    let Waiting { request, mut service, layer, .. } = *waiting;
                    match token {
                        Ok(token) => State::send(request, token, &mut service, layer),
                        Err(error) => State::rejected(error),
                    }
                }
                StateProj::WaitingAgain { second } => {
                    let Some(token) = second.as_mut().map(|second| second.token.as_mut()) else {
                        return Poll::Pending;
                    };
                    let token = ready!(token.poll(cx));
                    let Some(second) = second.take() else { return Poll::Pending };
                    let SecondTry { response, layer, again: Again { service, kept }, .. } = *second;
                    let Some(token) = token else { return Poll::Ready(Ok(response)) };
                    let Some(request) = layer.replay.again(kept) else {
                        return Poll::Ready(Ok(response));
                    };
                    let second = Some(Box::new(ReadyAgain { service, request, token, layer }));
                    State::ReadyAgain { second }
                }
                StateProj::ReadyAgain { second } => {
                    let Some(service) = second.as_mut().map(|second| &mut second.service) else {
                        return Poll::Pending;
                    };
                    ready!(service.poll_ready(cx)).map_err(Into::into)?;
                    let Some(second) = second.take() else { return Poll::Pending };
                    let ReadyAgain { mut service, mut request, token, layer } = *second;
                    match layer.add(&mut request, &token) {
                        Ok(()) => {
                            let future = service.call(request);
                            State::Sent {
                                future,
                                sent: Some(SentToken { token, layer, again: None }),
                            }
                        }
                        Err(error) => State::rejected(error),
                    }
                }
            };
            state.set(next);
        }
    }
}

impl<S, ReqBody, R> std::fmt::Debug for AddBearerTokenFuture<S, ReqBody, R>
where
    S: Service<Request<ReqBody>>,
    R: Replay<ReqBody>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddBearerTokenFuture").finish_non_exhaustive()
    }
}
