//! The layer that asks for rights.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use portcullis::{Grant, Policy, adapter::Authorization};
use portcullis_tower::service::AuthFuture;
use tonic::body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::{BoxError, GrpcStatus, body::TonicBody, request::RejectionForm, route::authorize};

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
    authorization: Authorization<G>,
}

impl<G> RequireLayer<G> {
    /// Creates the layer. The [mistakes](Policy::mistakes) in the policy are logged.
    pub fn new(policy: Policy<G>) -> Self {
        Self { authorization: Authorization::new(policy) }
    }
}

impl<G> Clone for RequireLayer<G> {
    fn clone(&self) -> Self {
        Self { authorization: self.authorization.clone() }
    }
}

impl<S, G> Layer<S> for RequireLayer<G> {
    type Service = Require<S, G>;

    fn layer(&self, inner: S) -> Self::Service {
        Require { inner: TonicBody::new(inner), authorization: self.authorization.clone() }
    }
}

/// The service of [`RequireLayer`].
#[derive(Debug)]
pub struct Require<S, G = Grant> {
    inner: TonicBody<S>,
    authorization: Authorization<G>,
}

impl<S: Clone, G> Clone for Require<S, G> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), authorization: self.authorization.clone() }
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
    type Future = AuthFuture<TonicBody<S>, GrpcStatus, Body>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let outcome = authorize(&self.authorization, &request);
        let form = RejectionForm::of(request.extensions());
        AuthFuture::new(outcome, request.map(Body::new), &mut self.inner, &form)
    }
}
