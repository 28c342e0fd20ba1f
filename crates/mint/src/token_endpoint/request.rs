//! A request to a token endpoint.

use std::{fmt, sync::Arc};

use portcullis::{
    clock::Clock,
    for_mint::{TokenEndpoint, TokenEndpointRequest},
    keys::HttpFetch,
};
use url::{Url, form_urlencoded::Serializer};

use super::{OAuthClient, TokenRequestError, response};
use crate::{IssuedToken, MintError};

/// A token endpoint, and a client of it.
pub(super) struct EndpointClient {
    endpoint: TokenEndpoint,
    client: OAuthClient,
    parameters: Vec<(&'static str, String)>,
    fetch: HttpFetch,
    clock: Arc<dyn Clock>,
}

/// What both kinds of requests have in common.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) place: Place,
    pub(super) client: OAuthClient,
    pub(super) http_allowed: bool,
    pub(super) fetch: Option<HttpFetch>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) parameters: Vec<(&'static str, String)>,
}

#[derive(Clone)]
pub(super) enum Place {
    Url(String),
    Issuer(String),
}

impl Settings {
    pub(super) fn new(place: Place, client: OAuthClient) -> Self {
        Self {
            place,
            client,
            http_allowed: false,
            fetch: None,
            clock: Arc::new(portcullis::clock::SystemClock::default()),
            parameters: Vec::new(),
        }
    }

    pub(super) fn parameter(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }

    pub(super) fn build(self) -> Result<EndpointClient, MintError> {
        let invalid = |reason: String| MintError::InvalidTokenSource { reason };
        let endpoint = match self.place {
            Place::Url(url) => TokenEndpoint::known(url),
            Place::Issuer(issuer) => TokenEndpoint::discover(issuer),
        };
        let endpoint = if self.http_allowed { endpoint.allow_http() } else { endpoint };
        endpoint.check().map_err(|error| invalid(error.to_string()))?;
        self.client.check().map_err(|reason| invalid(reason.to_owned()))?;
        for (name, value) in &self.parameters {
            check(name, value).map_err(|reason| invalid(reason.to_owned()))?;
        }
        let fetch = self.fetch.map_or_else(HttpFetch::new, Ok);
        Ok(EndpointClient {
            client: self.client.for_endpoint(endpoint.name(), &self.clock),
            endpoint,
            parameters: self.parameters,
            fetch: fetch.map_err(|error| invalid(error.to_string()))?,
            clock: self.clock,
        })
    }
}

fn check(name: &str, value: &str) -> Result<(), &'static str> {
    match name {
        // RFC 6749 §3.3: one space between scopes, and neither a quotation mark nor a backslash in them.
        "scope" => {
            let is_scope = |scope: &str| {
                let is_good = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
                !scope.is_empty() && scope.bytes().all(is_good)
            };
            let is_good = value.split(' ').all(is_scope);
            is_good.then_some(()).ok_or("the scope is not well-formed (RFC 6749 §3.3)")
        }
        "resource" => {
            let is_good = Url::parse(value).is_ok_and(|url| url.fragment().is_none());
            let reason = "a resource must be an absolute URI without a fragment (RFC 8707 §2)";
            is_good.then_some(()).ok_or(reason)
        }
        _ if value.is_empty() => Err("an audience is empty"),
        _ => Ok(()),
    }
}

impl EndpointClient {
    /// Requests a token with these parameters, and those of the settings.
    pub(super) async fn request<'a>(
        &self,
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<IssuedToken, TokenRequestError> {
        let credentials = self.client.credentials().await;
        let credentials = credentials.map_err(TokenRequestError::not_sent)?;
        let form = Serializer::new(String::new())
            .extend_pairs(parameters)
            .extend_pairs(self.parameters.iter().map(|(name, value)| (name, value)))
            .extend_pairs(credentials.parameters)
            .finish();
        let request = TokenEndpointRequest { form, authorization: credentials.authorization };
        let response = self.endpoint.send(&self.fetch, request).await;
        let now = self.clock.now();
        let response = response.map_err(|error| {
            let retry_after = portcullis::for_mint::retry_after_of(&error, now);
            TokenRequestError::no_response(error, retry_after)
        })?;
        response::read(&response, now)
    }
}

impl fmt::Debug for EndpointClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointClient")
            .field("endpoint", &self.endpoint)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// A URL may have a password, until it was checked.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url(_) => "Url",
            Self::Issuer(_) => "Issuer",
        })
    }
}
