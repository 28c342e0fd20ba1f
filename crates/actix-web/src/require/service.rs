//! The service that asks for rights.

use std::{
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse},
};
use portcullis::{AuthContext, AuthError, BoxFuture, ChallengeSettings, MaybePending};

use super::{
    Require, RequireFuture,
    route::{Route, pattern},
};
use crate::{Rejection, ResponseForRejection};

/// The service of [`Require`].
#[derive(Debug)]
pub struct RequireMiddleware<S, G, R> {
    shared: Rc<Shared<S, G, R>>,
}

/// What requests that wait share with the middleware.
#[derive(Debug)]
pub(super) struct Shared<S, G, R> {
    pub(super) service: S,
    pub(super) config: Require<G, R>,
}

impl<S, G, R> RequireMiddleware<S, G, R> {
    pub(super) fn new(service: S, config: Require<G, R>) -> Self {
        Self { shared: Rc::new(Shared { service, config }) }
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
    type Future = RequireFuture<S, G, R>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.shared.service.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let Shared { service, config } = &*self.shared;
        let pattern = if config.looks_at_route { pattern(request.request()) } else { None };
        match config.begin(request.request(), pattern.as_deref()) {
            Begun::Done(Ok(())) => RequireFuture::inner(service.call(request)),
            Begun::Done(Err(rejection)) => {
                RequireFuture::rejected(config.reject(request, *rejection))
            }
            Begun::Waiting(deciding, settings) => {
                RequireFuture::waiting(deciding, request, settings, Rc::clone(&self.shared))
            }
        }
    }
}

/// What the policy says of a request, now or soon.
enum Begun {
    Done(Result<(), Box<Rejection>>),
    Waiting(BoxFuture<'static, Result<(), AuthError>>, Arc<ChallengeSettings>),
}

impl<G: Send + Sync + 'static, R> Require<G, R> {
    fn begin(&self, request: &HttpRequest, pattern: Option<&str>) -> Begun {
        let extensions = request.extensions();
        let context = extensions.get::<AuthContext>();
        if context.is_some_and(AuthContext::is_passed_preflight) {
            return Begun::Done(Ok(()));
        }
        let (caller, grant) = match AuthContext::required_grant::<G>(context) {
            Ok(found) => found,
            Err(reason) => {
                return Begun::Done(Err(Box::new(Rejection::no_caller(reason, request.method()))));
            }
        };
        let settings = || Arc::clone(caller.challenge_settings());
        match self.policy.authorize(caller, &grant, &Route { request, pattern }) {
            MaybePending::Ready(result) => {
                Begun::Done(result.map_err(|error| rejection(error, settings(), request)))
            }
            MaybePending::Pending(deciding) => Begun::Waiting(deciding, settings()),
        }
    }
}

impl<G, R: ResponseForRejection> Require<G, R> {
    pub(super) fn reject(&self, request: ServiceRequest, rejection: Rejection) -> ServiceResponse {
        request.into_response(rejection.into_response(&self.rejections))
    }
}

pub(super) fn rejection(
    error: AuthError,
    settings: Arc<ChallengeSettings>,
    request: &HttpRequest,
) -> Box<Rejection> {
    Box::new(Rejection::new(error, settings, request.method()))
}
