//! Answering readiness probes.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use http::{Method, Request, Response};
use portcullis::{Authenticator, Grant};
use tower_service::Service;

use crate::rejection::plain;

/// Answers a readiness probe: whether each issuer has usable keys ([`Authenticator::health`]).
///
/// 1. `GET` and `HEAD` get 200 and `ready`, or 503 and `no usable keys`. Neither is cached, and no
///    client learns which issuer it is about: the log and [`Authenticator::key_status`] say.
/// 2. Any other method gets 405.
///
/// # Deployment
///
/// Probes bring no token: no [`JwtAuthLayer`](crate::JwtAuthLayer) may be around it, except one that
/// declares the path [public](crate::JwtAuthLayer::public). It says whether to send requests here, not
/// whether the program is alive: a restart brings no keys.
///
/// # Examples
///
/// ```
/// use http::Request;
/// use portcullis::Authenticator;
/// use portcullis_testkit::TestIssuer;
/// use portcullis_tower::ReadinessService;
/// use tower::ServiceExt;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = TestIssuer::new("https://idp.test");
/// let auth = Authenticator::builder().issuer(issuer.trusted()).audience("orders").build()?;
/// // In axum: `.route_service("/readyz", readiness)`.
/// let readiness = ReadinessService::new(auth);
///
/// let response = readiness.oneshot(Request::new(())).await?;
/// assert_eq!((response.status().as_u16(), &**response.body()), (200, "ready"));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct ReadinessService<G = Grant> {
    auth: Authenticator<G>,
}

impl<G> ReadinessService<G> {
    /// Answers for this engine.
    #[must_use]
    pub fn new(auth: Authenticator<G>) -> Self {
        Self { auth }
    }
}

impl<G: Send + Sync + 'static> ReadinessService<G> {
    fn respond(&self, method: &Method) -> Response<String> {
        let answer = self.auth.respond_to_probe(method.as_str());
        let body = if *method == Method::HEAD { "" } else { answer.body };
        plain(answer, body.to_owned())
    }
}

impl<G> Clone for ReadinessService<G> {
    fn clone(&self) -> Self {
        Self { auth: self.auth.clone() }
    }
}

impl<B, G: Send + Sync + 'static> Service<Request<B>> for ReadinessService<G> {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.respond(request.method())))
    }
}

#[cfg(test)]
mod tests {
    use http::header;
    use portcullis::{Issuer, keys::JwkSetFile};
    use portcullis_testkit::TestIssuer;

    use super::*;

    /// What a probe is told: status, body, and whether caches may keep it.
    fn probe(issuer: Issuer, method: &Method) -> (u16, String, Option<String>) {
        let auth = Authenticator::builder().issuer(issuer).audience("orders").build().unwrap();
        let response = ReadinessService::new(auth).respond(method);
        let kept = response.headers().get(header::CACHE_CONTROL);
        let kept = kept.map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), response.into_body(), kept)
    }

    #[test]
    fn a_probe_is_told_whether_there_are_keys_and_no_more() {
        let good = || TestIssuer::new("https://idp.test").trusted();
        let no_store = Some("no-store".to_owned());
        assert_eq!(probe(good(), &Method::GET), (200, "ready".to_owned(), no_store.clone()));
        assert_eq!(probe(good(), &Method::HEAD), (200, String::new(), no_store));
        for method in [&Method::POST, &Method::OPTIONS] {
            assert_eq!(probe(good(), method), (405, String::new(), None));
        }
        let missing = JwkSetFile::new("/missing/keys.json");
        let bad = || Issuer::new("https://idp.test").key_source(missing.clone());
        assert_eq!(probe(bad(), &Method::HEAD).0, 503);
        let (status, body, _) = probe(bad(), &Method::GET);
        assert_eq!((status, &*body), (503, "no usable keys"));
    }
}
