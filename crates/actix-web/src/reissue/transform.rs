//! The middleware and its service.

use std::{
    future::{Ready, ready},
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpMessage,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};
use portcullis::AuthContext;
use portcullis_mint::Reissuer;

use super::ReissueFuture;

/// Puts a new token on the response to a caller whose token expires soon: for `wrap` of an `App`, a scope, a
/// resource or a route. [`Reissuer`] says which tokens are reissued, and when.
///
/// The token is in the header field [`Reissuer::header`], marked as sensitive, and the response gets
/// `Cache-Control: no-store`. A response that has the field already is unchanged.
///
/// # Deployment
///
/// The middleware belongs *inside* of [`JwtAuth`](crate::JwtAuth), so `wrap` it before: it reads the caller that
/// the outer one leaves. `Cors` must expose the field, so that pages of other origins can read it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use actix_web::{App, HttpResponse, test, web};
/// use portcullis_actix_web::{Algorithm, Authenticator, Issuer, JwtAuth, Reissue, keys::SigningKey};
/// use portcullis_actix_web::mint::{Minter, Reissuer};
/// use serde_json::json;
///
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let auth = Authenticator::builder()
///     .issuer(Issuer::new("https://tasks.example.com").key(key.verification_key()?))
///     .audience("tasks")
///     .build()?;
/// let minter = Minter::new(key).issuer("https://tasks.example.com");
/// let reissuer = Reissuer::new(minter.clone()).lifetime(Duration::from_secs(600));
///
/// let app = App::new()
///     .route("/", web::get().to(HttpResponse::Ok))
///     .wrap(Reissue::new(reissuer))
///     .wrap(JwtAuth::new(auth)); // further outside
///
/// let app = test::init_service(app).await;
/// let minter = minter.lifetime(Duration::from_secs(20)); // no more than 30 seconds are left
/// let token = minter.mint(&json!({"sub": "task-7", "aud": "tasks"}))?.into_token();
/// let request = test::TestRequest::get().insert_header(("authorization", format!("Bearer {token}")));
/// let response = test::call_service(&app, request.to_request()).await;
/// assert!(response.headers().contains_key("refreshed-api-token"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Reissue {
    reissuer: Reissuer,
}

impl Reissue {
    /// Creates the middleware.
    pub fn new(reissuer: Reissuer) -> Self {
        Self { reissuer }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Reissue
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = ReissueMiddleware<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(ReissueMiddleware { service, reissuer: self.reissuer.clone() }))
    }
}

/// The service of [`Reissue`].
#[derive(Debug)]
pub struct ReissueMiddleware<S> {
    service: S,
    reissuer: Reissuer,
}

impl<S, B> Service<ServiceRequest> for ReissueMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = ReissueFuture<S::Future, B>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let caller = self.reissuer.caller(request.extensions().get::<AuthContext>());
        let reissuer = self.reissuer.clone();
        ReissueFuture::new(self.service.call(request), caller.map(|caller| (reissuer, caller)))
    }
}
