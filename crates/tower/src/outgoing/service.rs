//! The service that puts tokens on requests.

use std::task::{Context, Poll};

use http::{Request, header};
use tower_service::Service;

use super::{AddBearerTokenFuture, AddBearerTokenLayer, BoxError};

/// The service of [`AddBearerTokenLayer`].
#[derive(Clone, Debug)]
pub struct AddBearerToken<S> {
    inner: S,
    layer: AddBearerTokenLayer,
}

impl<S> AddBearerToken<S> {
    pub(super) fn new(inner: S, layer: AddBearerTokenLayer) -> Self {
        Self { inner, layer }
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
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        if request.headers().contains_key(header::AUTHORIZATION) {
            return AddBearerTokenFuture::inner(self.inner.call(request));
        }
        if let Err(error) = self.layer.permit(request.uri()) {
            return AddBearerTokenFuture::rejected(error);
        }
        match self.layer.token.current() {
            Some(token) => match self.layer.add(&mut request, &token) {
                Ok(()) => AddBearerTokenFuture::inner(self.inner.call(request)),
                Err(error) => AddBearerTokenFuture::rejected(error),
            },
            None => {
                // The service that was made ready is the one that must be called; a clone that was
                // not takes its place.
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                AddBearerTokenFuture::waiting(request, ready, self.layer.clone())
            }
        }
    }
}
