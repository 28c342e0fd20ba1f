//! The service that judges requests.

use std::task::{Context, Poll};

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header, uri::PathAndQuery,
};
use portcullis::{AuthContext, Grant, HiddenTokens, MaybePending, RequestView, Verdict};
use tower_service::Service;

use super::{
    JwtAuthLayer,
    future::{JwtAuthFuture, forbid_storing},
    layer::Preflight,
};
use crate::{ProblemJson, Rejection, ResponseForRejection};

/// The service of [`JwtAuthLayer`].
#[derive(Debug)]
pub struct JwtAuth<S, G = Grant, R = ProblemJson> {
    inner: S,
    layer: JwtAuthLayer<G, R>,
}

impl<S, G, R> JwtAuth<S, G, R> {
    pub(super) fn new(inner: S, layer: JwtAuthLayer<G, R>) -> Self {
        Self { inner, layer }
    }
}

impl<S: Clone, G, R: Clone> Clone for JwtAuth<S, G, R> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, G, R, ReqBody, ResBody> Service<Request<ReqBody>> for JwtAuth<S, G, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    G: Send + Sync + 'static,
    R: ResponseForRejection<ResBody> + Clone,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = JwtAuthFuture<S, G, R, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        if passes(self.layer.preflight, &request) {
            let hidden = self.layer.auth.hidden_tokens(&View::of(&request));
            let no_store = hide_tokens(&mut request, &hidden);
            let settings = self.layer.auth.challenge_settings();
            request.extensions_mut().insert(AuthContext::passed_preflight(settings));
            return JwtAuthFuture::inner(self.inner.call(request), no_store);
        }
        match self.layer.begin(&request) {
            MaybePending::Ready(verdict) => match self.layer.decide(&mut request, verdict) {
                Ok(no_store) => JwtAuthFuture::inner(self.inner.call(request), no_store),
                Err(response) => JwtAuthFuture::rejected(response),
            },
            MaybePending::Pending(waiting) => {
                // The service that was made ready is the one that must be called; a clone that was
                // not takes its place.
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                JwtAuthFuture::waiting(waiting, request, ready, self.layer.clone())
            }
        }
    }
}

impl<G: Send + Sync + 'static, R> JwtAuthLayer<G, R> {
    /// Judges a request, or waits for a key; never for a target that is open to everyone.
    fn begin<ReqBody>(&self, request: &Request<ReqBody>) -> MaybePending<Verdict<G>> {
        let view = View::of(request);
        match self.public.contain(request.uri()) {
            Ok(false) => self.auth.authenticate(&view),
            Ok(true) => MaybePending::Ready(self.auth.authenticate_now(&view).for_public_route()),
            Err(panic) => {
                let mut verdict = self.auth.authenticate_now(&view);
                verdict.result = Err(panic);
                verdict.admits_anonymous = false;
                MaybePending::Ready(verdict)
            }
        }
    }

    /// Leaves the context in the request, or makes the response of a rejection. Tells whether the
    /// response must not be stored.
    pub(super) fn decide<ReqBody, ResBody>(
        &self,
        request: &mut Request<ReqBody>,
        mut verdict: Verdict<G>,
    ) -> Result<bool, Response<ResBody>>
    where
        R: ResponseForRejection<ResBody>,
    {
        let no_store = hide_tokens(request, &verdict.hidden);
        self.hook.call(&mut verdict);
        match verdict.into_context(|| self.auth.challenge_settings()) {
            Ok(context) => {
                request.extensions_mut().insert(context);
                Ok(no_store)
            }
            Err(error) => {
                let settings = self.auth.challenge_settings();
                let rejection = Rejection::new(error, settings, request.method());
                let mut response = rejection.into_response(&self.rejections);
                if no_store {
                    forbid_storing(&mut response);
                }
                Err(response)
            }
        }
    }
}

/// What the engine sees of a request.
struct View<'a> {
    headers: &'a HeaderMap,
    uri: &'a Uri,
}

impl<'a> View<'a> {
    fn of<B>(request: &'a Request<B>) -> Self {
        Self { headers: request.headers(), uri: request.uri() }
    }
}

impl RequestView for View<'_> {
    fn field_values<'r>(&'r self, name: &str, visit: &mut dyn FnMut(&'r [u8])) {
        let values = match name {
            // By far the most frequent one need not be read as a name each time.
            "authorization" => self.headers.get_all(header::AUTHORIZATION),
            _ => self.headers.get_all(name),
        };
        values.iter().for_each(|value| visit(value.as_bytes()));
    }

    fn query(&self) -> Option<&str> {
        self.uri.query()
    }
}

fn passes<B>(preflight: Preflight, request: &Request<B>) -> bool {
    match preflight {
        Preflight::Judged => false,
        Preflight::Passed => is_preflight(request),
        Preflight::OptionsPassed => request.method() == Method::OPTIONS,
    }
}

fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Takes tokens out of the request. Tells whether there were any in the query, so that the response
/// must not be stored.
fn hide_tokens<B>(request: &mut Request<B>, hidden: &HiddenTokens) -> bool {
    for (name, values) in hidden.fields() {
        // The name is that of a field which is there, and the values are pieces of its values.
        let Ok(name) = HeaderName::try_from(name) else { continue };
        request.headers_mut().remove(&name);
        for value in values.iter().filter_map(|value| HeaderValue::from_bytes(value).ok()) {
            request.headers_mut().append(&name, value);
        }
    }
    let Some(query) = hidden.query() else { return false };
    replace_query(request.uri_mut(), query);
    true
}

/// Puts another query into a URI; an empty one goes with its question mark.
fn replace_query(uri: &mut Uri, query: &str) {
    let path = uri.path();
    let path_and_query = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    let mut parts = std::mem::take(uri).into_parts();
    // Both are pieces of a valid URI, so this parses. If it ever did not, the path alone is the
    // answer that leaks nothing.
    parts.path_and_query = PathAndQuery::try_from(path_and_query).ok();
    *uri = Uri::from_parts(parts).unwrap_or_default();
}
