//! An axum router.

use std::hint::black_box;

use axum::{Router, body::Body, routing::get};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use portcullis::Authenticator;
use portcullis_axum::JwtAuthLayer;
use tower::{Layer, Service, layer::util::Identity};

use super::{BODY, now};
use crate::Run;

/// The application without auth.
pub fn router() -> Router {
    Router::new().route("/hello", get(async || BODY))
}

pub(super) fn in_process(authorization: &str, auth: Option<Authenticator>) -> Run {
    match auth {
        None => run(authorization, router()),
        Some(auth) => run(authorization, router().layer(JwtAuthLayer::new(auth))),
    }
}

pub(super) fn around_the_router(authorization: &str, auth: Option<Authenticator>) -> Run {
    match auth {
        None => run(authorization, router()),
        Some(auth) => run(authorization, JwtAuthLayer::new(auth).layer(router())),
    }
}

pub(super) fn behind_an_idle_layer(authorization: &str) -> Run {
    run(authorization, router().layer(Identity::new()))
}

fn run<S, E>(authorization: &str, service: S) -> Run
where
    S: Service<Request<Body>, Response = axum::response::Response, Error = E> + Clone + 'static,
    E: std::fmt::Debug,
{
    let headers = headers(authorization);
    Box::new(move || {
        let request = request(&headers, Body::empty());
        let response = now(service.clone().call(request)).expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        black_box(now(response.into_body().collect()).expect("a body"));
    })
}

/// What a client sends beside the token.
pub(super) fn headers(authorization: &str) -> HeaderMap {
    let fields = [
        (header::HOST, "127.0.0.1:8080"),
        (header::USER_AGENT, "bench/1.0"),
        (header::ACCEPT, "*/*"),
        (header::AUTHORIZATION, authorization),
    ];
    fields.into_iter().map(|(name, value)| (name, value.parse().expect("a value"))).collect()
}

pub(super) fn request<B>(headers: &HeaderMap, body: B) -> Request<B> {
    let mut request = Request::new(body);
    *request.uri_mut() = http::Uri::from_static("/hello");
    *request.headers_mut() = headers.clone();
    request
}
