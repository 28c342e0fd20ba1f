//! The service that puts tokens on calls.

use std::task::{Context, Poll};

use http::Request;
use tower_service::Service;

use super::AddBearerTokenFuture;
use crate::BoxError;

/// The service of [`AddBearerTokenLayer`](super::AddBearerTokenLayer).
#[derive(Clone, Debug)]
pub struct AddBearerToken<S> {
    inner: portcullis_tower::service::AddBearerToken<S>,
}

impl<S> AddBearerToken<S> {
    pub(super) fn new(inner: portcullis_tower::service::AddBearerToken<S>) -> Self {
        Self { inner }
    }
}

impl<S, ReqBody> Service<Request<ReqBody>> for AddBearerToken<S>
where
    S: Service<Request<ReqBody>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = AddBearerTokenFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        AddBearerTokenFuture::new(self.inner.call(request))
    }
}
