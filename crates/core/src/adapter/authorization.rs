//! What a layer that checks a policy does.

use std::sync::Arc;

use super::{ChallengeMap, Outcome};
use crate::{
    AuthContext, AuthError, Challenge, Grant, MaybePending, Policy, Rejection, policy::RouteView,
};

/// What a layer that checks a policy is configured with, and what it does. Cloning copies pointers.
#[derive(Debug)]
pub struct Authorization<G = Grant> {
    policy: Policy<G>,
    looks_at_route: bool,
    challenge: ChallengeMap,
}

impl<G> Authorization<G> {
    /// Takes the policy, and logs its [mistakes](Policy::mistakes).
    #[must_use]
    pub fn new(policy: Policy<G>) -> Self {
        policy.report_mistakes();
        let looks_at_route = policy.looks_at_route();
        Self { policy, looks_at_route, challenge: ChallengeMap::default() }
    }

    /// Changes the challenges of rejections. Default: none is changed.
    #[must_use]
    pub fn map_challenge(
        self,
        map: impl Fn(Challenge, &AuthError) -> Challenge + Send + Sync + 'static,
    ) -> Self {
        Self { challenge: ChallengeMap::new(map), ..self }
    }

    /// Returns whether a rule looks at the route. Otherwise the route may be `()`.
    #[must_use]
    #[inline]
    pub fn looks_at_route(&self) -> bool {
        self.looks_at_route
    }
}

impl<G: Send + Sync + 'static> Authorization<G> {
    /// Checks the policy for the caller in a request's context. A passed preflight passes.
    pub fn authorize(
        &self,
        context: Option<&AuthContext>,
        route: &dyn RouteView,
        method: &str,
    ) -> MaybePending<Outcome> {
        if context.is_some_and(AuthContext::is_passed_preflight) {
            return MaybePending::Ready(Outcome::pass());
        }
        authorize(&self.policy, context, route, method, &self.challenge)
    }
}

/// Checks a policy for the caller in a request's context. No request passes without a caller, a
/// preflight included.
pub fn authorize<G: Send + Sync + 'static>(
    policy: &Policy<G>,
    context: Option<&AuthContext>,
    route: &dyn RouteView,
    method: &str,
    map: &ChallengeMap,
) -> MaybePending<Outcome> {
    let is_head = method == "HEAD";
    let finish = move |rejection: Rejection, map: &ChallengeMap| {
        Box::new(rejection.for_head(is_head).map_challenge(map))
    };
    let (caller, grant) = match AuthContext::required_grant::<G>(context) {
        Ok(found) => found,
        Err(rejection) => {
            return MaybePending::Ready(Outcome::unchanged(Err(finish(*rejection, map))));
        }
    };
    let settings = || Arc::clone(caller.challenge_settings());
    match policy.authorize(caller, &grant, route) {
        MaybePending::Ready(result) => {
            let result = result.map_err(|error| finish(Rejection::new(error, settings()), map));
            MaybePending::Ready(Outcome::unchanged(result))
        }
        MaybePending::Pending(result) => {
            let (settings, map) = (settings(), map.clone());
            MaybePending::Pending(Box::pin(async move {
                let reject = |error| finish(Rejection::new(error, settings), &map);
                Outcome::unchanged(result.await.map_err(reject))
            }))
        }
    }
}

impl<G> Clone for Authorization<G> {
    fn clone(&self) -> Self {
        Self { policy: self.policy.clone(), challenge: self.challenge.clone(), ..*self }
    }
}
