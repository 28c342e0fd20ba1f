//! Answering readiness probes.

use std::future::{Ready, ready};

use actix_web::{Handler, HttpRequest, HttpResponse};
use portcullis::{Authenticator, Grant};

use crate::rejection::plain;

/// Answers a readiness probe: whether each issuer has usable keys
/// ([`Authenticator::health`]). It is a handler.
///
/// 1. `GET` and `HEAD` get 200 and `ready`, or 503 and `no usable keys`. Neither is cached, and no
///    client learns which issuer it is about: the log and [`Authenticator::key_status`] say.
/// 2. Any other method gets 405.
///
/// # Deployment
///
/// Probes bring no token: no [`JwtAuth`](crate::JwtAuth) may be around it, except one that declares the
/// path [public](crate::JwtAuth::public). It says whether to send requests here, not whether the program
/// is alive: a restart brings no keys.
///
/// # Examples
///
/// ```
/// use actix_web::{App, test, web};
/// use portcullis_actix_web::{Authenticator, ReadinessService};
/// use portcullis_testkit::TestIssuer;
///
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = TestIssuer::new("https://idp.test");
/// let auth = Authenticator::builder().issuer(issuer.trusted()).audience("orders").build()?;
/// let app = App::new().route("/readyz", web::to(ReadinessService::new(auth)));
///
/// let app = test::init_service(app).await;
/// let request = test::TestRequest::get().uri("/readyz").to_request();
/// assert_eq!(test::call_and_read_body(&app, request).await, "ready");
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

impl<G> Clone for ReadinessService<G> {
    fn clone(&self) -> Self {
        Self { auth: self.auth.clone() }
    }
}

impl<G: Send + Sync + 'static> Handler<HttpRequest> for ReadinessService<G> {
    type Output = HttpResponse;
    type Future = Ready<HttpResponse>;

    fn call(&self, request: HttpRequest) -> Self::Future {
        let answer = self.auth.respond_to_probe(request.method().as_str());
        ready(plain(answer, answer.body))
    }
}
