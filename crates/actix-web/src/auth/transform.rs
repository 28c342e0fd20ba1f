//! The configuration of the middleware.

use std::{
    future::{Ready, ready},
    sync::{Arc, atomic::AtomicBool},
};

use actix_web::{
    Error,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    http::Uri,
};
use portcullis::{
    AuthError, Authenticator, Grant,
    adapter::{Admission, Authentication, Challenge, Verdict},
};

use super::JwtAuthMiddleware;
use crate::{ProblemJson, ResponseForRejection};

/// Judges each request before the service inside sees it: for `wrap` of an `App`, a scope, a resource
/// or a route.
///
/// 1. The token is taken from the places of the engine. A request that is rejected gets its response
///    here; the service inside is not called. The response is no error of actix-web's, so that
///    middlewares around, such as that for CORS, treat it like any other.
/// 2. The middleware leaves one [`AuthContext`](crate::AuthContext) in the request's extensions.
///    [`Caller`](crate::Caller), [`Granted`](crate::Granted) and [`OtherCallers`](crate::OtherCallers) are
///    read from it.
/// 3. The response to a request with a token in the query gets `Cache-Control: no-store`
///    ([RFC 6750 §2.3]). The service inside never sees such a token, a token among WebSocket
///    subprotocols, or one that the engine [removes](portcullis::AuthenticatorBuilder::remove_tokens)
///    from another field: [`RemoveTokens`](crate::RemoveTokens) around the `App` removes it. Without
///    that, this middleware answers 500 instead of passing the request on.
/// 4. The middleware replaces what one of this kind around this one left, whatever type of grant that
///    one's engine makes: the verdict of the innermost one holds.
///
/// # Deployment
///
/// The engine is built once, outside of the closure that `HttpServer` calls for each of its workers,
/// and cloned inside of it: cloning copies a pointer.
///
/// Proxies in front still see the token, and so do handlers and middlewares if it is in a header field or
/// cookie that the engine does not remove it from. `Cors` belongs around this one, so that browsers can
/// read rejections too: `wrap` it after this one.
///
/// [RFC 6750 §2.3]: https://www.rfc-editor.org/rfc/rfc6750#section-2.3
#[derive(Debug)]
#[must_use]
pub struct JwtAuth<G = Grant, R = ProblemJson> {
    pub(super) authentication: Authentication<Uri, G>,
    respond: R,
    /// Whether the log says already that tokens are not removed. Clones share it.
    pub(super) is_reported: Arc<AtomicBool>,
}

impl<G: Send + Sync + 'static> JwtAuth<G> {
    /// Creates the middleware. Every request needs valid credentials.
    pub fn new(auth: Authenticator<G>) -> Self {
        let authentication = Authentication::new(auth);
        Self { authentication, respond: ProblemJson, is_reported: Arc::default() }
    }
}

impl<G: Send + Sync + 'static, R> JwtAuth<G, R> {
    /// Lets requests *without* credentials through, marked as [`Anonymous`](crate::adapter::Anonymous).
    /// Bad credentials are rejected all the same. Default: credentials are required.
    pub fn optional(self) -> Self {
        Self { authentication: self.authentication.with_admission(Admission::Optional), ..self }
    }

    /// Lets every request through: one without good credentials as
    /// [`Anonymous`](crate::adapter::Anonymous), which tells what was wrong with them.
    ///
    /// # Security
    ///
    /// Whatever the handler does for anonymous callers it does for forged and expired tokens too.
    /// [`Optional<Caller>`](crate::Optional) rejects those, and `Option<Caller>` does not.
    pub fn dangerous_admit_failed(self) -> Self {
        let admission = Admission::DangerousFailed;
        Self { authentication: self.authentication.with_admission(admission), ..self }
    }

    /// Lets CORS preflight requests through unjudged, past policies too: `OPTIONS` with the headers
    /// `Origin` and `Access-Control-Request-Method`. Browsers send them without credentials. Needed
    /// only where no CORS middleware around this one answers them: what is inside must not do anything
    /// else on `OPTIONS`. Default: they are judged.
    pub fn pass_preflight(self) -> Self {
        Self { authentication: self.authentication.pass_preflight(), ..self }
    }

    /// Lets requests for some targets through, whatever credentials they bring, for example the probes
    /// of a health check. A caller with valid credentials is known all the same; any other is
    /// [`Anonymous`](crate::adapter::Anonymous), which says what was wrong. Such a request never waits: a token
    /// whose key is not cached is not valid. Default: none.
    ///
    /// An engine for [production](portcullis::AuthenticatorBuilder::production) keeps these targets public.
    ///
    /// The function sees the URI as this middleware does. Policies inside still require a caller. If the
    /// function panics, the middleware rejects the request with 500.
    ///
    /// # Security
    ///
    /// The function must read the path as the router does: a request that the function takes for a probe
    /// and that the router leads elsewhere is open to every client. Declare whole paths public, not
    /// prefixes, or put public resources outside of what this middleware wraps.
    pub fn public(self, is_public: impl Fn(&Uri) -> bool + Send + Sync + 'static) -> Self {
        Self { authentication: self.authentication.public(is_public), ..self }
    }

    /// Makes the responses to requests that this middleware rejects. Default: [`ProblemJson`].
    ///
    /// Each middleware has its own; extractors that reject answer as [`ProblemJson`] does.
    pub fn response_for_rejection<R2>(self, respond: R2) -> JwtAuth<G, R2> {
        let Self { authentication, is_reported, .. } = self;
        JwtAuth { authentication, respond, is_reported }
    }

    /// Changes the challenge of a rejection before its response is made: for services that must
    /// answer as another system does. Default: nothing is changed.
    pub fn map_challenge(
        self,
        map: impl Fn(Challenge, &AuthError) -> Challenge + Send + Sync + 'static,
    ) -> Self {
        Self { authentication: self.authentication.map_challenge(map), ..self }
    }

    /// Renews [sessions](portcullis_mint::session::Sessions) in a cookie, and removes the cookie if its token is
    /// invalid. Behind an [optional](Self::optional) middleware, such a request goes on as one without credentials;
    /// otherwise it is rejected. A cookie whose token could not be verified (503) remains.
    #[cfg(feature = "mint")]
    pub fn with_sessions(
        self,
        sessions: portcullis_mint::session::Sessions,
    ) -> crate::SessionAuth<G, R> {
        let removal = sessions.removal().clone();
        let authentication = self.authentication.remove_invalid_cookie(removal);
        crate::SessionAuth::new(Self { authentication, ..self }, sessions)
    }

    /// Calls a function once for each request that this middleware judges, whatever the verdict: for
    /// an audit log, or metrics of the application's own. It must be quick. Where it
    /// panics the request is rejected (500). Default: none.
    pub fn on_verdict(self, hook: impl Fn(&Verdict<G>) + Send + Sync + 'static) -> Self {
        Self { authentication: self.authentication.on_verdict(hook), ..self }
    }
}

impl<G, R: Clone> Clone for JwtAuth<G, R> {
    fn clone(&self) -> Self {
        Self {
            authentication: self.authentication.clone(),
            respond: self.respond.clone(),
            is_reported: Arc::clone(&self.is_reported),
        }
    }
}

impl<G: Send + Sync + 'static, R: Clone> JwtAuth<G, R> {
    /// Returns the middleware around a service.
    pub(crate) fn wrap<S>(&self, service: S) -> JwtAuthMiddleware<S, G, R> {
        let layer = self.clone().response_for_rejection(());
        JwtAuthMiddleware::new(service, self.respond.clone(), layer)
    }
}

impl<S, G, R, B> Transform<S, ServiceRequest> for JwtAuth<G, R>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    G: Send + Sync + 'static,
    R: ResponseForRejection + Clone,
    B: MessageBody,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = JwtAuthMiddleware<S, G, R>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(self.wrap(service)))
    }
}
