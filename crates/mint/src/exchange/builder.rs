//! The configuration of the endpoint.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use portcullis::{Authenticator, Grant};

use super::{
    ClientAuthentication, ExchangeConfigError, ExchangePolicy, MIN_LIFETIME, RateLimit, Settings,
    TokenExchangeEndpoint, refusal::TokenError,
};
use crate::Minter;

/// How long an exchanged token is valid at most, unless the minter has a lifetime.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Configures a [`TokenExchangeEndpoint`].
#[must_use]
pub struct TokenExchangeBuilder<G = Grant> {
    auth: Authenticator<G>,
    minter: Minter,
    /// `None`: the application has said nothing of it.
    clients: Option<Option<Box<dyn ClientAuthentication>>>,
    audiences: Vec<String>,
    policy: Option<Box<dyn ExchangePolicy<G>>>,
    rate_limit: Option<Box<dyn RateLimit>>,
    rate_limit_headers: Vec<String>,
    is_one_time: bool,
    token_error: TokenError,
}

impl<G: Send + Sync + 'static> TokenExchangeBuilder<G> {
    pub(super) fn new(auth: Authenticator<G>, minter: Minter) -> Self {
        Self {
            auth,
            minter,
            clients: None,
            audiences: Vec::new(),
            policy: None,
            rate_limit: None,
            rate_limit_headers: Vec::new(),
            is_one_time: false,
            token_error: TokenError::default(),
        }
    }

    /// Authenticates clients. This or
    /// [`dangerous_without_client_authentication`](Self::dangerous_without_client_authentication) is required.
    pub fn client_authentication(self, clients: impl ClientAuthentication + 'static) -> Self {
        Self { clients: Some(Some(Box::new(clients))), ..self }
    }

    /// Accepts exchanges without client authentication. A client that has stolen a token can exchange it for tokens of
    /// other audiences. Parameters of the client are ignored, and exchanged tokens have no `client_id`.
    pub fn dangerous_without_client_authentication(self) -> Self {
        Self { clients: Some(None), ..self }
    }

    /// Adds an audience that clients may request, by `audience` or by `resource`. It is compared as a text.
    /// Default: none.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Sets what decides about an exchange whose tokens are valid. Default:
    /// [`ExchangeRequest::narrow`](super::ExchangeRequest::narrow). A decision may take 5 seconds; after that the
    /// response is 503.
    pub fn authorize(self, policy: impl ExchangePolicy<G> + 'static) -> Self {
        Self { policy: Some(Box::new(policy)), ..self }
    }

    /// Accepts each subject token and each actor token once, by its `jti`, on all replicas that share the
    /// [store](portcullis::AuthenticatorBuilder::replay_store). A token without `jti` or `exp` is not acceptable. A
    /// token counts as used only if nothing else is wrong with the request. Default: only tokens of issuers that are
    /// [one-time](portcullis::Issuer::one_time).
    pub fn one_time(self) -> Self {
        Self { is_one_time: true, ..self }
    }

    /// Sets what limits requests. It is called after the client was authenticated, or has failed to be, and before the
    /// tokens are verified. The client authentication itself can [limit](super::ClientError::TooManyRequests) requests
    /// before that. Default: no limit.
    pub fn rate_limit(self, rate_limit: impl RateLimit + 'static) -> Self {
        Self { rate_limit: Some(Box::new(rate_limit)), ..self }
    }

    /// Adds a header field that the [rate limit](Self::rate_limit) sees, such as the one in which a reverse proxy
    /// writes the address of the peer. Default: none.
    pub fn rate_limit_header(mut self, name: impl Into<String>) -> Self {
        self.rate_limit_headers.push(name.into().to_ascii_lowercase());
        self
    }

    /// Answers `invalid_grant` if a token is not acceptable, as n8n does. Default: `invalid_request`, as [RFC 8693
    /// §2.2.2] demands.
    ///
    /// [RFC 8693 §2.2.2]: https://www.rfc-editor.org/rfc/rfc8693#section-2.2.2
    pub fn respond_invalid_grant(self) -> Self {
        Self { token_error: TokenError::InvalidGrant, ..self }
    }

    /// Builds the endpoint.
    ///
    /// # Errors
    ///
    /// [`ExchangeConfigError`].
    pub fn build(self) -> Result<TokenExchangeEndpoint<G>, ExchangeConfigError> {
        let clients = self.clients.ok_or(ExchangeConfigError::NoClientAuthentication)?;
        let issuer = self.minter.identity().0.filter(|issuer| !issuer.is_empty());
        let issuer = issuer.ok_or(ExchangeConfigError::NoIssuer)?.to_owned();
        if self.audiences.iter().any(String::is_empty) {
            return Err(ExchangeConfigError::EmptyAudience);
        }
        if self.audiences.is_empty() && self.policy.is_none() {
            return Err(ExchangeConfigError::NoAudience);
        }
        if self.is_one_time && !self.auth.has_replay_store() {
            return Err(ExchangeConfigError::NoReplayStore);
        }
        let lifetime = self.minter.timing().1.unwrap_or(LIFETIME);
        if lifetime < MIN_LIFETIME || lifetime > self.minter.identity().1.max_lifetime() {
            return Err(ExchangeConfigError::InvalidLifetime);
        }
        let settings = Settings {
            clients,
            policy: self.policy,
            audiences: self.audiences.into(),
            rate_limit: self.rate_limit,
            rate_limit_headers: self.rate_limit_headers,
            is_one_time: self.is_one_time,
            token_error: self.token_error,
            warned_at: AtomicI64::new(i64::MIN),
            lifetime,
            issuer,
            minter: self.minter,
            auth: self.auth,
        };
        // A strategy may speak for many issuers.
        let is_of_many = settings.has_several_issuers() || !settings.auth.strategies().is_empty();
        if settings.policy.is_none() && is_of_many {
            return Err(ExchangeConfigError::SeveralIssuers);
        }
        Ok(TokenExchangeEndpoint { settings: Arc::new(settings) })
    }
}

impl<G> fmt::Debug for TokenExchangeBuilder<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenExchangeBuilder")
            .field("audiences", &self.audiences)
            .field("is_one_time", &self.is_one_time)
            .finish_non_exhaustive()
    }
}
