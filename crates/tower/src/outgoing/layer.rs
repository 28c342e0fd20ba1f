//! The configuration of the layer.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use http::{HeaderValue, Request, Uri, header};
use portcullis_mint::{IssuedToken, MintError, RenewingToken, TokenDestinations, TokenError};
use tower_layer::Layer;

use super::{AddBearerToken, AddBearerTokenError};

/// Puts a bearer token on each outgoing request ([RFC 6750 §2.1]).
///
/// 1. The request gets `Authorization: Bearer` and the [token](RenewingToken) at hand, marked as
///    sensitive, so that HTTP/2 does not index it and `Debug` does not show it. Nothing is minted for a
///    request; only where no token is good does a call wait for one.
/// 2. A request that has an `Authorization` field keeps it as it is, and wants no token: who set it meant
///    another one.
/// 3. A token goes by https, or to this very machine, and nowhere else: see [`TokenDestinations`].
///    A request that does not say where it goes needs an [origin](Self::origin).
/// 4. A call that cannot have its token is not made. It ends with an [`AddBearerTokenError`] in the box.
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
/// A tonic `Channel` names its server inside: what reaches a layer around it is a path, unless the client
/// was made with an origin. So name the server with [`origin`](Self::origin), as the channel's
/// `Endpoint` has it.
///
/// A layer that follows redirects belongs *inside* of this one, and takes the token off where they lead to
/// another host. Inside of it this one would add the token again, unless it has an origin. A layer that
/// sends a request again belongs around this one, so that each try has the token of its time.
///
/// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
#[derive(Clone, Debug)]
#[must_use]
pub struct AddBearerTokenLayer {
    pub(super) token: RenewingToken,
    destinations: TokenDestinations,
    /// The token as a field value, made once for each token.
    field: Arc<ArcSwapOption<Field>>,
}

#[derive(Debug)]
struct Field {
    token: IssuedToken,
    value: HeaderValue,
}

impl AddBearerTokenLayer {
    /// Creates the layer. Tokens go anywhere by https, and to this very machine.
    pub fn new(token: RenewingToken) -> Self {
        Self { token, destinations: TokenDestinations::default(), field: Arc::default() }
    }

    /// Adds an origin that may have tokens, and no other may. Its path does not matter. Default: none, so
    /// that any is good that is safe.
    ///
    /// # Errors
    ///
    /// [`MintError::InvalidOrigin`] for what is no absolute URI, and for `http` to another machine.
    /// Where that is meant, say [`dangerous_allow_cleartext`](Self::dangerous_allow_cleartext) before.
    pub fn origin(self, origin: impl TryInto<Uri>) -> Result<Self, MintError> {
        let origin = origin.try_into().map_err(|_| MintError::InvalidOrigin {
            origin: String::new(),
            reason: "it is no URI",
        })?;
        let (scheme, host) = (origin.scheme_str().unwrap_or_default(), whole_host(&origin));
        if host != origin.host() {
            let (reason, host) = ("what follows its host is no port", host.unwrap_or_default());
            return Err(MintError::InvalidOrigin { origin: format!("{scheme}://{host}"), reason });
        }
        let host = host.unwrap_or_default();
        let destinations = self.destinations.origin(scheme, host, origin.port_u16())?;
        Ok(Self { destinations, ..self })
    }

    /// Lets tokens travel without TLS, to any machine.
    ///
    /// # Security
    ///
    /// Whoever sees a token on the way can use it. This is for networks that encrypt by other means,
    /// such as a service mesh.
    pub fn dangerous_allow_cleartext(self) -> Self {
        Self { destinations: self.destinations.dangerous_allow_cleartext(), ..self }
    }

    /// Tells whether the token may go where the request goes.
    pub(super) fn permit(&self, uri: &Uri) -> Result<(), AddBearerTokenError> {
        Ok(self.destinations.permit(uri.scheme_str(), whole_host(uri), uri.port_u16())?)
    }

    /// Puts the token on a request.
    pub(super) fn add<B>(
        &self,
        request: &mut Request<B>,
        token: &IssuedToken,
    ) -> Result<(), AddBearerTokenError> {
        let value = self.value(token).ok_or(TokenError::Malformed)?;
        request.headers_mut().insert(header::AUTHORIZATION, value);
        Ok(())
    }

    fn value(&self, token: &IssuedToken) -> Option<HeaderValue> {
        if let Some(field) = self.field.load().as_ref().filter(|field| field.token.is_same(token)) {
            return Some(field.value.clone());
        }
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.token())).ok()?;
        value.set_sensitive(true);
        let field = Field { token: token.clone(), value: value.clone() };
        self.field.store(Some(Arc::new(field)));
        Some(value)
    }
}

/// Returns the host, with all that follows it where that is no port: `Uri` takes `[::1].example.com` for
/// `[::1]`, and `localhost:example.com` for `localhost`. Who gets the request, such as a proxy, may read
/// the whole of it.
fn whole_host(uri: &Uri) -> Option<&str> {
    let authority = uri.authority()?.as_str();
    let named = authority.rsplit_once('@').map_or(authority, |(_, named)| named);
    let rest = named.strip_prefix(uri.host()?)?;
    let port = rest.strip_prefix(':').unwrap_or(rest);
    let is_port = rest.len() != port.len() && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_good = rest.is_empty() || rest == ":" || (is_port && uri.port_u16().is_some());
    if is_good { uri.host() } else { Some(named) }
}

impl<S> Layer<S> for AddBearerTokenLayer {
    type Service = AddBearerToken<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AddBearerToken::new(inner, self.clone())
    }
}
