//! Fetching a document over HTTP.

#[cfg(test)]
mod tests;

use std::{
    error::Error,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use reqwest::{
    Client, ClientBuilder, RequestBuilder,
    header::{self, HeaderValue},
    redirect,
};
use url::{Host, Url};

use super::{
    Validators,
    address::{AddressRule, BY_SYSTEM, CheckedAddresses, Lookup, is_loopback},
    public_url,
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
    /// Whether the URL must not lead to this machine: the metadata of an issuer elsewhere name it.
    /// What is connected to must be checked, after names are resolved.
    pub reject_this_machine: bool,
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
    /// `Age`, as it came.
    pub age: Option<String>,
    /// `Retry-After`, as it came.
    pub retry_after: Option<String>,
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
    fn from(mut error: reqwest::Error) -> Self {
        if let Some(url) = error.url_mut() {
            public_url::hide_secrets(url);
        }
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
/// A client of the application's own serves for a private certificate authority, a proxy, a
/// client certificate or headers that the server wants: `HttpFetch::from(client)`. It is used for
/// discovery and for every later fetch, with the proxies that it has. If it follows redirects, a
/// document that came by one is rejected.
///
/// Each request has a `User-Agent`, `portcullis/` and the version unless [set](Self::user_agent). A
/// client of the application's own sends its own one, if it has any.
///
/// A URL that metadata name and that must not lead to this machine is checked when it is connected to:
/// by its text with a client of the application's own, and where a proxy is used.
#[derive(Clone, Debug)]
pub struct HttpFetch {
    client: Client,
    /// Other clients for some hosts. `None`: the client above serves for all.
    by_host: Option<Arc<ClientsByHost>>,
    /// Which addresses may be connected to. `None`: all.
    rule: Option<AddressRule>,
    user_agent: Option<HeaderValue>,
}

/// The `User-Agent`, unless it is set.
const USER_AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"));

impl HttpFetch {
    /// Creates the default client: no redirects, and 2 seconds to connect.
    ///
    /// # Errors
    ///
    /// [`FetchError`] if the TLS back end cannot be set up.
    pub fn new() -> Result<Self, FetchError> {
        Self::resolving(BY_SYSTEM)
    }

    fn resolving(lookup: Lookup) -> Result<Self, FetchError> {
        let client = default_client().build()?;
        Ok(Self { by_host: Some(Arc::new(ClientsByHost::new(lookup))), ..Self::of(client) })
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
        let rule = AddressRule::PUBLIC;
        Self::checked(CheckedAddresses { rule, host: None, lookup: BY_SYSTEM })
    }

    fn checked(addresses: CheckedAddresses) -> Result<Self, FetchError> {
        let rule = addresses.rule;
        let client = default_client().no_proxy().dns_resolver(Arc::new(addresses)).build()?;
        Ok(Self { rule: Some(rule), ..Self::of(client) })
    }

    fn of(client: Client) -> Self {
        let user_agent = Some(HeaderValue::from_static(USER_AGENT));
        Self { client, by_host: None, rule: None, user_agent }
    }

    /// The `User-Agent` of each request.
    ///
    /// # Errors
    ///
    /// [`FetchError`] for a text that is not a valid value of a header field.
    pub fn user_agent(self, user_agent: &str) -> Result<Self, FetchError> {
        let value = HeaderValue::from_str(user_agent);
        let value = value.map_err(|error| FetchError::new(format!("`User-Agent`: {error}")))?;
        Ok(Self { user_agent: Some(value), ..self })
    }

    /// Posts a form, with the value of the field `Authorization` if there is one.
    pub(super) async fn post_form(
        &self,
        request: &FetchRequest,
        form: String,
        authorization: Option<HeaderValue>,
    ) -> Result<FetchResponse, FetchError> {
        let send = self.send(request, |client, url| {
            let builder = client
                .post(url)
                .header(header::ACCEPT, "application/json")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form);
            match authorization {
                Some(value) => builder.header(header::AUTHORIZATION, value),
                None => builder,
            }
        });
        send.await
    }

    /// Sends a request within its limits, and follows no redirect.
    async fn send(
        &self,
        request: &FetchRequest,
        build: impl FnOnce(Client, Url) -> RequestBuilder,
    ) -> Result<FetchResponse, FetchError> {
        let mut url =
            Url::parse(&request.url).map_err(|error| FetchError::new(error.to_string()))?;
        // It is never sent, and would make the URL of the answer another one.
        url.set_fragment(None);
        self.check_host(&url, request.reject_this_machine)?;
        let client = self.client_for(&url, request.reject_this_machine)?;
        let mut builder = build(client, url.clone()).timeout(request.timeout);
        if let Some(user_agent) = &self.user_agent {
            builder = builder.header(header::USER_AGENT, user_agent);
        }
        let response = builder.send().await?;
        if *response.url() != url {
            return Err(FetchError::new("the document came by a redirect"));
        }
        read(response, request.max_len).await
    }

    fn client_for(&self, url: &Url, reject_this_machine: bool) -> Result<Client, FetchError> {
        match (&self.by_host, url.host_str()) {
            (Some(clients), _) if is_loopback(url) => clients.loopback(),
            (Some(clients), Some(host)) if reject_this_machine => clients.elsewhere(host),
            _ => Ok(self.client.clone()),
        }
    }

    /// A URL with a number for its host is not resolved, and so checked here.
    fn check_host(&self, url: &Url, reject_this_machine: bool) -> Result<(), FetchError> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        let elsewhere = reject_this_machine.then_some(AddressRule::ELSEWHERE);
        [self.rule, elsewhere].into_iter().flatten().try_for_each(|rule| {
            let host = url.host_str().unwrap_or_default();
            rule.check(host, address).map_err(FetchError::new)
        })
    }
}

/// Clients for hosts that the default one does not serve.
#[derive(Debug)]
struct ClientsByHost {
    lookup: Lookup,
    /// For loopback addresses: without a proxy.
    loopback: OnceLock<Client>,
    /// For a host that must not be this machine: the last one. It may use a proxy, whose name is not
    /// checked: a proxy is often on this machine.
    elsewhere: Mutex<Option<(Box<str>, Client)>>,
}

impl ClientsByHost {
    fn new(lookup: Lookup) -> Self {
        Self { lookup, loopback: OnceLock::new(), elsewhere: Mutex::default() }
    }

    fn loopback(&self) -> Result<Client, FetchError> {
        if let Some(client) = self.loopback.get() {
            return Ok(client.clone());
        }
        let addresses = CheckedAddresses {
            // `localhost` is a name too, which could lead plain http elsewhere.
            rule: AddressRule::LOOPBACK,
            host: None,
            lookup: self.lookup,
        };
        let client = default_client().no_proxy().dns_resolver(Arc::new(addresses)).build()?;
        Ok(self.loopback.get_or_init(|| client).clone())
    }

    fn elsewhere(&self, host: &str) -> Result<Client, FetchError> {
        let mut last = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = last.as_ref().filter(|(known, _)| **known == *host) {
            return Ok(client.clone());
        }
        let host: Box<str> = host.into();
        let addresses = CheckedAddresses {
            rule: AddressRule::ELSEWHERE,
            host: Some(host.clone()),
            lookup: self.lookup,
        };
        let client = default_client().dns_resolver(Arc::new(addresses)).build()?;
        *last = Some((host, client.clone()));
        Ok(client)
    }
}

fn default_client() -> ClientBuilder {
    Client::builder().redirect(redirect::Policy::none()).connect_timeout(CONNECT_TIMEOUT)
}

impl From<Client> for HttpFetch {
    fn from(client: Client) -> Self {
        Self { user_agent: None, ..Self::of(client) }
    }
}

impl Fetch for HttpFetch {
    fn fetch<'a>(
        &'a self,
        request: &'a FetchRequest,
    ) -> BoxFuture<'a, Result<FetchResponse, FetchError>> {
        Box::pin(self.send(request, |client, url| {
            let mut builder = client
                .get(url)
                .header(header::ACCEPT, "application/jwk-set+json, application/json");
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
            builder
        }))
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
        age: header(header::AGE),
        retry_after: header(header::RETRY_AFTER),
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
