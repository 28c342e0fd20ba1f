//! The configuration of the layer.

use http::Uri;
use portcullis_mint::{MintError, RenewingToken};
use portcullis_tower::service::NoReplay;
use tower_layer::Layer;

use super::{AddBearerToken, RecordMessages};

/// Adds a bearer token to each call of a client ([RFC 6750 §2.1]).
///
/// It is [that of `portcullis-tower`](portcullis_tower::AddBearerTokenLayer), with the same rules. A call that was not
/// made is a status for the client:
///
/// 1. 14 `UNAVAILABLE` if there is no token: the client may try again.
/// 2. 13 `INTERNAL` if the token must not be sent there: a mistake in the configuration.
///
/// The cause, an [`AddBearerTokenError`](crate::service::AddBearerTokenError), is the source of the status.
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
pub struct AddBearerTokenLayer<R = NoReplay> {
    inner: portcullis_tower::AddBearerTokenLayer<R>,
}

impl AddBearerTokenLayer {
    /// Creates the layer. Tokens are sent to any server by https, and to this machine, if a request names its server.
    pub fn new(token: RenewingToken) -> Self {
        Self { inner: portcullis_tower::AddBearerTokenLayer::new(token) }
    }

    /// Sends a call a second time, with another token, if the server rejects its token before it returns anything: with
    /// the status 16 `UNAUTHENTICATED` in the head of the response. Until then, up to 64 KiB of the messages are kept; a
    /// call that has sent more is not sent again. There is no third try, and after a token was discarded, no other is
    /// for 30 seconds. Default: no second try.
    pub fn retry_rejected(self) -> AddBearerTokenLayer<RecordMessages> {
        AddBearerTokenLayer { inner: self.inner.replay(RecordMessages) }
    }
}

impl<R> AddBearerTokenLayer<R> {
    /// Adds an origin that tokens are sent to: that of the channel's `Endpoint`. Tokens are then sent nowhere else.
    ///
    /// # Errors
    ///
    /// [`MintError::InvalidOrigin`] for what is no absolute URI, and for `http` to another machine. If that is meant,
    /// call [`dangerous_allow_cleartext`](Self::dangerous_allow_cleartext) before.
    pub fn origin(self, origin: impl TryInto<Uri>) -> Result<Self, MintError> {
        Ok(Self { inner: self.inner.origin(origin)? })
    }

    /// A field of the response's metadata with a token that replaces the one that was sent. Default: none. The rules
    /// are those of [`CallCredentials::reissue_header`](portcullis_mint::CallCredentials::reissue_header).
    ///
    /// # Errors
    ///
    /// [`MintError::InvalidOrigin`] if no [`origin`](Self::origin) was added before, and for a name that is not that of
    /// a field.
    ///
    /// # Security
    ///
    /// The server chooses which token later calls have, to each of the origins.
    pub fn reissue_header(self, name: &str) -> Result<Self, MintError> {
        Ok(Self { inner: self.inner.reissue_header(name)? })
    }

    /// Sends tokens without TLS too, to any machine.
    ///
    /// # Security
    ///
    /// Everyone on the way can read the token and use it. This is for networks that encrypt by other means, such as a
    /// service mesh.
    pub fn dangerous_allow_cleartext(self) -> Self {
        Self { inner: self.inner.dangerous_allow_cleartext() }
    }
}

impl<S, R: Clone> Layer<S> for AddBearerTokenLayer<R> {
    type Service = AddBearerToken<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        AddBearerToken::new(self.inner.layer(inner))
    }
}
