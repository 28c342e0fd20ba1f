//! A gRPC service of tonic: the health service, which comes with it.

use std::{convert::Infallible, hint::black_box};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::{BodyExt, Full};
use portcullis::{Authenticator, policy};
use portcullis_tonic::{JwtAuthLayer, MethodPolicies};
use tonic::{body::Body, service::Routes};
use tower::{Layer, Service};

use super::{axum, now};
use crate::Run;

/// The one method that is called.
pub const METHOD: &str = "/grpc.health.v1.Health/Check";

/// A message without fields, as gRPC frames it.
const EMPTY_MESSAGE: [u8; 5] = [0; 5];

/// The application without auth.
#[must_use]
pub fn routes() -> Routes {
    let (_, health) = tonic_health::server::health_reporter();
    Routes::new(health)
}

pub(super) fn in_process(authorization: &str, auth: Option<Authenticator>) -> Run {
    match auth {
        None => run(authorization, routes()),
        Some(auth) => run(authorization, JwtAuthLayer::new(auth).layer(routes())),
    }
}

pub(super) fn by_method(authorization: &str, auth: Option<Authenticator>) -> Run {
    let Some(auth) = auth else { return run(authorization, routes()) };
    let rules = MethodPolicies::new().method(METHOD, policy::scope("orders:read"));
    let layer = JwtAuthLayer::new(auth).methods(rules).expect("a table");
    run(authorization, layer.layer(routes()))
}

fn run<S>(authorization: &str, service: S) -> Run
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + 'static,
{
    let headers = headers(authorization);
    Box::new(move || {
        let body = Full::new(Bytes::from_static(&EMPTY_MESSAGE));
        let mut request = axum::request(&headers, Body::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(METHOD);
        let response = now(service.clone().call(request)).expect("an answer");
        let body = now(response.into_body().collect()).expect("a body");
        let status = body.trailers().and_then(|trailers| trailers.get("grpc-status"));
        assert_eq!(status.map(HeaderValue::as_bytes), Some(&b"0"[..]));
        black_box(body);
    })
}

fn headers(authorization: &str) -> HeaderMap {
    let mut headers = axum::headers(authorization);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    headers
}
