//! The service that puts tokens on calls.

use std::task::{Context, Poll};

use http::{Request, Response};
use portcullis_tower::service::{NoReplay, Replay};
use tower_service::Service;

use super::AddBearerTokenFuture;
use crate::BoxError;

/// The service of [`AddBearerTokenLayer`](super::AddBearerTokenLayer).
#[derive(Clone, Debug)]
pub struct AddBearerToken<S, R = NoReplay> {
    inner: portcullis_tower::service::AddBearerToken<S, R>,
}

impl<S, R> AddBearerToken<S, R> {
    pub(super) fn new(inner: portcullis_tower::service::AddBearerToken<S, R>) -> Self {
        Self { inner }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for AddBearerToken<S, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    R: Replay<ReqBody>,
{
    type Response = Response<ResBody>;
    type Error = BoxError;
    type Future = AddBearerTokenFuture<S, ReqBody, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        AddBearerTokenFuture::new(self.inner.call(request))
    }
}
