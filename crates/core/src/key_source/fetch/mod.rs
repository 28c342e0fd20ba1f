//! Fetching a document over HTTP.

#[cfg(test)]
mod tests;

use std::{
    error::Error,
    fmt,
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{Client, ClientBuilder, header, redirect};
use url::{Host, Url};

use super::{
    Validators,
    address::{CheckedAddresses, is_loopback},
};
use crate::BoxFuture;

/// Fetches a document. The default is [`HttpFetch`].
///
/// An application can bring its own, to count, to record or to fake. It need not know any rule of
/// key sets: status, size and content are judged by the caller.
pub trait Fetch: fmt::Debug + Send + Sync {
    /// Fetches one document.
    fn fetch<'a>(
        &'a self,
        request: &'a FetchRequest,
    ) -> BoxFuture<'a, Result<FetchResponse, FetchError>>;
}

/// What to fetch, and within what limits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FetchRequest {
    /// The URL. Redirects are not followed.
    pub url: String,
    /// What is known of the document already: for `If-None-Match` and `If-Modified-Since`.
    pub known: Option<Validators>,
    /// The longest body, in bytes. What is longer is an error, as soon as that shows.
    pub max_len: usize,
    /// The longest time for everything.
    pub timeout: Duration,
}

/// What came back.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "an implementation of Fetch makes one")]
pub struct FetchResponse {
    /// The status code.
    pub status: u16,
    /// The body, empty for 304.
    pub body: Vec<u8>,
    /// `Cache-Control`, as it came.
    pub cache_control: Option<String>,
    /// `ETag` and `Last-Modified`.
    pub validators: Option<Validators>,
}

/// Why nothing came back: a text for operators, with all causes in it.
#[derive(Clone, Debug)]
pub struct FetchError {
    message: String,
}

impl FetchError {
    /// Creates an error with a text for operators.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        // The text of the outer error names the URL and little else; what went wrong lies within.
        let mut message = error.to_string();
        let mut inner = error.source();
        while let Some(source) = inner {
            message = format!("{message}: {source}");
            inner = source.source();
        }
        Self { message }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for FetchError {}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Fetches with `reqwest`: TLS by rustls on AWS-LC, with the certificates of the platform.
///
/// A proxy that the environment names (`HTTPS_PROXY` and the like) is used for other machines, and
/// never for this one: what is fetched from a loopback address does not leave it.
///
/// A client of the application's own serves for a private certificate authority, a proxy or a
/// client certificate: `HttpFetch::from(client)`. It is used for discovery and for every later
/// fetch, with the proxies that it has. If it follows redirects, a document that came by one is
/// refused.
#[derive(Clone, Debug)]
pub struct HttpFetch {
    client: Client,
    /// Without a proxy, for loopback addresses; made when it is first needed. `None`: the client
    /// above serves for all.
    loopback: Option<Arc<OnceLock<Client>>>,
    /// Which addresses may be connected to. `None`: all.
    allowed: Option<fn(IpAddr) -> bool>,
}

impl HttpFetch {
    /// Creates the default client: no redirects, and 2 seconds to connect.
    ///
    /// # Errors
    ///
    /// [`FetchError`] if the TLS back end cannot be set up.
    pub fn new() -> Result<Self, FetchError> {
        let client = default_client().build()?;
        Ok(Self { client, loopback: Some(Arc::default()), allowed: None })
    }

    /// Creates a client that connects to addresses of the public internet alone: for URLs that a
    /// user of the application may set, and that must not reach into the network behind it.
    ///
    /// Names are checked after they were resolved, and no proxy is used, which would resolve them
    /// elsewhere.
    ///
    /// # Errors
    ///
    /// [`FetchError`] if the TLS back end cannot be set up.
    pub fn public_addresses_only() -> Result<Self, FetchError> {
        Self::checked(CheckedAddresses::PUBLIC)
    }

    fn checked(addresses: CheckedAddresses) -> Result<Self, FetchError> {
        let client = default_client().no_proxy().dns_resolver(Arc::new(addresses)).build()?;
        Ok(Self { client, loopback: None, allowed: Some(addresses.allowed) })
    }

    fn client_for(&self, url: &Url) -> Result<&Client, FetchError> {
        let Some(loopback) = self.loopback.as_ref().filter(|_| is_loopback(url)) else {
            return Ok(&self.client);
        };
        if let Some(client) = loopback.get() {
            return Ok(client);
        }
        let client = default_client().no_proxy().build()?;
        Ok(loopback.get_or_init(|| client))
    }

    /// A URL with a number for its host is not resolved, and so checked here.
    fn check_host(&self, url: &Url) -> Result<(), FetchError> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if self.allowed.is_some_and(|allowed| !allowed(address)) {
            return Err(FetchError::new(format!("{address} is not public")));
        }
        Ok(())
    }
}

fn default_client() -> ClientBuilder {
    Client::builder().redirect(redirect::Policy::none()).connect_timeout(CONNECT_TIMEOUT)
}

impl From<Client> for HttpFetch {
    fn from(client: Client) -> Self {
        Self { client, loopback: None, allowed: None }
    }
}

impl Fetch for HttpFetch {
    fn fetch<'a>(
        &'a self,
        request: &'a FetchRequest,
    ) -> BoxFuture<'a, Result<FetchResponse, FetchError>> {
        Box::pin(async move {
            let url =
                Url::parse(&request.url).map_err(|error| FetchError::new(error.to_string()))?;
            self.check_host(&url)?;
            let mut builder = self.client_for(&url)?.get(url.clone()).timeout(request.timeout);
            builder = builder.header(header::ACCEPT, "application/jwk-set+json, application/json");
            if let Some(known) = &request.known {
                for (name, value) in [
                    (header::IF_NONE_MATCH, &known.etag),
                    (header::IF_MODIFIED_SINCE, &known.last_modified),
                ] {
                    if let Some(value) = value {
                        builder = builder.header(name, value);
                    }
                }
            }
            let response = builder.send().await?;
            if *response.url() != url {
                return Err(FetchError::new("the document came by a redirect"));
            }
            read(response, request.max_len).await
        })
    }
}

async fn read(
    mut response: reqwest::Response,
    max_len: usize,
) -> Result<FetchResponse, FetchError> {
    let header = |name: header::HeaderName| {
        let value = response.headers().get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let validators =
        Validators { etag: header(header::ETAG), last_modified: header(header::LAST_MODIFIED) };
    let mut fetched = FetchResponse {
        status: response.status().as_u16(),
        body: Vec::new(),
        cache_control: header(header::CACHE_CONTROL),
        validators: (validators != Validators::default()).then_some(validators),
    };
    while let Some(chunk) = response.chunk().await? {
        // Counted while it comes, so that an endless body ends here.
        if fetched.body.len() + chunk.len() > max_len {
            return Err(FetchError::new(format!("the document is longer than {max_len} bytes")));
        }
        fetched.body.extend_from_slice(&chunk);
    }
    Ok(fetched)
}
