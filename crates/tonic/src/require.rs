//! The layer that asks for rights.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use portcullis::{Grant, Policy};
use portcullis_tower::{PathParameters, RequireFuture};
use tonic::body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::{BoxError, GrpcStatus, MethodAuthFuture, TonicBody, request::RejectionForm};

/// Asks for rights that a [policy](crate::policy) names: on a single service, with tonic's
/// `LayerExt::named_layer`, or on all that is inside.
///
/// 1. The caller must have been left in the request by a [`JwtAuthLayer`](crate::JwtAuthLayer) around
///    this one. Without that layer the status is 13, and the log says which line to add.
/// 2. A caller without credentials, whom an optional layer has let through, gets 16.
/// 3. A caller that the policy rejects gets 7, with the scope that was missing.
///
/// Layers of this kind and [`MethodPolicies`](crate::MethodPolicies) add up: an inner one can ask for
/// more, never for less. Rejections have the form of the `JwtAuthLayer`.
///
/// # Examples
///
/// ```
/// use portcullis_tonic::{JwtAuthLayer, RequireLayer, policy::role};
/// use tonic::{service::LayerExt, transport::Server};
/// # use portcullis_tonic::Authenticator;
///
/// # fn server(auth: Authenticator) {
/// # let (_, orders) = tonic_health::server::health_reporter();
/// Server::builder()
///     .layer(JwtAuthLayer::new(auth))
///     .add_service(RequireLayer::new(role("admin")).named_layer(orders));
/// # }
/// ```
#[derive(Debug)]
#[must_use]
pub struct RequireLayer<G = Grant> {
    required: Required<G>,
}

impl<G> RequireLayer<G> {
    /// Creates the layer. The log is told of [mistakes](Policy::mistakes) in the policy.
    pub fn new(policy: Policy<G>) -> Self {
        Self { required: Required::new(policy) }
    }
}

impl<G> Clone for RequireLayer<G> {
    fn clone(&self) -> Self {
        Self { required: self.required.clone() }
    }
}

impl<S, G> Layer<S> for RequireLayer<G> {
    type Service = Require<S, G>;

    fn layer(&self, inner: S) -> Self::Service {
        Require { inner: TonicBody::new(inner), required: self.required.clone() }
    }
}

/// The service of [`RequireLayer`].
#[derive(Debug)]
pub struct Require<S, G = Grant> {
    inner: TonicBody<S>,
    required: Required<G>,
}

impl<S: Clone, G> Clone for Require<S, G> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), required: self.required.clone() }
    }
}

impl<S, G, ReqBody, ResBody> Service<Request<ReqBody>> for Require<S, G>
where
    S: Service<Request<Body>, Response = Response<ResBody>> + Clone,
    G: Send + Sync + 'static,
    ReqBody: http_body::Body<Data = Bytes> + Send + 'static,
    ReqBody::Error: Into<BoxError>,
    ResBody: http_body::Body<Data = Bytes> + Send + 'static,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = MethodAuthFuture<S>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let rejections = RejectionForm::of(request.extensions());
        let call = self.required.call(&mut self.inner, request.map(Body::new), &rejections);
        MethodAuthFuture::required(call, None)
    }
}

/// A policy that stands before a service.
#[derive(Debug)]
pub(crate) struct Required<G> {
    layer: portcullis_tower::RequireLayer<G>,
    /// Whether a rule does: found out once.
    looks_at_route: bool,
}

impl<G> Required<G> {
    pub(crate) fn new(policy: Policy<G>) -> Self {
        let looks_at_route = policy.looks_at_route();
        Self { layer: portcullis_tower::RequireLayer::new(policy), looks_at_route }
    }

    /// Calls a service that was made ready, if the policy allows it.
    pub(crate) fn call<S>(
        &self,
        service: &mut S,
        mut request: Request<Body>,
        rejections: &GrpcStatus,
    ) -> RequireFuture<S, GrpcStatus, Body>
    where
        S: Service<Request<Body>, Response = Response<Body>> + Clone,
        G: Send + Sync + 'static,
    {
        if self.looks_at_route {
            let route = request.uri().path().to_owned();
            request.extensions_mut().insert(PathParameters::new(route, NO_PARAMETERS));
        }
        // The service that was made ready is the one that must be called; a clone that was not takes
        // its place.
        let clone = service.clone();
        let ready = std::mem::replace(service, clone);
        self.layer.clone().response_for_rejection(rejections.clone()).layer(ready).call(request)
    }
}

/// The path is the full name of the method, and nothing in it differs from call to call.
const NO_PARAMETERS: [(&str, &str); 0] = [];

impl<G> Clone for Required<G> {
    fn clone(&self) -> Self {
        Self { layer: self.layer.clone(), looks_at_route: self.looks_at_route }
    }
}
