//! The configuration of the layer.

use portcullis::{Authenticator, Grant};
use tower_layer::Layer;

use super::JwtAuth;
use crate::ProblemJson;

/// Judges each request before the inner service sees it.
///
/// 1. The token is taken from the places of the engine. A request that is refused gets its response
///    here; the inner service is not called.
/// 2. The caller is left in the request's extensions, as [`Caller`](crate::Caller) and
///    [`Granted`](crate::Granted).
/// 3. Parameters of the query that are places of tokens are taken out of the URI, and the response
///    gets `Cache-Control: no-store` ([RFC 6750 §2.3]).
///
/// 4. What a layer of this kind around this one has left is replaced, not added to: the verdict of
///    the innermost layer holds.
///
/// # Deployment
///
/// One layer for each engine: a second one of the same engine inside finds no token in the query,
/// because the outer one has taken it out.
///
/// Layers *around* this one, and proxies in front, still see the token: in the header, the cookie
/// and the query. A CORS layer belongs around this one, so that browsers can read refusals too.
///
/// [RFC 6750 §2.3]: https://www.rfc-editor.org/rfc/rfc6750#section-2.3
#[derive(Debug)]
#[must_use]
pub struct JwtAuthLayer<G = Grant, R = ProblemJson> {
    pub(super) auth: Authenticator<G>,
    pub(super) admission: Admission,
    pub(super) preflight: Preflight,
    pub(super) respond: R,
}

/// What happens to a request without credentials.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Admission {
    Required,
    Optional,
}

/// What happens to a CORS preflight.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Preflight {
    Judged,
    Passed,
}

impl<G> JwtAuthLayer<G> {
    /// Creates the layer. Every request needs good credentials.
    pub fn new(auth: Authenticator<G>) -> Self {
        Self {
            auth,
            admission: Admission::Required,
            preflight: Preflight::Judged,
            respond: ProblemJson::default(),
        }
    }
}

impl<G, R> JwtAuthLayer<G, R> {
    /// Lets requests *without* credentials through, marked as [`Anonymous`](crate::Anonymous).
    /// Bad credentials are refused all the same. Default: credentials are required.
    pub fn optional(self) -> Self {
        Self { admission: Admission::Optional, ..self }
    }

    /// Lets CORS preflight requests through unjudged, past policies too: `OPTIONS` with the headers
    /// `Origin` and `Access-Control-Request-Method`. Browsers send them without credentials. Needed
    /// only where no CORS layer around this one answers them: what is inside must not do anything
    /// else on `OPTIONS`. Default: they are judged.
    pub fn pass_preflight(self) -> Self {
        Self { preflight: Preflight::Passed, ..self }
    }

    /// Makes the responses to requests that this layer refuses. Default: [`ProblemJson`].
    ///
    /// Each layer has its own; extractors that refuse answer as [`ProblemJson`] does.
    pub fn response_for_refusal<R2>(self, respond: R2) -> JwtAuthLayer<G, R2> {
        let Self { auth, admission, preflight, .. } = self;
        JwtAuthLayer { auth, admission, preflight, respond }
    }
}

impl<G, R: Clone> Clone for JwtAuthLayer<G, R> {
    fn clone(&self) -> Self {
        Self { auth: self.auth.clone(), respond: self.respond.clone(), ..*self }
    }
}

impl<S, G, R: Clone> Layer<S> for JwtAuthLayer<G, R> {
    type Service = JwtAuth<S, G, R>;

    fn layer(&self, inner: S) -> Self::Service {
        JwtAuth::new(inner, self.clone())
    }
}
