//! The service that judges requests.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, Method, Request, Response, Uri, header, uri::PathAndQuery};
use portcullis::{AuthErrorKind, Grant, Judgement, RequestView, Verdict};
use tower_service::Service;

use super::{
    JwtAuthLayer,
    future::{JwtAuthFuture, forbid_storing},
    layer::{Admission, Preflight},
};
use crate::{
    Anonymous, ProblemJson, Refusal, ResponseForRefusal,
    caller::{self, PassedPreflight},
};

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
    R: ResponseForRefusal<ResBody> + Clone,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = JwtAuthFuture<S, G, R, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        if self.layer.preflight == Preflight::Passed && is_preflight(&request) {
            let query = self.layer.auth.query_without_tokens(&View::of(&request));
            let no_store = hide_tokens(request.uri_mut(), query);
            self.layer.admit_anonymous(&mut request);
            request.extensions_mut().insert(PassedPreflight);
            return JwtAuthFuture::inner(self.inner.call(request), no_store);
        }
        match self.layer.auth.begin(&View::of(&request)) {
            Judgement::Done(verdict) => match self.layer.decide(&mut request, verdict) {
                Ok(no_store) => JwtAuthFuture::inner(self.inner.call(request), no_store),
                Err(response) => JwtAuthFuture::refused(response),
            },
            Judgement::Waiting(waiting) => {
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
    /// Leaves the caller in the request, or makes the response of a refusal. Tells whether the
    /// response must not be stored.
    pub(super) fn decide<ReqBody, ResBody>(
        &self,
        request: &mut Request<ReqBody>,
        verdict: Verdict<G>,
    ) -> Result<bool, Response<ResBody>>
    where
        R: ResponseForRefusal<ResBody>,
    {
        let no_store = hide_tokens(request.uri_mut(), verdict.query_without_tokens);
        match verdict.result {
            Ok(caller) => caller::insert(request.extensions_mut(), caller),
            Err(error)
                if error.kind() == AuthErrorKind::NoCredentials
                    && self.admission == Admission::Optional =>
            {
                self.admit_anonymous(request);
            }
            Err(error) => {
                let settings = Arc::clone(self.auth.challenge_settings());
                let refusal = Refusal::new(error, settings, request.method());
                let mut response = refusal.into_response(&self.respond);
                if no_store {
                    forbid_storing(&mut response);
                }
                return Err(response);
            }
        }
        Ok(no_store)
    }

    fn admit_anonymous<ReqBody>(&self, request: &mut Request<ReqBody>) {
        let anonymous = Anonymous::new(Arc::clone(self.auth.challenge_settings()));
        caller::insert_anonymous::<G>(request.extensions_mut(), anonymous);
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
        for value in self.headers.get_all(name) {
            visit(value.as_bytes());
        }
    }

    fn query(&self) -> Option<&str> {
        self.uri.query()
    }
}

fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Takes tokens out of the URI. Tells whether there were any, so that the response must not be stored.
fn hide_tokens(uri: &mut Uri, query_without_tokens: Option<String>) -> bool {
    let Some(query) = query_without_tokens else { return false };
    replace_query(uri, &query);
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
