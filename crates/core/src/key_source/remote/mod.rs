//! A JWK Set at a URL, known beforehand or found by discovery. A token endpoint is found in the same way.

mod cache_control;
mod discovery;
mod location;
mod retry_after;
mod token_endpoint;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use url::Url;

use self::{
    cache_control::lifetime,
    discovery::{KeyMetadata, discover},
    location::Location,
};
use super::{
    Fetch, FetchRequest, FetchResponse, HttpFetch, KeyDocument, KeySource, KeySourceError,
    KeyTransport, Loaded, RefreshPolicy, Validators, error::RetryAfter,
};
use crate::{BoxFuture, JwkSetError, KeySourceConfigError, NumericDate};
pub use token_endpoint::{TokenEndpoint, TokenEndpointRequest, retry_after, retry_after_of};

/// The longest document, in bytes: a hundred keys with certificate chains stay below it.
const MAX_LEN: usize = 256 * 1024;

/// The longest time for one document.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A JWK Set at a URL.
///
/// Only `https` is fetched, and `http` from this very machine. Redirects are rejected. A document
/// that is too long, has no usable key or another status than 200 is a failure, and failures keep the
/// keys that are there. Of a document with more than 100 usable keys the first 100 count.
///
/// A server that answers 429 or 503 with `Retry-After` is not asked again before, for 10 minutes at
/// most. Logs, metrics and errors show scheme, host, port and path of the URL, never its query.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use portcullis::{Issuer, keys::{RefreshPolicy, RemoteJwkSet}};
///
/// let issuer = Issuer::new("https://idp.example.com").key_source(
///     RemoteJwkSet::new("https://idp.example.com/jwks.json")
///         .refresh_policy(RefreshPolicy::default().refresh(Duration::from_secs(300))),
/// );
/// ```
#[must_use]
pub struct RemoteJwkSet {
    location: Location,
    fetch: Option<Arc<dyn Fetch>>,
    default_fetch: OnceLock<Arc<dyn Fetch>>,
    policy: RefreshPolicy,
    timeout: Duration,
    seed: Option<(KeyDocument, NumericDate)>,
    /// Where the last document came from: its validators mean nothing at another URL.
    last_uri: Mutex<Option<String>>,
}

impl RemoteJwkSet {
    /// The JWK Set at this URL.
    pub fn new(uri: impl Into<String>) -> Self {
        Self::at(Location::known(uri.into()))
    }

    /// The JWK Set that the metadata of this issuer name: OpenID Connect Discovery 1.0 §4, or
    /// [RFC 8414 §3] with its path-insertion form. The `issuer` of the metadata must be this one,
    /// byte for byte.
    ///
    /// [RFC 8414 §3]: https://www.rfc-editor.org/rfc/rfc8414#section-3
    pub fn discover(issuer: impl Into<String>) -> Self {
        Self::at(Location::of_issuer(issuer.into()))
    }

    fn at(location: Location) -> Self {
        Self {
            location,
            fetch: None,
            default_fetch: OnceLock::new(),
            policy: RefreshPolicy::default(),
            timeout: TIMEOUT,
            seed: None,
            last_uri: Mutex::default(),
        }
    }

    /// How documents are fetched, metadata and keys alike. Default: [`HttpFetch::new`].
    pub fn fetch(self, fetch: impl Fetch + 'static) -> Self {
        Self { fetch: Some(Arc::new(fetch)), ..self }
    }

    /// Fetches with a client of the application's own: for a private certificate authority, a proxy,
    /// a client certificate or headers that the server wants, such as `User-Agent` and `Authorization`.
    pub fn http_client(self, client: reqwest::Client) -> Self {
        self.fetch(HttpFetch::from(client))
    }

    /// How often to fetch. Default: see [`RefreshPolicy`].
    pub fn refresh_policy(self, policy: RefreshPolicy) -> Self {
        Self { policy, ..self }
    }

    /// The longest time for one document. Default: 5 seconds.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Starts with the JWK Set of an earlier run, which was good at that time.
    ///
    /// # Errors
    ///
    /// As [`JwkSet::from_json`](crate::JwkSet::from_json).
    pub fn seed(self, json: &str, good_at: NumericDate) -> Result<Self, JwkSetError> {
        Ok(Self { seed: Some((KeyDocument::from_json(json)?, good_at)), ..self })
    }

    /// Fetches plain `http` from other machines too.
    ///
    /// # Security
    ///
    /// Whoever is on the way between can put keys of their own in.
    pub fn dangerous_allow_http(mut self) -> Self {
        self.location.allow_http();
        self
    }

    async fn load_keys(&self, known: Option<&Validators>) -> Result<Loaded, KeySourceError> {
        let fetch = self.fetch_or_default()?;
        let (uri, reject_this_machine) = match self.location.known_url()? {
            Some(uri) => (uri, false),
            None => {
                let get = |url| self.get(&*fetch, self.request(url));
                let uri = discover::<KeyMetadata, _>(&self.location, get).await?.jwks_uri;
                let url = Url::parse(&uri).ok();
                let rejects = url.is_none_or(|url| self.location.rejects_this_machine(&url));
                (uri, rejects)
            }
        };
        let same_place = self.last_uri().as_ref() == Some(&uri);
        let known = known.filter(|_| same_place).cloned();
        let asked_for_change = known.is_some();
        let request = FetchRequest { known, reject_this_machine, ..self.request(uri.clone()) };
        let response = self.get(&*fetch, request).await?;
        if response.status == 304 && !asked_for_change {
            return Err(KeySourceError::new("status 304 to a request without conditions"));
        }
        let loaded = document(response)?;
        *self.last_uri() = Some(uri);
        Ok(loaded)
    }

    fn last_uri(&self) -> MutexGuard<'_, Option<String>> {
        self.last_uri.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn request(&self, url: String) -> FetchRequest {
        let timeout = self.timeout;
        FetchRequest { url, known: None, max_len: MAX_LEN, timeout, reject_this_machine: false }
    }

    async fn get(
        &self,
        fetch: &dyn Fetch,
        request: FetchRequest,
    ) -> Result<FetchResponse, KeySourceError> {
        let response = fetch.fetch(&request).await;
        let response = response.map_err(|error| KeySourceError::new(error.to_string()))?;
        // An application's own `Fetch` may not look.
        if response.body.len() > MAX_LEN {
            let message = format!("the document is longer than {MAX_LEN} bytes");
            return Err(KeySourceError::new(message));
        }
        Ok(response)
    }

    fn fetch_or_default(&self) -> Result<Arc<dyn Fetch>, KeySourceError> {
        if let Some(fetch) = self.fetch.as_ref().or_else(|| self.default_fetch.get()) {
            return Ok(Arc::clone(fetch));
        }
        let fetch = HttpFetch::new()
            .map_err(|error| KeySourceError::with_source("cannot set TLS up", error))?;
        Ok(Arc::clone(self.default_fetch.get_or_init(|| Arc::new(fetch))))
    }
}

impl KeySource for RemoteJwkSet {
    fn label(&self) -> &str {
        self.location.label()
    }

    fn identity(&self) -> &str {
        self.location.text()
    }

    fn load<'a>(
        &'a self,
        known: Option<&'a Validators>,
    ) -> BoxFuture<'a, Result<Loaded, KeySourceError>> {
        Box::pin(self.load_keys(known))
    }

    fn check(&self) -> Result<(), KeySourceConfigError> {
        let checked = self.location.known_url().and_then(|_| self.location.metadata_urls());
        checked
            .map(drop)
            .map_err(|error| KeySourceConfigError::InvalidLocation { reason: error.to_string() })
    }

    fn seed(&self) -> Option<(KeyDocument, NumericDate)> {
        self.seed.clone()
    }

    fn refresh_policy(&self) -> RefreshPolicy {
        self.policy.clone()
    }

    fn transport(&self) -> KeyTransport {
        self.location.transport()
    }
}

impl fmt::Debug for RemoteJwkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteJwkSet")
            .field("label", &self.label())
            .field("transport", &self.transport())
            .field("policy", &self.policy)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Makes keys of a response.
fn document(response: FetchResponse) -> Result<Loaded, KeySourceError> {
    let lifetime = lifetime(response.cache_control.as_deref(), response.age.as_deref());
    match response.status {
        304 => return Ok(Loaded::NotModified(lifetime)),
        200 => {}
        _ => return Err(unexpected_status(&response)),
    }
    let text = std::str::from_utf8(&response.body)
        .map_err(|_| KeySourceError::new("the document is not UTF-8"))?;
    let document =
        KeyDocument::from_json(text).map_err(|error| KeySourceError::new(error.to_string()))?;
    Ok(Loaded::Document(document.lifetime(lifetime).validators(response.validators)))
}

/// The error of a response whose status is not 200.
fn unexpected_status(response: &FetchResponse) -> KeySourceError {
    let error = KeySourceError::new(format!("status {} instead of 200", response.status));
    // RFC 6585 §4 and RFC 9110 §15.6.4: with others it says something else.
    let names_a_time = matches!(response.status, 429 | 503);
    let retry_after = response.retry_after.as_deref().filter(|_| names_a_time);
    error.with_retry_after(retry_after.and_then(RetryAfter::parse))
}
