//! The configuration of the layer.

use std::sync::Arc;

use http::Uri;
use portcullis::{
    AuthError, Authenticator, Grant,
    adapter::{Admission, Authentication, Challenge, Verdict},
};
use tower_layer::Layer;

use super::JwtAuth;
use crate::ProblemJson;

/// Judges each request before the inner service sees it.
///
/// 1. The token is taken from the places of the engine. A request that is rejected gets its response
///    here; the inner service is not called.
/// 2. The layer leaves one [`AuthContext`](crate::AuthContext) in the request's extensions.
///    [`Caller`](crate::Caller), [`Granted`](crate::Granted) and [`OtherCallers`](crate::OtherCallers) are
///    read from it.
/// 3. Parameters of the query that are places of tokens are taken out of the URI, and the response
///    gets `Cache-Control: no-store` ([RFC 6750 §2.3]). Tokens among WebSocket subprotocols are taken
///    out too, and other header fields where the engine
///    [says so](portcullis::AuthenticatorBuilder::remove_tokens).
/// 4. The layer replaces what a layer of this kind around this one left, whatever type of grant that
///    one's engine makes: the verdict of the innermost layer holds.
///
/// # Deployment
///
/// One layer for each engine: a second one of the same engine inside finds no token in the query,
/// because the outer one has taken it out.
///
/// Layers *around* this one, and proxies in front, still see the token: in the header, the cookie
/// and the query. A CORS layer belongs around this one, and exposes `WWW-Authenticate`, so that
/// pages of other origins can read rejections too.
///
/// [RFC 6750 §2.3]: https://www.rfc-editor.org/rfc/rfc6750#section-2.3
#[derive(Debug)]
#[must_use]
pub struct JwtAuthLayer<G = Grant, R = ProblemJson> {
    // Shared with each service, because axum makes one for each request.
    settings: Arc<Settings<G, R>>,
}

/// What the layer and its services share.
#[derive(Debug)]
pub(super) struct Settings<G, R> {
    pub(super) authentication: Authentication<Uri, G>,
    pub(super) respond: R,
}

impl<G: Send + Sync + 'static> JwtAuthLayer<G> {
    /// Creates the layer. Every request needs valid credentials.
    pub fn new(auth: Authenticator<G>) -> Self {
        Self::with(Authentication::new(auth), ProblemJson)
    }
}

impl<G, R> JwtAuthLayer<G, R> {
    fn with(authentication: Authentication<Uri, G>, respond: R) -> Self {
        Self { settings: Arc::new(Settings { authentication, respond }) }
    }
}

impl<G: Send + Sync + 'static, R: Clone> JwtAuthLayer<G, R> {
    fn set(self, change: impl FnOnce(Authentication<Uri, G>) -> Authentication<Uri, G>) -> Self {
        let Settings { authentication, respond } = Arc::unwrap_or_clone(self.settings);
        Self::with(change(authentication), respond)
    }

    /// Lets requests *without* credentials through, marked as [`Anonymous`](portcullis::adapter::Anonymous).
    /// Bad credentials are rejected all the same. Default: credentials are required.
    pub fn optional(self) -> Self {
        self.set(|authentication| authentication.with_admission(Admission::Optional))
    }

    /// Lets every request through: one without good credentials as
    /// [`Anonymous`](portcullis::adapter::Anonymous), which tells what was wrong with them.
    ///
    /// # Security
    ///
    /// Whatever the handler does for anonymous callers it does for forged and expired tokens too.
    pub fn dangerous_admit_failed(self) -> Self {
        self.set(|authentication| authentication.with_admission(Admission::DangerousFailed))
    }

    /// Lets CORS preflight requests through unjudged, past policies too: `OPTIONS` with the headers
    /// `Origin` and `Access-Control-Request-Method`. Browsers send them without credentials. Needed
    /// only where no CORS layer around this one answers them: what is inside must not do anything
    /// else on `OPTIONS`. Default: they are judged.
    pub fn pass_preflight(self) -> Self {
        self.set(|authentication| authentication.pass_preflight())
    }

    /// Lets requests for some targets through, whatever credentials they bring: for the probes of a
    /// health check, say. A caller with good ones is known all the same; any other is
    /// [`Anonymous`](portcullis::adapter::Anonymous), which tells what was wrong. Nothing is waited for: a token
    /// whose key is not at hand is not good. Default: none.
    ///
    /// An engine for [production](portcullis::AuthenticatorBuilder::production) keeps these targets public.
    ///
    /// The function sees the URI as this layer does. Policies inside ask for a caller all the same. If
    /// the function panics, the layer rejects the request with 500.
    ///
    /// # Security
    ///
    /// It must read the path as the router inside does: what it takes for a probe and the router for
    /// something else is open to everyone.
    pub fn public(self, is_public: impl Fn(&Uri) -> bool + Send + Sync + 'static) -> Self {
        self.set(|authentication| authentication.public(is_public))
    }

    /// Makes the responses to requests that this layer rejects. Default: [`ProblemJson`].
    ///
    /// Each layer has its own; extractors that reject answer as [`ProblemJson`] does.
    pub fn response_for_rejection<R2>(self, respond: R2) -> JwtAuthLayer<G, R2> {
        let Settings { authentication, .. } = Arc::unwrap_or_clone(self.settings);
        JwtAuthLayer::with(authentication, respond)
    }

    /// Changes the challenge of a rejection before its response is made: for services that must
    /// answer as another system does. Default: nothing is changed.
    pub fn map_challenge(
        self,
        map: impl Fn(Challenge, &AuthError) -> Challenge + Send + Sync + 'static,
    ) -> Self {
        self.set(|authentication| authentication.map_challenge(map))
    }

    /// Renews [sessions](portcullis_mint::session::Sessions) in a cookie, and removes the cookie if its token is
    /// invalid. Behind an [optional](Self::optional) layer, such a request goes on as one without credentials;
    /// otherwise it is rejected. A cookie whose token could not be verified (503) remains.
    #[cfg(feature = "mint")]
    pub fn with_sessions(
        self,
        sessions: portcullis_mint::session::Sessions,
    ) -> crate::SessionLayer<G, R> {
        let removal = sessions.removal().clone();
        let auth = self.set(|authentication| authentication.remove_invalid_cookie(removal));
        crate::SessionLayer::new(auth, sessions)
    }

    /// Calls a function once for each request that this layer judges, whatever the verdict: for an
    /// audit log, or metrics of the application's own. It must be quick. Where it
    /// panics the request is rejected (500). Default: none.
    pub fn on_verdict(self, hook: impl Fn(&Verdict<G>) + Send + Sync + 'static) -> Self {
        self.set(|authentication| authentication.on_verdict(hook))
    }
}

impl<G, R> Clone for JwtAuthLayer<G, R> {
    fn clone(&self) -> Self {
        Self { settings: Arc::clone(&self.settings) }
    }
}

impl<G, R: Clone> Clone for Settings<G, R> {
    fn clone(&self) -> Self {
        Self { authentication: self.authentication.clone(), respond: self.respond.clone() }
    }
}

impl<S, G, R> Layer<S> for JwtAuthLayer<G, R> {
    type Service = JwtAuth<S, G, R>;

    #[inline]
    fn layer(&self, inner: S) -> Self::Service {
        JwtAuth::new(inner, Arc::clone(&self.settings))
    }
}
