//! A request to a token endpoint.

use std::{fmt, sync::Arc};

use portcullis::{
    clock::Clock,
    for_mint::{TokenEndpoint, TokenEndpointRequest},
    keys::HttpFetch,
};
use url::{Url, form_urlencoded::Serializer};

use super::{ClientAuthentication, TokenRequestError, response};
use crate::{IssuedToken, MintError};

/// A token endpoint, and a client of it.
pub(super) struct EndpointClient {
    endpoint: TokenEndpoint,
    authentication: ClientAuthentication,
    fetch: HttpFetch,
    clock: Arc<dyn Clock>,
}

/// What both kinds of requests have in common.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) place: Place,
    pub(super) authentication: ClientAuthentication,
    pub(super) http_allowed: bool,
    pub(super) fetch: Option<HttpFetch>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) parameters: Vec<(&'static str, String)>,
}

#[derive(Clone, Debug)]
pub(super) enum Place {
    Url(String),
    Issuer(String),
}

impl Settings {
    pub(super) fn new(place: Place, authentication: ClientAuthentication) -> Self {
        Self {
            place,
            authentication,
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

    /// Returns the client and the parameters of each request.
    pub(super) fn build(self) -> Result<(EndpointClient, Vec<(&'static str, String)>), MintError> {
        let invalid = |reason: String| MintError::InvalidTokenSource { reason };
        let endpoint = match self.place {
            Place::Url(url) => TokenEndpoint::known(url),
            Place::Issuer(issuer) => TokenEndpoint::discover(issuer),
        };
        let endpoint = if self.http_allowed { endpoint.allow_http() } else { endpoint };
        endpoint.check().map_err(|error| invalid(error.to_string()))?;
        self.authentication.check().map_err(|reason| invalid(reason.to_owned()))?;
        let mut parameters = self.parameters.iter();
        parameters
            .try_for_each(|(name, value)| check(name, value))
            .map_err(|reason| invalid(reason.to_owned()))?;
        let fetch = self.fetch.map_or_else(HttpFetch::new, Ok);
        let fetch = fetch.map_err(|error| invalid(error.to_string()))?;
        let authentication = self.authentication.for_endpoint(endpoint.name(), &self.clock);
        let client = EndpointClient { endpoint, authentication, fetch, clock: self.clock };
        Ok((client, self.parameters))
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
    /// Requests a token with these parameters.
    pub(super) async fn request(
        &self,
        parameters: impl IntoIterator<Item = (&str, &str)>,
    ) -> Result<IssuedToken, TokenRequestError> {
        let credentials = self.authentication.credentials().await;
        let credentials = credentials.map_err(TokenRequestError::not_sent)?;
        let form = Serializer::new(String::new())
            .extend_pairs(parameters)
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
            .field("authentication", &self.authentication)
            .finish_non_exhaustive()
    }
}
