//! The configuration of the middleware.

use std::future::{Ready, ready};

use actix_web::{
    Error,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};
use portcullis::{
    AuthError, Grant, Policy,
    adapter::{Authorization, Challenge},
};

use super::RequireMiddleware;
use crate::{ProblemJson, ResponseForRejection};

/// Asks for rights that a [policy](portcullis::policy) names: for `wrap` of an `App`, a scope, a
/// resource or a route.
///
/// 1. The caller must have been left in the request by a [`JwtAuth`](crate::JwtAuth) around this one.
///    Without it the answer is 500, and the log says which line to add.
/// 2. A caller without credentials, whom an optional middleware has let through, gets 401.
/// 3. A caller that the policy rejects gets 403, with the scope that was missing, or 401 where another
///    token or a fresh login is needed.
/// 4. A rule that is asynchronous holds the request until it answers. The service inside is not called
///    before.
///
/// Middlewares of this kind add up: an inner one can ask for more, never for less.
///
/// # Rules about the route
///
/// `wrap` of a resource or of a route sees the parameters of the whole path, those of scopes around
/// included. `wrap` of a scope sees those of its own prefix and of scopes around, and `wrap` of an
/// `App` none: the rest is routed later. A rule about a parameter that is not there yet never allows.
/// A handler must not take another parameter of the same name than the one that was judged, such as one
/// of a resource inside of a scope whose own is called so too.
///
/// [Exceptions for routes](Policy::except_route) belong to `wrap` of a resource or of a route too. The
/// route is the pattern of the resource, with the prefixes of the scopes around it. The middleware
/// rejects the request with 403 where the route is not certain:
///
/// - At `wrap` of a scope or an `App`, because the request has not reached a resource yet.
/// - Around a middleware that hides the type of the service inside, such as `middleware::from_fn`.
///   Wrap `Require` first: a later `wrap` is further outside.
/// - For a resource with several patterns, unless the path matches the first: actix-web names no other.
///   Register a resource for each pattern instead.
/// - In a default service. There is one exception: if the guards of a scope's resource `""` reject a
///   request for its path, the default service that the scope uses (its own or that of the `App`) sees
///   the route of that resource.
#[derive(Debug)]
#[must_use]
pub struct Require<G = Grant, R = ProblemJson> {
    authorization: Authorization<G>,
    respond: R,
}

impl<G> Require<G> {
    /// Creates the middleware. The [mistakes](Policy::mistakes) in the policy are logged.
    pub fn new(policy: Policy<G>) -> Self {
        Self { authorization: Authorization::new(policy), respond: ProblemJson }
    }
}

impl<G, R> Require<G, R> {
    /// Makes the responses to rejected requests. Default: [`ProblemJson`].
    pub fn response_for_rejection<R2>(self, respond: R2) -> Require<G, R2> {
        Require { authorization: self.authorization, respond }
    }

    /// Changes the challenges of rejections, before the response is made. Default: none is changed.
    pub fn map_challenge(
        self,
        map: impl Fn(Challenge, &AuthError) -> Challenge + Send + Sync + 'static,
    ) -> Self {
        Self { authorization: self.authorization.map_challenge(map), ..self }
    }
}

impl<G, R: Clone> Clone for Require<G, R> {
    fn clone(&self) -> Self {
        Self { authorization: self.authorization.clone(), respond: self.respond.clone() }
    }
}

impl<S, G, R, B> Transform<S, ServiceRequest> for Require<G, R>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    G: Send + Sync + 'static,
    R: ResponseForRejection + Clone,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = RequireMiddleware<S, G, R>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let (authorization, respond) = (self.authorization.clone(), self.respond.clone());
        ready(Ok(RequireMiddleware::new(service, respond, authorization)))
    }
}
