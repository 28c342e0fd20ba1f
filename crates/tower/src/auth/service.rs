//! The service that judges requests.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, Method, Request, Response, Uri, header, uri::PathAndQuery};
use portcullis::{AuthErrorKind, Grant, RequestView};
use tower_service::Service;

use super::{
    JwtAuthLayer, ResponseFuture,
    layer::{Admission, Preflight},
};
use crate::{Anonymous, ProblemJson, Refusal, ResponseForRefusal, caller};

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
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    G: Send + Sync + 'static,
    R: ResponseForRefusal<ResBody>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let layer = &self.layer;
        let settings = || Arc::clone(layer.auth.challenge_settings());
        if layer.preflight == Preflight::Passed && is_preflight(&request) {
            request.extensions_mut().insert(Anonymous::new(settings()));
            return ResponseFuture::inner(self.inner.call(request));
        }
        let verdict = layer.auth.authenticate(&View::of(&request));
        let token_in_query = verdict.query_without_tokens.is_some();
        if let Some(query) = verdict.query_without_tokens {
            replace_query(request.uri_mut(), &query);
        }
        let future = match verdict.result {
            Ok(caller) => {
                caller::insert(request.extensions_mut(), caller);
                ResponseFuture::inner(self.inner.call(request))
            }
            Err(error)
                if error.kind() == AuthErrorKind::NoCredentials
                    && layer.admission == Admission::Optional =>
            {
                request.extensions_mut().insert(Anonymous::new(settings()));
                ResponseFuture::inner(self.inner.call(request))
            }
            Err(error) => {
                let refusal = Refusal::new(error, settings(), request.method());
                ResponseFuture::refused(refusal.into_response(&layer.respond))
            }
        };
        if token_in_query { future.no_store() } else { future }
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
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
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
