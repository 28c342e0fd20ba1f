//! The way to the response: straight to the inner service, a rejection, or a wait for a key first.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{HeaderValue, Request, Response, header};
use pin_project_lite::pin_project;
use portcullis::{BoxFuture, Verdict};
use tower_service::Service;

use super::JwtAuthLayer;
use crate::ResponseForRejection;

pin_project! {
    /// The future of [`JwtAuth`](super::JwtAuth).
    #[must_use = "futures do nothing unless polled"]
    pub struct JwtAuthFuture<S, G, R, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        state: State<S, G, R, ReqBody>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, G, R, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        Inner {
            #[pin]
            future: S::Future,
            no_store: bool,
        },
        Rejected {
            response: Option<S::Response>,
        },
        // Behind a pointer, because few requests wait, and all futures have the size of the largest.
        Waiting {
            held: Option<Box<Held<S, G, R, ReqBody>>>,
        },
    }
}

/// The wait, and what a request needs to go on when it is over.
struct Held<S, G, R, ReqBody> {
    waiting: BoxFuture<'static, Verdict<G>>,
    request: Request<ReqBody>,
    service: S,
    layer: JwtAuthLayer<G, R>,
}

impl<S, G, R, ReqBody> JwtAuthFuture<S, G, R, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    pub(super) fn inner(future: S::Future, no_store: bool) -> Self {
        Self { state: State::Inner { future, no_store } }
    }

    pub(super) fn rejected(response: S::Response) -> Self {
        Self { state: State::Rejected { response: Some(response) } }
    }

    pub(super) fn waiting(
        waiting: BoxFuture<'static, Verdict<G>>,
        request: Request<ReqBody>,
        service: S,
        layer: JwtAuthLayer<G, R>,
    ) -> Self {
        let held = Some(Box::new(Held { waiting, request, service, layer }));
        Self { state: State::Waiting { held } }
    }
}

impl<S, G, R, ReqBody, ResBody> Future for JwtAuthFuture<S, G, R, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    G: Send + Sync + 'static,
    R: ResponseForRejection<ResBody>,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Inner { future, no_store } => {
                    let mut response = ready!(future.poll(cx))?;
                    if *no_store {
                        forbid_storing(&mut response);
                    }
                    return Poll::Ready(Ok(response));
                }
                StateProj::Rejected { response } => match response.take() {
                    Some(response) => return Poll::Ready(Ok(response)),
                    // Polled after it was ready, which no executor does.
                    None => return Poll::Pending,
                },
                StateProj::Waiting { held } => {
                    let Some(waiting) = held.as_mut().map(|held| &mut held.waiting) else {
                        return Poll::Pending;
                    };
                    let verdict = ready!(Pin::new(waiting).poll(cx));
                    let Some(held) = held.take() else { return Poll::Pending };
                    let Held { mut request, mut service, layer, .. } = *held;
                    match layer.decide(&mut request, verdict) {
                        Ok(no_store) => State::Inner { future: service.call(request), no_store },
                        Err(response) => State::Rejected { response: Some(response) },
                    }
                }
            };
            state.set(next);
        }
    }
}

impl<S, G, R, ReqBody> std::fmt::Debug for JwtAuthFuture<S, G, R, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JwtAuthFuture").finish_non_exhaustive()
    }
}

/// Forbids caches to store the response, because the request's URI holds a token
/// ([RFC 6750 §2.3]).
///
/// [RFC 6750 §2.3]: https://www.rfc-editor.org/rfc/rfc6750#section-2.3
pub(super) fn forbid_storing<B>(response: &mut Response<B>) {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
