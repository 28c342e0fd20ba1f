//! The grant `client_credentials` ([RFC 6749 §4.4]).
//!
//! [RFC 6749 §4.4]: https://www.rfc-editor.org/rfc/rfc6749#section-4.4

use std::{error::Error, sync::Arc};

use portcullis::{clock::Clock, future::BoxFuture, keys::HttpFetch};

use super::{
    OAuthClient,
    request::{EndpointClient, Place, Settings},
};
use crate::{IssuedToken, MintError, TokenSource};

/// Requests access tokens for this client itself ([RFC 6749 §4.4]): a source of a
/// [`RenewingToken`](crate::RenewingToken).
///
/// 1. The endpoint is called by https, or by http on this machine. Redirects are not followed. A response must come
///    within 10 seconds and have at most 64 KiB.
/// 2. A response must have `access_token` and a `token_type` of `Bearer`. `expires_in` may be missing; then the
///    [lifetime](crate::RenewingTokenBuilder::lifetime) of the renewing token counts.
/// 3. Any other response is a [`TokenRequestError`](super::TokenRequestError). After status 429 or 503 with
///    `Retry-After`, a renewing token waits that long, at most 10 minutes.
///
/// # Examples
///
/// ```
/// use portcullis_mint::{OAuthClient, ClientCredentialsSource, RenewingToken};
///
/// let client = OAuthClient::secret_basic("orders", "the client secret");
/// let source = ClientCredentialsSource::discover("https://idp.example.com", client)
///     .scope("stock:read")
///     .resource("https://stock.example.com")
///     .build()?;
/// let token = RenewingToken::from_source(source).build()?;
/// # let _ = token;
/// # Ok::<(), portcullis_mint::MintError>(())
/// ```
///
/// [RFC 6749 §4.4]: https://www.rfc-editor.org/rfc/rfc6749#section-4.4
#[derive(Clone, Debug)]
pub struct ClientCredentialsSource {
    client: Arc<EndpointClient>,
}

impl ClientCredentialsSource {
    /// Requests tokens from the token endpoint at this URL.
    pub fn at(
        token_endpoint: impl Into<String>,
        client: OAuthClient,
    ) -> ClientCredentialsSourceBuilder {
        ClientCredentialsSourceBuilder(Settings::new(Place::Url(token_endpoint.into()), client))
    }

    /// Requests tokens from the token endpoint of this issuer, which its metadata name: OpenID Connect Discovery
    /// 1.0 §4, or [RFC 8414 §3]. The `issuer` of the metadata must be this one, byte for byte. Metadata are fetched
    /// with the first token, and again after a request failed.
    ///
    /// [RFC 8414 §3]: https://www.rfc-editor.org/rfc/rfc8414#section-3
    pub fn discover(
        issuer: impl Into<String>,
        client: OAuthClient,
    ) -> ClientCredentialsSourceBuilder {
        ClientCredentialsSourceBuilder(Settings::new(Place::Issuer(issuer.into()), client))
    }
}

impl TokenSource for ClientCredentialsSource {
    fn token(&self) -> BoxFuture<'_, Result<IssuedToken, Box<dyn Error + Send + Sync>>> {
        Box::pin(async { Ok(self.client.request([("grant_type", "client_credentials")]).await?) })
    }
}

/// Builds [`ClientCredentialsSource`].
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientCredentialsSourceBuilder(Settings);

impl ClientCredentialsSourceBuilder {
    /// The scopes of the token, separated by spaces. Default: none, so that the server decides.
    pub fn scope(self, scope: impl Into<String>) -> Self {
        Self(self.0.parameter("scope", scope))
    }

    /// Adds an `audience`, which some authorization servers expect in place of a resource.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        Self(self.0.parameter("audience", audience))
    }

    /// Adds a `resource`: the URI of a service that the token is for ([RFC 8707 §2]).
    ///
    /// [RFC 8707 §2]: https://www.rfc-editor.org/rfc/rfc8707#section-2
    pub fn resource(self, resource: impl Into<String>) -> Self {
        Self(self.0.parameter("resource", resource))
    }

    /// The HTTP client, for example one with a private certificate authority or a client certificate
    /// (`HttpFetch::from(client)`). Default: [`HttpFetch::new`].
    ///
    /// # Security
    ///
    /// A client of your own must not follow redirects (`redirect::Policy::none()`). After status 307 or 308 it would
    /// send the form, with its secrets, to where the redirect leads. The response is rejected, but only afterwards.
    pub fn http(self, fetch: HttpFetch) -> Self {
        Self(Settings { fetch: Some(fetch), ..self.0 })
    }

    /// The clock that dates client assertions. Default: the system's.
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self(Settings { clock: Arc::new(clock), ..self.0 })
    }

    /// Sends credentials by plain `http` to other machines too.
    ///
    /// # Security
    ///
    /// Everyone on the way can read the credentials and the tokens.
    pub fn dangerous_allow_http(self) -> Self {
        Self(Settings { http_allowed: true, ..self.0 })
    }

    /// Builds the source. Nothing is requested yet.
    ///
    /// # Errors
    ///
    /// [`MintError::InvalidTokenSource`] for a URL that is not https (or http on this machine) or has a password, an
    /// empty client id or secret, and a scope or resource that is not well-formed.
    pub fn build(self) -> Result<ClientCredentialsSource, MintError> {
        Ok(ClientCredentialsSource { client: Arc::new(self.0.build()?) })
    }
}
