//! The configuration of the layer.

use http::Uri;
use portcullis_mint::{MintError, RenewingToken};
use tower_layer::Layer;

use super::AddBearerToken;

/// Puts a bearer token on each call of a client ([RFC 6750 §2.1]).
///
/// It is [that of `portcullis-tower`](portcullis_tower::AddBearerTokenLayer), whose rules it keeps, and
/// clients see a call that was not made as a status:
///
/// 1. 14 `UNAVAILABLE` where no token is at hand: the call may be tried again.
/// 2. 13 `INTERNAL` where the token may not go: a fault of the configuration.
///
/// The cause, an [`AddBearerTokenError`](crate::AddBearerTokenError), is the source of the status.
///
/// # Examples
///
/// ```
/// use portcullis_tonic::{AddBearerTokenLayer, Algorithm, keys::SigningKey, mint::{Minter, RenewingToken}};
/// use serde_json::json;
/// use tonic::transport::Endpoint;
/// use tonic_health::pb::health_client::HealthClient;
/// use tower::ServiceBuilder;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let minter = Minter::new(SigningKey::generate(Algorithm::ES256)?).issuer("workers");
/// let token = RenewingToken::minted(minter, &json!({"sub": "worker-7", "aud": "orders"})).build()?;
///
/// let endpoint = Endpoint::from_static("http://127.0.0.1:50051");
/// let channel = ServiceBuilder::new()
///     // A channel names its server inside, so the layer must be told.
///     .layer(AddBearerTokenLayer::new(token).origin(endpoint.uri())?)
///     .service(endpoint.connect_lazy());
/// let client = HealthClient::new(channel);
/// # Ok(()) }
/// ```
///
/// A call that waits for a token does so outside of the channel's own time limit, for as long as the
/// [source may take](portcullis_mint::RenewingTokenBuilder::timeout).
///
/// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
#[derive(Clone, Debug)]
#[must_use]
pub struct AddBearerTokenLayer {
    inner: portcullis_tower::AddBearerTokenLayer,
}

impl AddBearerTokenLayer {
    /// Creates the layer. Tokens go anywhere by https, and to this very machine, where a request says so.
    pub fn new(token: RenewingToken) -> Self {
        Self { inner: portcullis_tower::AddBearerTokenLayer::new(token) }
    }

    /// Adds an origin that may have tokens, and no other may: that of the channel's `Endpoint`.
    ///
    /// # Errors
    ///
    /// [`MintError::InvalidOrigin`] for what is no absolute URI, and for `http` to another machine.
    /// Where that is meant, say [`dangerous_allow_cleartext`](Self::dangerous_allow_cleartext) before.
    pub fn origin(self, origin: impl TryInto<Uri>) -> Result<Self, MintError> {
        Ok(Self { inner: self.inner.origin(origin)? })
    }

    /// Lets tokens travel without TLS, to any machine.
    ///
    /// # Security
    ///
    /// Whoever sees a token on the way can use it. This is for networks that encrypt by other means,
    /// such as a service mesh.
    pub fn dangerous_allow_cleartext(self) -> Self {
        Self { inner: self.inner.dangerous_allow_cleartext() }
    }
}

impl<S> Layer<S> for AddBearerTokenLayer {
    type Service = AddBearerToken<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AddBearerToken::new(self.inner.layer(inner))
    }
}
