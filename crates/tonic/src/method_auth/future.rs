//! The response of a service, whose stream ends when the token expires.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{Request, Response};
use pin_project_lite::pin_project;
use portcullis_tower::service::AuthFuture;
use tonic::body::Body;
use tower_service::Service;

use crate::{
    GrpcStatus,
    body::TonicBody,
    expiry::{Expiry, ResponseBody},
};

pin_project! {
    /// The future of [`MethodAuth`](super::MethodAuth).
    #[must_use = "futures do nothing unless polled"]
    pub struct MethodAuthFuture<S>
    where
        TonicBody<S>: Service<Request<Body>>,
    {
        #[pin]
        call: AuthFuture<TonicBody<S>, GrpcStatus, Body>,
        expiry: Option<Expiry>,
    }
}

impl<S> MethodAuthFuture<S>
where
    TonicBody<S>: Service<Request<Body>>,
{
    pub(super) fn new(
        call: AuthFuture<TonicBody<S>, GrpcStatus, Body>,
        expiry: Option<Expiry>,
    ) -> Self {
        Self { call, expiry }
    }
}

impl<S, E> Future for MethodAuthFuture<S>
where
    TonicBody<S>: Service<Request<Body>, Response = Response<Body>, Error = E>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.call.poll(cx))?;
        Poll::Ready(Ok(match this.expiry.take() {
            Some(expiry) => response.map(|body| Body::new(ResponseBody::new(body, expiry))),
            None => response,
        }))
    }
}

impl<S> fmt::Debug for MethodAuthFuture<S>
where
    TonicBody<S>: Service<Request<Body>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MethodAuthFuture").finish_non_exhaustive()
    }
}
