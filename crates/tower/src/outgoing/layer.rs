//! The configuration of the layer.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use http::{HeaderValue, Request, Uri, header};
use portcullis_mint::{CallCredentials, IssuedToken, MintError, RenewingToken, TokenError};
use tower_layer::Layer;

use super::{AddBearerToken, CloneRequest, NoReplay};

/// Adds a bearer token to each outgoing request ([RFC 6750 §2.1]).
///
/// 1. The request gets `Authorization: Bearer` and the current [token](RenewingToken), marked as sensitive, so that
///    HTTP/2 does not index it and `Debug` does not show it. A call waits for a token only if there is no valid one.
/// 2. A request that has an `Authorization` field keeps it, and gets no token.
/// 3. A token is sent by https, or to this machine, and nowhere else: see
///    [`TokenDestinations`](portcullis_mint::TokenDestinations). A request that does not name its server needs an
///    [origin](Self::origin).
/// 4. A call that cannot have its token is not made. It fails with an
///    [`AddBearerTokenError`](crate::service::AddBearerTokenError) in the box.
/// 5. A response with status 401 means that the server rejected the token. The token is
///    [discarded](RenewingToken::discard), so that the next call has another. With
///    [`retry_rejected`](Self::retry_rejected), the layer sends the request once more itself.
///
/// # Examples
///
/// ```
/// use http::{Request, Response};
/// use portcullis::{Algorithm, keys::SigningKey};
/// use portcullis_mint::{Minter, RenewingToken};
/// use portcullis_tower::AddBearerTokenLayer;
/// use serde_json::json;
/// use tower::{ServiceBuilder, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// let minter = Minter::new(SigningKey::generate(Algorithm::ES256)?).issuer("workers");
/// let token = RenewingToken::minted(minter, &json!({"sub": "worker-7", "aud": "orders"})).build()?;
///
/// // Around a client of hyper-util, a tonic `Channel`, or any other service of requests.
/// let client = ServiceBuilder::new()
///     .layer(AddBearerTokenLayer::new(token).origin("https://orders.example.com")?)
///     .service_fn(|request: Request<()>| async move {
///         assert!(request.headers()["authorization"].is_sensitive());
///         Ok::<_, std::convert::Infallible>(Response::new(()))
///     });
///
/// client.oneshot(Request::get("https://orders.example.com/7").body(())?).await?;
/// # Ok(()) }
/// ```
///
/// # Deployment
///
/// A tonic `Channel` names its server inside: a layer around it sees only a path, unless the client was created with
/// an origin. So name the server with [`origin`](Self::origin), as the channel's `Endpoint` does.
///
/// A layer that follows redirects must be *inside* of this one, and must remove the token if a redirect leads to another
/// host. Outside, it would make this layer add the token again, unless there is an origin. A layer that sends a request
/// again must be around this one, so that each try has the current token.
///
/// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
#[derive(Clone, Debug)]
#[must_use]
pub struct AddBearerTokenLayer<R = NoReplay> {
    pub(super) credentials: Arc<CallCredentials>,
    pub(super) replay: R,
    /// The token as a field value, made once for each token.
    field: Arc<ArcSwapOption<Field>>,
}

#[derive(Debug)]
struct Field {
    token: IssuedToken,
    value: HeaderValue,
}

impl AddBearerTokenLayer {
    /// Creates the layer. Tokens are sent to any server by https, and to this machine.
    pub fn new(token: RenewingToken) -> Self {
        let credentials = Arc::new(CallCredentials::new(token));
        Self { credentials, replay: NoReplay, field: Arc::default() }
    }

    /// Sends a request a second time, with another token, if the server rejects its token (status 401). A clone of each
    /// request is kept for it, so the body must be [`Clone`]: `Full<Bytes>`, `Empty<Bytes>`, a string. There is no third
    /// try, and after a token was discarded, no other is for 30 seconds. Default: no second try.
    pub fn retry_rejected(self) -> AddBearerTokenLayer<CloneRequest> {
        self.replay(CloneRequest)
    }
}

impl<R> AddBearerTokenLayer<R> {
    /// Sends rejected requests a second time in a way of your own, for other bodies.
    pub fn replay<T>(self, replay: T) -> AddBearerTokenLayer<T> {
        AddBearerTokenLayer { credentials: self.credentials, replay, field: self.field }
    }

    /// Adds an origin that tokens are sent to. Tokens are then sent nowhere else. Its path does not matter. Default:
    /// none, so that any server is permitted that can be reached safely.
    ///
    /// # Errors
    ///
    /// [`MintError::InvalidOrigin`] for what is no absolute URI, and for `http` to another machine. If that is meant,
    /// call [`dangerous_allow_cleartext`](Self::dangerous_allow_cleartext) before.
    pub fn origin(self, origin: impl TryInto<Uri>) -> Result<Self, MintError> {
        let origin = origin.try_into().map_err(|_| MintError::InvalidOrigin {
            origin: String::new(),
            reason: "it is no URI",
        })?;
        let authority = origin.authority().map_or("", |authority| authority.as_str());
        self.change(|it| it.origin(origin.scheme_str().unwrap_or_default(), authority))
    }

    /// A response header with a token that replaces the one that was sent, such as `Refreshed-API-Token`. Default:
    /// none. The rules are those of [`CallCredentials::reissue_header`].
    ///
    /// # Errors
    ///
    /// [`MintError::InvalidOrigin`] if no [`origin`](Self::origin) was added before, and for a name that is not that of
    /// a header.
    ///
    /// # Security
    ///
    /// The server chooses which token later calls have, to each of the origins.
    pub fn reissue_header(self, name: &str) -> Result<Self, MintError> {
        self.change(|it| it.reissue_header(name))
    }

    /// Sends tokens without TLS too, to any machine.
    ///
    /// # Security
    ///
    /// Everyone on the way can read the token and use it. This is for networks that encrypt by other means, such as a
    /// service mesh.
    pub fn dangerous_allow_cleartext(self) -> Self {
        let credentials = Arc::unwrap_or_clone(self.credentials).dangerous_allow_cleartext();
        Self { credentials: Arc::new(credentials), ..self }
    }

    fn change(
        self,
        change: impl FnOnce(CallCredentials) -> Result<CallCredentials, MintError>,
    ) -> Result<Self, MintError> {
        let credentials = Arc::new(change(Arc::unwrap_or_clone(self.credentials))?);
        Ok(Self { credentials, ..self })
    }

    /// Adds the token to a request.
    pub(super) fn add<B>(
        &self,
        request: &mut Request<B>,
        token: &IssuedToken,
    ) -> Result<(), TokenError> {
        let value = self.value(token).ok_or(TokenError::Malformed)?;
        request.headers_mut().insert(header::AUTHORIZATION, value);
        Ok(())
    }

    fn value(&self, token: &IssuedToken) -> Option<HeaderValue> {
        if let Some(field) = self.field.load().as_ref().filter(|field| field.token.is_same(token)) {
            return Some(field.value.clone());
        }
        let mut value = HeaderValue::try_from(token.authorization()).ok()?;
        value.set_sensitive(true);
        let field = Field { token: token.clone(), value: value.clone() };
        self.field.store(Some(Arc::new(field)));
        Some(value)
    }
}

impl<S, R: Clone> Layer<S> for AddBearerTokenLayer<R> {
    type Service = AddBearerToken<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        AddBearerToken::new(inner, self.clone())
    }
}
