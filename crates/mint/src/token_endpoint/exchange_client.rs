//! Token exchange as a client ([RFC 8693]).
//!
//! [RFC 8693]: https://www.rfc-editor.org/rfc/rfc8693

use std::{error::Error, fmt, sync::Arc};

use portcullis::{clock::Clock, future::BoxFuture, keys::HttpFetch};

use super::{
    OAuthClient,
    request::{EndpointClient, Place, Settings},
};
use crate::{IssuedToken, MintError, TokenSource};

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Exchanges a token for one that is meant for another service ([RFC 8693 §2.1]).
///
/// The subject token comes from another [`TokenSource`]: the token of a caller is an [`IssuedToken`], the token of
/// this service is a [`RenewingToken`](crate::RenewingToken). The subject token is sent to the authorization server
/// alone. Limits and errors are those of [`ClientCredentialsSource`](super::ClientCredentialsSource).
///
/// # Examples
///
/// A call on behalf of the caller of a request:
///
/// ```
/// use portcullis_mint::{OAuthClient, IssuedToken, MintError, TokenExchangeClient, TokenSource};
///
/// // Once, at the start:
/// let client = OAuthClient::secret_basic("orders", "the client secret");
/// let exchange = TokenExchangeClient::discover("https://idp.example.com", client)
///     .audience("https://stock.example.com")
///     .scope("stock:read")
///     .build()?;
///
/// // For each request:
/// async fn stock_token(
///     exchange: &TokenExchangeClient,
///     caller_token: &str,
/// ) -> Result<IssuedToken, Box<dyn std::error::Error + Send + Sync>> {
///     exchange.for_subject(IssuedToken::new(caller_token)).token().await
/// }
/// # Ok::<(), MintError>(())
/// ```
///
/// [RFC 8693 §2.1]: https://www.rfc-editor.org/rfc/rfc8693#section-2.1
#[derive(Clone, Debug)]
pub struct TokenExchangeClient {
    client: Arc<EndpointClient>,
    subject_token_type: Arc<str>,
    actor: Option<Actor>,
}

/// A token exchange whose subject token is known.
struct SubjectExchange<S> {
    exchange: TokenExchangeClient,
    subject: S,
}

#[derive(Clone)]
struct Actor {
    source: Arc<dyn TokenSource>,
    token_type: Arc<str>,
}

impl TokenExchangeClient {
    /// Exchanges tokens at the token endpoint at this URL.
    pub fn at(
        token_endpoint: impl Into<String>,
        client: OAuthClient,
    ) -> TokenExchangeClientBuilder {
        TokenExchangeClientBuilder::new(Settings::new(Place::Url(token_endpoint.into()), client))
    }

    /// Exchanges tokens at the token endpoint of this issuer, which its metadata name, as
    /// [`ClientCredentialsSource::discover`](super::ClientCredentialsSource::discover) does.
    pub fn discover(issuer: impl Into<String>, client: OAuthClient) -> TokenExchangeClientBuilder {
        TokenExchangeClientBuilder::new(Settings::new(Place::Issuer(issuer.into()), client))
    }

    /// Returns a source of tokens that are exchanged for those of `subject`. Each token is a request of its own,
    /// so wrap the source in a [`RenewingToken`](crate::RenewingToken) if it is used for more than one call.
    pub fn for_subject<S: TokenSource + 'static>(
        &self,
        subject: S,
    ) -> impl TokenSource + use<S> + 'static {
        SubjectExchange { exchange: self.clone(), subject }
    }

    async fn exchange(
        &self,
        subject: &dyn TokenSource,
    ) -> Result<IssuedToken, Box<dyn Error + Send + Sync>> {
        let subject = subject.token().await?;
        let actor = match &self.actor {
            Some(actor) => Some((actor.source.token().await?, &*actor.token_type)),
            None => None,
        };
        let actor = actor.as_ref().map(|(token, token_type)| {
            [("actor_token", token.token()), ("actor_token_type", *token_type)]
        });
        let parameters = [
            ("grant_type", TOKEN_EXCHANGE),
            ("subject_token", subject.token()),
            ("subject_token_type", &self.subject_token_type),
        ];
        let parameters = parameters.into_iter().chain(actor.into_iter().flatten());
        Ok(self.client.request(parameters).await?)
    }
}

impl<S: TokenSource> TokenSource for SubjectExchange<S> {
    fn token(&self) -> BoxFuture<'_, Result<IssuedToken, Box<dyn Error + Send + Sync>>> {
        Box::pin(self.exchange.exchange(&self.subject))
    }
}

/// Builds a [`TokenExchangeClient`].
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenExchangeClientBuilder {
    settings: Settings,
    subject_token_type: String,
    actor: Option<Actor>,
}

impl TokenExchangeClientBuilder {
    fn new(settings: Settings) -> Self {
        Self { settings, subject_token_type: ACCESS_TOKEN.to_owned(), actor: None }
    }

    /// The type of subject tokens, a URI of [RFC 8693 §3]. Default: that of access tokens.
    ///
    /// [RFC 8693 §3]: https://www.rfc-editor.org/rfc/rfc8693#section-3
    pub fn subject_token_type(self, token_type: impl Into<String>) -> Self {
        Self { subject_token_type: token_type.into(), ..self }
    }

    /// Adds the token of the party that acts for the subject, which is an access token. Default: none.
    pub fn actor(self, source: impl TokenSource + 'static) -> Self {
        let token_type = ACCESS_TOKEN.into();
        Self { actor: Some(Actor { source: Arc::new(source), token_type }), ..self }
    }

    /// The scopes of the token, separated by spaces. Default: none, so that the server decides.
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.parameter("scope", scope)
    }

    /// Adds an `audience`: the name of a service that the token is for.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.parameter("audience", audience)
    }

    /// Adds a `resource`: the URI of a service that the token is for ([RFC 8707 §2]).
    ///
    /// [RFC 8707 §2]: https://www.rfc-editor.org/rfc/rfc8707#section-2
    pub fn resource(self, resource: impl Into<String>) -> Self {
        self.parameter("resource", resource)
    }

    /// The HTTP client, for example one with a private certificate authority or a client certificate
    /// (`HttpFetch::from(client)`). Default: [`HttpFetch::new`].
    ///
    /// # Security
    ///
    /// A client of your own must not follow redirects (`redirect::Policy::none()`). After status 307 or 308 it would
    /// send the form, with its secrets, to where the redirect leads. The response is rejected, but only afterwards.
    pub fn http(self, fetch: HttpFetch) -> Self {
        Self { settings: Settings { fetch: Some(fetch), ..self.settings }, ..self }
    }

    /// The clock that dates client assertions. Default: the system's.
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { settings: Settings { clock: Arc::new(clock), ..self.settings }, ..self }
    }

    /// Sends credentials and tokens by plain `http` to other machines too.
    ///
    /// # Security
    ///
    /// Everyone on the way can read the credentials and the tokens.
    pub fn dangerous_allow_http(self) -> Self {
        Self { settings: Settings { http_allowed: true, ..self.settings }, ..self }
    }

    /// Builds the exchange. Nothing is requested yet.
    ///
    /// # Errors
    ///
    /// As [`ClientCredentialsSourceBuilder::build`](super::ClientCredentialsSourceBuilder::build).
    pub fn build(self) -> Result<TokenExchangeClient, MintError> {
        Ok(TokenExchangeClient {
            client: Arc::new(self.settings.build()?),
            subject_token_type: self.subject_token_type.into(),
            actor: self.actor,
        })
    }

    fn parameter(self, name: &'static str, value: impl Into<String>) -> Self {
        Self { settings: self.settings.parameter(name, value), ..self }
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor").field("token_type", &self.token_type).finish_non_exhaustive()
    }
}
