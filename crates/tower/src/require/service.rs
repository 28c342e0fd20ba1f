//! The service that checks a policy.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use portcullis::{
    AuthContext, Grant,
    adapter::{Authorization, Outcome},
    future::MaybePending,
};
use tower_service::Service;

use super::RequireLayer;
use crate::{ProblemJson, ResponseForRejection, future::AuthFuture, route::Route};

/// The service of [`RequireLayer`].
#[derive(Debug)]
pub struct Require<S, G = Grant, R = ProblemJson> {
    inner: S,
    // Shared, because frameworks clone a service for each request.
    layer: Arc<RequireLayer<G, R>>,
}

impl<S, G, R> Require<S, G, R> {
    pub(super) fn new(inner: S, layer: RequireLayer<G, R>) -> Self {
        Self { inner, layer: Arc::new(layer) }
    }
}

impl<S: Clone, G, R> Clone for Require<S, G, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: Arc::clone(&self.layer) }
    }
}

impl<S, G, R, ReqBody, ResBody> Service<Request<ReqBody>> for Require<S, G, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    G: Send + Sync + 'static,
    R: ResponseForRejection<ResBody> + Clone,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = AuthFuture<S, R, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let RequireLayer { authorization, respond } = &*self.layer;
        let outcome = authorize(authorization, &mut request);
        AuthFuture::new(outcome, request, &mut self.inner, respond)
    }
}

fn authorize<G: Send + Sync + 'static, B>(
    authorization: &Authorization<G>,
    request: &mut Request<B>,
) -> MaybePending<Outcome> {
    if !authorization.looks_at_route() {
        let method = request.method().as_str();
        return authorization.authorize(request.extensions().get(), &(), method);
    }
    let context = request.extensions().get::<AuthContext>().cloned();
    let route = Route::read(request);
    authorization.authorize(context.as_ref(), &route, route.method.as_str())
}
