//! The service that authenticates requests.

use std::{
    rc::Rc,
    sync::atomic::Ordering,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse},
};
use portcullis::{Rejection, adapter::Outcome, error::LayerError, future::MaybePending};

use super::JwtAuth;
use crate::{
    AuthFuture, ResponseForRejection,
    auth_future::{Inner, Review},
    remove_tokens::{Removed, has_visible_tokens},
    request_view::View,
};

/// The service of [`JwtAuth`].
#[derive(Debug)]
pub struct JwtAuthMiddleware<S, G, R> {
    inner: Rc<Inner<S, R, JwtAuth<G, ()>>>,
}

impl<S, G, R> JwtAuthMiddleware<S, G, R> {
    pub(super) fn new(service: S, respond: R, layer: JwtAuth<G, ()>) -> Self {
        Self { inner: Rc::new(Inner { service, respond, layer }) }
    }
}

impl<S, G, R, B> Service<ServiceRequest> for JwtAuthMiddleware<S, G, R>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    G: Send + Sync + 'static,
    R: ResponseForRejection,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = AuthFuture<S, R, JwtAuth<G, ()>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.service.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        AuthFuture::new(self.inner.layer.authenticate(&request), request, &self.inner)
    }
}

impl<G: Send + Sync + 'static> JwtAuth<G, ()> {
    /// A preflight passes only if the service inside would see no token of it. Otherwise it is
    /// authenticated like any other request, so that no client without a valid token can cause a 500.
    fn authenticate(&self, request: &ServiceRequest) -> MaybePending<Outcome> {
        let (head, extensions) = (request.head(), request.extensions());
        let view = View::with(head, extensions.get::<Removed>());
        let auth = self.authentication.authenticator();
        if let Some(passed) = self.authentication.preflight(&view, head.method.as_str())
            && !has_visible_tokens(auth, head, &passed.hidden)
        {
            return MaybePending::Ready(passed);
        }
        self.authentication.authenticate(&view, head.method.as_str(), &head.uri)
    }
}

impl<G: Send + Sync + 'static> Review for JwtAuth<G, ()> {
    /// Rejects a request whose tokens the service inside would see. The log names the line to add once:
    /// clients decide how often this happens.
    fn review(&self, request: &ServiceRequest, outcome: Outcome) -> Outcome {
        let auth = self.authentication.authenticator();
        if outcome.result.is_err() || !has_visible_tokens(auth, request.head(), &outcome.hidden) {
            return outcome;
        }
        let error = LayerError::TokensNotRemoved;
        if !self.is_reported.swap(true, Ordering::Relaxed) {
            error.report();
        }
        let rejection = Rejection::from(error).for_method(request.method().as_str());
        Outcome { result: Err(Box::new(rejection)), ..outcome }
    }
}
