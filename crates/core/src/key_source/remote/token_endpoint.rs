//! The token endpoint of an authorization server: where it is, and a request to it. `portcullis-mint` uses it.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::header::HeaderValue;
use serde::Deserialize;
use url::Url;

use super::{
    Fetch, FetchRequest, FetchResponse, HttpFetch, KeySourceError, discovery::Metadata,
    discovery::discover, location::Location, unexpected_status,
};
use crate::NumericDate;

/// The longest response, in bytes.
const MAX_LEN: usize = 64 * 1024;

/// The longest time for one response.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A token endpoint whose URL is known, or found in the metadata of its issuer ([RFC 8414 §2]).
///
/// [RFC 8414 §2]: https://www.rfc-editor.org/rfc/rfc8414#section-2
pub struct TokenEndpoint {
    location: Location,
    /// What discovery found, until a request fails.
    found: Mutex<Option<String>>,
}

/// A form, and the value of the field `Authorization` if there is one.
#[expect(clippy::exhaustive_structs, reason = "only `portcullis-mint` makes one")]
pub struct TokenEndpointRequest {
    /// The body.
    pub form: String,
    /// The value of the field `Authorization`.
    pub authorization: Option<String>,
}

impl TokenEndpoint {
    /// The endpoint at this URL.
    #[must_use]
    pub fn known(url: String) -> Self {
        Self { location: Location::known(url), found: Mutex::default() }
    }

    /// The endpoint that the metadata of this issuer name.
    #[must_use]
    pub fn discover(issuer: String) -> Self {
        Self { location: Location::of_issuer(issuer), found: Mutex::default() }
    }

    /// Allows plain `http` to other machines.
    #[must_use]
    pub fn allow_http(mut self) -> Self {
        self.location.allow_http();
        self
    }

    /// Checks that the URL or the issuer is one that may be used.
    ///
    /// # Errors
    ///
    /// [`KeySourceError`] with what is wrong.
    pub fn check(&self) -> Result<(), KeySourceError> {
        self.location.known_url().and_then(|_| self.location.metadata_urls()).map(drop)
    }

    /// Returns the URL or the issuer that was given.
    #[must_use]
    pub fn name(&self) -> &str {
        self.location.text()
    }

    /// Sends a request.
    ///
    /// # Errors
    ///
    /// [`KeySourceError`] if the endpoint is not found, or no whole response comes in time.
    pub async fn send(
        &self,
        fetch: &HttpFetch,
        request: TokenEndpointRequest,
    ) -> Result<FetchResponse, KeySourceError> {
        let url = match self.location.known_url()? {
            Some(url) => url,
            None => self.found_url(fetch).await?,
        };
        let response = self.post(fetch, url, request).await;
        if !response.as_ref().is_ok_and(|response| response.status == 200) {
            // The endpoint may have moved.
            *self.found() = None;
        }
        response
    }

    async fn found_url(&self, fetch: &HttpFetch) -> Result<String, KeySourceError> {
        if let Some(url) = self.found().clone() {
            return Ok(url);
        }
        let get = async |url| {
            let response = fetch.fetch(&limits(url, false)).await;
            response.map_err(|error| KeySourceError::new(error.to_string()))
        };
        let url = discover::<EndpointMetadata, _>(&self.location, get).await?.token_endpoint;
        *self.found() = Some(url.clone());
        Ok(url)
    }

    async fn post(
        &self,
        fetch: &HttpFetch,
        url: String,
        TokenEndpointRequest { form, authorization }: TokenEndpointRequest,
    ) -> Result<FetchResponse, KeySourceError> {
        let parsed = Url::parse(&url).ok();
        let rejects = parsed.is_none_or(|url| self.location.rejects_this_machine(&url));
        let authorization = authorization.map(|value| {
            let mut value = HeaderValue::try_from(value)?;
            value.set_sensitive(true);
            Ok::<_, reqwest::header::InvalidHeaderValue>(value)
        });
        let authorization = authorization.transpose();
        let authorization = authorization
            .map_err(|_| KeySourceError::new("the credentials are no header value"))?;
        let response = fetch.post_form(&limits(url, rejects), form, authorization).await;
        response.map_err(|error| KeySourceError::new(error.to_string()))
    }

    fn found(&self) -> MutexGuard<'_, Option<String>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns how long a server that answers 429 or 503 wants not to be asked: 1 second to 10 minutes.
#[must_use]
pub fn retry_after(response: &FetchResponse, now: NumericDate) -> Option<Duration> {
    unexpected_status(response).retry_after(now)
}

/// Returns the same of an error that ended the discovery of the endpoint.
#[must_use]
pub fn retry_after_of(error: &KeySourceError, now: NumericDate) -> Option<Duration> {
    error.retry_after(now)
}

fn limits(url: String, reject_this_machine: bool) -> FetchRequest {
    FetchRequest { url, known: None, max_len: MAX_LEN, timeout: TIMEOUT, reject_this_machine }
}

#[derive(Deserialize)]
struct EndpointMetadata {
    issuer: String,
    token_endpoint: String,
}

impl Metadata for EndpointMetadata {
    fn issuer(&self) -> &str {
        &self.issuer
    }

    fn place(&self) -> &str {
        &self.token_endpoint
    }
}

impl fmt::Debug for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenEndpoint").field(&self.location.label()).finish()
    }
}

impl fmt::Debug for TokenEndpointRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenEndpointRequest(***)")
    }
}
