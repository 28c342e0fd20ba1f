//! The configuration of the layer.

use portcullis::{
    AuthError, Grant, Policy,
    adapter::{Authorization, Challenge},
};
use tower_layer::Layer;

use super::Require;
use crate::ProblemJson;

/// Asks for rights that a [policy](portcullis::policy) names.
///
/// 1. The caller must have been left in the request by a [`JwtAuthLayer`](crate::JwtAuthLayer)
///    around this one. Without that layer the answer is 500, and the log says which line to add.
/// 2. A caller without credentials, whom an optional layer has let through, gets 401.
/// 3. A caller that the policy rejects gets 403, with the scope that was missing, or 401 where another
///    token or a fresh login is needed.
/// 4. A rule that is asynchronous holds the request until it answers. The inner service is not called
///    before.
///
/// Layers of this kind add up: an inner one can ask for more, never for less. An exception for one
/// route is made in the policy of the group, with [`except_route`](Policy::except_route).
///
/// # Deployment
///
/// Rules that look at the route need it: the layer stands *inside* of the router, on a route or with
/// axum's `route_layer` or `layer`. A router other than axum's, or one around this service, tells it by
/// [`PathParameters`](crate::PathParameters). Where no route is known such rules reject; so axum's
/// `layer`, which is there for unknown paths too, answers these with 403 instead of 404.
#[derive(Debug)]
#[must_use]
pub struct RequireLayer<G = Grant, R = ProblemJson> {
    pub(super) authorization: Authorization<G>,
    pub(super) respond: R,
}

impl<G> RequireLayer<G> {
    /// Creates the layer. The [mistakes](Policy::mistakes) in the policy are logged.
    pub fn new(policy: Policy<G>) -> Self {
        Self { authorization: Authorization::new(policy), respond: ProblemJson }
    }
}

impl<G, R> RequireLayer<G, R> {
    /// Makes the responses to rejected requests. Default: [`ProblemJson`].
    pub fn response_for_rejection<R2>(self, respond: R2) -> RequireLayer<G, R2> {
        RequireLayer { authorization: self.authorization, respond }
    }

    /// Changes the challenges of rejections, before the response is made. Default: none is changed.
    pub fn map_challenge(
        self,
        map: impl Fn(Challenge, &AuthError) -> Challenge + Send + Sync + 'static,
    ) -> Self {
        Self { authorization: self.authorization.map_challenge(map), ..self }
    }
}

impl<G, R: Clone> Clone for RequireLayer<G, R> {
    fn clone(&self) -> Self {
        Self { authorization: self.authorization.clone(), respond: self.respond.clone() }
    }
}

impl<S, G, R: Clone> Layer<S> for RequireLayer<G, R> {
    type Service = Require<S, G, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Require::new(inner, self.clone())
    }
}
