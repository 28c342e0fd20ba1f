//! The service that asks for rights.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use portcullis::{AuthContext, AuthError, BoxFuture, ChallengeSettings, Grant, MaybePending};
use tower_service::Service;

use super::{RequireFuture, RequireLayer, future::Held};
use crate::{ProblemJson, Rejection, ResponseForRejection, route::Route};

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
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    G: Send + Sync + 'static,
    R: ResponseForRejection<ResBody> + Clone,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = RequireFuture<S, R, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        match self.layer.begin(&mut request) {
            Ok(None) => RequireFuture::inner(self.inner.call(request)),
            Ok(Some((deciding, settings))) => {
                // The service that was made ready is the one that must be called; a clone that was
                // not takes its place.
                let clone = self.inner.clone();
                let service = std::mem::replace(&mut self.inner, clone);
                let rejections = self.layer.rejections.clone();
                RequireFuture::deciding(deciding, Held { request, service, rejections, settings })
            }
            Err(rejection) => {
                RequireFuture::rejected(rejection.into_response(&self.layer.rejections))
            }
        }
    }
}

type Deciding = BoxFuture<'static, Result<(), AuthError>>;

impl<G: Send + Sync + 'static, R> RequireLayer<G, R> {
    /// Decides, or returns what the decision waits for and what a challenge would name.
    fn begin<B>(
        &self,
        request: &mut Request<B>,
    ) -> Result<Option<(Deciding, Arc<ChallengeSettings>)>, Box<Rejection>> {
        let context = request.extensions().get::<AuthContext>();
        if context.is_some_and(AuthContext::is_passed_preflight) {
            return Ok(None);
        }
        let no_caller = |reason| Rejection::no_caller(reason, request.method());
        let (caller, grant) = AuthContext::required_grant::<G>(context).map_err(no_caller)?;
        let settings = Arc::clone(caller.challenge_settings());
        let decision = if self.looks_at_route {
            let caller = caller.clone();
            self.policy.authorize(&caller, &grant, &Route::read(request))
        } else {
            self.policy.authorize(caller, &grant, &())
        };
        match decision {
            MaybePending::Ready(Ok(())) => Ok(None),
            MaybePending::Ready(Err(error)) => {
                Err(Box::new(Rejection::new(error, settings, request.method())))
            }
            MaybePending::Pending(deciding) => Ok(Some((deciding, settings))),
        }
    }
}
