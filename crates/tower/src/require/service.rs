//! The service that asks for rights.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use portcullis::Grant;
use tower_service::Service;

use super::{RequireFuture, RequireLayer};
use crate::{
    ProblemJson, Refusal, ResponseForRefusal,
    caller::{PassedPreflight, caller_and_grant},
};

/// The service of [`RequireLayer`].
#[derive(Debug)]
pub struct Require<S, G = Grant, R = ProblemJson> {
    inner: S,
    layer: RequireLayer<G, R>,
}

impl<S, G, R> Require<S, G, R> {
    pub(super) fn new(inner: S, layer: RequireLayer<G, R>) -> Self {
        Self { inner, layer }
    }
}

impl<S: Clone, G, R: Clone> Clone for Require<S, G, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, G, R, ReqBody, ResBody> Service<Request<ReqBody>> for Require<S, G, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    G: Send + Sync + 'static,
    R: ResponseForRefusal<ResBody>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = RequireFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        match self.layer.check(&request) {
            Ok(()) => RequireFuture::inner(self.inner.call(request)),
            Err(refusal) => RequireFuture::refused(refusal.into_response(&self.layer.refusals)),
        }
    }
}

impl<G: Send + Sync + 'static, R> RequireLayer<G, R> {
    fn check<B>(&self, request: &Request<B>) -> Result<(), Box<Refusal>> {
        if request.extensions().get::<PassedPreflight>().is_some() {
            return Ok(());
        }
        let method = request.method();
        let (caller, grant) = caller_and_grant::<G>(request.extensions())
            .map_err(|reason| Refusal::no_caller(reason, method))?;
        self.policy.check(caller, grant).map_err(|error| {
            Refusal::new(error, Arc::clone(caller.challenge_settings()), method)
        })?;
        Ok(())
    }
}
