//! The configuration of the layer.

use portcullis::{AuthError, Challenge, ChallengeMap, Grant, Policy};
use tower_layer::Layer;

use super::Require;
use crate::{ProblemJson, rejection::RejectionForm};

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
    pub(super) policy: Policy<G>,
    /// Whether a rule does: found out once.
    pub(super) looks_at_route: bool,
    pub(super) rejections: RejectionForm<R>,
}

impl<G> RequireLayer<G> {
    /// Creates the layer. The log is told of [mistakes](Policy::mistakes) in the policy.
    pub fn new(policy: Policy<G>) -> Self {
        policy.report_mistakes();
        let looks_at_route = policy.looks_at_route();
        Self { policy, looks_at_route, rejections: RejectionForm::default() }
    }
}

impl<G, R> RequireLayer<G, R> {
    /// Makes the responses to rejected requests. Default: [`ProblemJson`].
    pub fn response_for_rejection<R2>(self, respond: R2) -> RequireLayer<G, R2> {
        let Self { policy, looks_at_route, rejections } = self;
        RequireLayer { policy, looks_at_route, rejections: rejections.with_response(respond) }
    }

    /// Changes what rejected callers are told, before the response is made of it. Default: nothing is
    /// changed.
    pub fn map_challenge(
        mut self,
        map: impl Fn(Challenge, &AuthError) -> Challenge + Send + Sync + 'static,
    ) -> Self {
        self.rejections.challenge = ChallengeMap::new(map);
        self
    }
}

impl<G, R: Clone> Clone for RequireLayer<G, R> {
    fn clone(&self) -> Self {
        Self { policy: self.policy.clone(), rejections: self.rejections.clone(), ..*self }
    }
}

impl<S, G, R: Clone> Layer<S> for RequireLayer<G, R> {
    type Service = Require<S, G, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Require::new(inner, self.clone())
    }
}
