//! The configuration of the layer.

use portcullis::Grant;
use portcullis_mint::session;
use tower_layer::Layer;

use super::Sessions;
use crate::{JwtAuthLayer, ProblemJson, service::JwtAuth};

/// Authenticates requests as [`JwtAuthLayer`] does, renews sessions in a cookie, and removes invalid cookies.
///
/// [`JwtAuthLayer::with_sessions`] creates it. When a session is renewed:
/// [`Sessions`](portcullis_mint::session::Sessions). A cookie that a handler sets or removes itself is left as it
/// is, so that login and logout handlers may be behind the layer.
///
/// # Examples
///
/// ```
/// use http::{Request, Response, header};
/// use portcullis::{Authenticator, Issuer, TokenLocation, revocation::CookieAttributes};
/// use portcullis_mint::{Minter, session::Sessions};
/// use portcullis_testkit::TestIssuer;
/// use portcullis_tower::{Caller, JwtAuthLayer};
/// use tower::{Layer, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = portcullis::keys::SigningKey::generate(portcullis::Algorithm::EdDSA)?;
/// let cookie = CookieAttributes::session("session");
/// let auth = Authenticator::builder()
///     .issuer(Issuer::new("https://app.example.com").key(key.verification_key()?))
///     .audience("app")
///     .locations([cookie.location()])
///     .build()?;
/// let minter = Minter::new(key).issuer("https://app.example.com");
/// let sessions = Sessions::builder(&auth, minter, cookie).at_every_request().build()?;
///
/// let service = JwtAuthLayer::new(auth).with_sessions(sessions.clone()).layer(service_fn(
///     |request: Request<()>| async move {
///         let caller = Caller::find(request.extensions()).map_err(|_| "no caller")?;
///         Ok::<_, &str>(Response::new(bytes::Bytes::from(caller.subject().to_owned())))
///     },
/// ));
/// let cookies = sessions.start(&serde_json::json!({"sub": "alice", "aud": "app"}))?;
/// let cookie = cookies.values().next().and_then(|value| value.split(';').next()).unwrap_or_default();
/// let request = Request::builder().header(header::COOKIE, cookie).body(())?;
/// let response = service.clone().oneshot(request).await?;
/// assert_eq!(response.body(), "alice");
///
/// // An invalid cookie is removed.
/// let request = Request::builder().header(header::COOKIE, "__Host-session=x").body(())?;
/// let response = service.oneshot(request).await?;
/// assert_eq!(response.status(), 401);
/// assert!(response.headers()[header::SET_COOKIE].to_str()?.starts_with("__Host-session=; Path=/; Max-Age=0"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionLayer<G = Grant, R = ProblemJson> {
    auth: JwtAuthLayer<G, R>,
    sessions: session::Sessions,
}

impl<G, R> SessionLayer<G, R> {
    pub(crate) fn new(auth: JwtAuthLayer<G, R>, sessions: session::Sessions) -> Self {
        Self { auth, sessions }
    }
}

impl<S, G, R> Layer<S> for SessionLayer<G, R> {
    type Service = JwtAuth<Sessions<S>, G, R>;

    fn layer(&self, inner: S) -> Self::Service {
        self.auth.layer(Sessions::new(inner, self.sessions.clone()))
    }
}
