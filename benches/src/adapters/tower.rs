//! A service of tower, without a framework.

use std::{convert::Infallible, hint::black_box};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use portcullis::Authenticator;
use portcullis_tower::JwtAuthLayer;
use tower::{Layer, Service, service_fn};

use super::{
    BODY,
    axum::{headers, request},
    now,
};
use crate::Run;

/// The application without auth.
#[must_use]
pub fn service<B: Send + 'static>()
-> impl Service<Request<B>, Response = Response<Full<Bytes>>, Error = Infallible, Future: Send>
+ Clone
+ Send {
    service_fn(async |_| Ok(Response::new(Full::from(BODY))))
}

pub(super) fn in_process(authorization: &str, auth: Option<Authenticator>) -> Run {
    match auth {
        None => run(authorization, service()),
        Some(auth) => run(authorization, JwtAuthLayer::new(auth).layer(service())),
    }
}

fn run<S>(authorization: &str, service: S) -> Run
where
    S: Service<Request<()>, Response = Response<Full<Bytes>>, Error = Infallible> + Clone + 'static,
{
    let headers = headers(authorization);
    Box::new(move || {
        let response = now(service.clone().call(request(&headers, ()))).expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        black_box(response);
    })
}
