//! The configuration of the middleware.

use std::future::{Ready, ready};

use actix_web::{
    Error,
    body::{EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};
use portcullis::Grant;
use portcullis_mint::session::Sessions;

use super::SessionMiddleware;
use crate::{JwtAuth, JwtAuthMiddleware, ProblemJson, ResponseForRejection};

/// Authenticates requests as [`JwtAuth`] does, renews sessions in a cookie, and removes invalid cookies.
///
/// [`JwtAuth::with_sessions`] creates it. When a session is renewed: [`Sessions`]. A cookie that a handler sets or
/// removes itself is left as it is, so that login and logout handlers may be behind the middleware.
///
/// # Examples
///
/// ```
/// use actix_web::{App, http::header, test, web};
/// use portcullis_actix_web::mint::{Minter, session::Sessions};
/// use portcullis_actix_web::{
///     Algorithm, Authenticator, Caller, Issuer, JwtAuth, keys::SigningKey, revocation::CookieAttributes,
/// };
///
/// # async fn who(caller: Caller) -> String { caller.subject().to_owned() }
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = SigningKey::generate(Algorithm::EdDSA)?;
/// let cookie = CookieAttributes::session("session");
/// let auth = Authenticator::builder()
///     .issuer(Issuer::new("https://app.example.com").key(key.verification_key()?))
///     .audience("app")
///     .locations([cookie.location()])
///     .build()?;
/// let minter = Minter::new(key).issuer("https://app.example.com");
/// let sessions = Sessions::builder(&auth, minter, cookie).build()?;
///
/// let auth = JwtAuth::new(auth).with_sessions(sessions.clone());
/// let app = test::init_service(App::new().route("/", web::get().to(who)).wrap(auth)).await;
/// let cookies = sessions.start(&serde_json::json!({"sub": "alice", "aud": "app"}))?;
/// let cookie = cookies.values().next().and_then(|value| value.split(';').next()).unwrap_or_default();
/// let request = test::TestRequest::get().insert_header((header::COOKIE, cookie));
/// assert_eq!(test::call_and_read_body(&app, request.to_request()).await, "alice");
///
/// // An invalid cookie is removed.
/// let request = test::TestRequest::get().insert_header((header::COOKIE, "__Host-session=x"));
/// let response = test::call_service(&app, request.to_request()).await;
/// assert_eq!(response.status(), 401);
/// assert!(response.headers().get(header::SET_COOKIE).is_some());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionAuth<G = Grant, R = ProblemJson> {
    auth: JwtAuth<G, R>,
    sessions: Sessions,
}

impl<G, R> SessionAuth<G, R> {
    pub(crate) fn new(auth: JwtAuth<G, R>, sessions: Sessions) -> Self {
        Self { auth, sessions }
    }
}

impl<S, G, R, B> Transform<S, ServiceRequest> for SessionAuth<G, R>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    G: Send + Sync + 'static,
    R: ResponseForRejection + Clone,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = JwtAuthMiddleware<SessionMiddleware<S>, G, R>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(self.auth.wrap(SessionMiddleware::new(service, self.sessions.clone()))))
    }
}
