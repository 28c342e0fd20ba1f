//! The service that authenticates requests.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use portcullis::{Grant, future::MaybePending};
use tower_service::Service;

use super::layer::Settings;
use crate::{ProblemJson, ResponseForRejection, future::AuthFuture, request::View};

/// The service of [`JwtAuthLayer`](super::JwtAuthLayer).
#[derive(Debug)]
pub struct JwtAuth<S, G = Grant, R = ProblemJson> {
    inner: S,
    // Shared, because frameworks clone a service for each request.
    settings: Arc<Settings<G, R>>,
}

impl<S, G, R> JwtAuth<S, G, R> {
    pub(super) fn new(inner: S, settings: Arc<Settings<G, R>>) -> Self {
        Self { inner, settings }
    }
}

impl<S: Clone, G, R> Clone for JwtAuth<S, G, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), settings: Arc::clone(&self.settings) }
    }
}

impl<S, G, R, ReqBody, ResBody> Service<Request<ReqBody>> for JwtAuth<S, G, R>
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

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let Settings { authentication, respond } = &*self.settings;
        let (view, method) = (View::of(&request), request.method().as_str());
        let outcome = match authentication.preflight(&view, method) {
            Some(passed) => MaybePending::Ready(passed),
            None => authentication.authenticate(&view, method, request.uri()),
        };
        AuthFuture::new(outcome, request, &mut self.inner, respond)
    }
}
