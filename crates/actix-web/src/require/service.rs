//! The service that checks a policy.

use std::{
    rc::Rc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse},
};
use portcullis::{
    adapter::{Authorization, Outcome},
    future::MaybePending,
};

use super::route::{Route, has_routed, pattern};
use crate::{
    AuthFuture, ResponseForRejection,
    auth_future::{Inner, Review},
};

/// The service of [`Require`](super::Require).
#[derive(Debug)]
pub struct RequireMiddleware<S, G, R> {
    inner: Rc<Inner<S, R, RoutedPolicy<G>>>,
}

impl<S, G, R> RequireMiddleware<S, G, R> {
    pub(super) fn new(service: S, respond: R, authorization: Authorization<G>) -> Self {
        // Elsewhere no route is known yet, whatever the framework says.
        let looks_at_route = authorization.looks_at_route() && has_routed::<S>();
        let layer = RoutedPolicy { authorization, looks_at_route };
        Self { inner: Rc::new(Inner { service, respond, layer }) }
    }
}

impl<S, G, R, B> Service<ServiceRequest> for RequireMiddleware<S, G, R>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    G: Send + Sync + 'static,
    R: ResponseForRejection,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = AuthFuture<S, R, RoutedPolicy<G>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.service.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let outcome = self.inner.layer.authorize(request.request());
        AuthFuture::new(outcome, request, &self.inner)
    }
}

/// A policy, and whether it sees the route.
#[derive(Debug)]
#[expect(unnameable_types, reason = "it is part of the type of a future that users do not name")]
pub struct RoutedPolicy<G> {
    authorization: Authorization<G>,
    looks_at_route: bool,
}

impl<G: Send + Sync + 'static> RoutedPolicy<G> {
    fn authorize(&self, request: &HttpRequest) -> MaybePending<Outcome> {
        let pattern = if self.looks_at_route { pattern(request) } else { None };
        let route = Route { request, pattern: pattern.as_deref() };
        let method = request.method().as_str();
        self.authorization.authorize(request.extensions().get(), &route, method)
    }
}

impl<G> Review for RoutedPolicy<G> {
    fn review(&self, _: &ServiceRequest, outcome: Outcome) -> Outcome {
        outcome
    }
}
