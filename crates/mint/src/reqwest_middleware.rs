//! Tokens for the calls of a `reqwest` client.

use async_trait::async_trait;
use http::{Extensions, HeaderValue, header::AUTHORIZATION};
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Error, Middleware, Next, Result};

use crate::{
    AddBearerTokenError, CallCredentials, IssuedToken, MintError, RenewingToken, TokenError,
};

/// Adds a bearer token to each request of a `reqwest` client ([RFC 6750 §2.1]), as a [`Middleware`] of the crate
/// `reqwest-middleware`. The rules are those of [`CallCredentials`].
///
/// 1. If the server rejects the token (status 401), the middleware discards it and sends the request once more with
///    another one. A request whose body is a stream cannot be sent again: its response is returned.
/// 2. A call that cannot have its token is not made. It fails with an [`AddBearerTokenError`] in
///    [`Error::Middleware`].
/// 3. `reqwest` follows redirects inside of the middleware, and removes the token if scheme, host or port change. The
///    response of another URL than the requested one says nothing of the request: the token is neither discarded nor
///    replaced, and the request is not sent again. A redirect to the same URL cannot be noticed.
///
/// # Examples
///
/// ```
/// use portcullis_jose::{Algorithm, SigningKey};
/// use portcullis_mint::{AddBearerToken, Minter, RenewingToken};
/// use reqwest_middleware::ClientBuilder;
/// use serde_json::json;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let minter = Minter::new(SigningKey::generate(Algorithm::ES256)?).issuer("workers");
/// let token = RenewingToken::minted(minter, &json!({"sub": "worker-7", "aud": "orders"})).build()?;
///
/// let client = ClientBuilder::new(reqwest::Client::new())
///     .with(AddBearerToken::new(token).origin("https://orders.example.com")?)
///     .build();
/// # let _ = client;
/// # Ok(()) }
/// ```
///
/// A middleware that sends a request again must be added before this one, so that each try has the current token.
///
/// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
#[derive(Clone, Debug)]
#[must_use]
pub struct AddBearerToken {
    credentials: CallCredentials,
}

impl AddBearerToken {
    /// Creates the middleware. Tokens are sent to any server by https, and to this machine.
    pub fn new(token: RenewingToken) -> Self {
        Self { credentials: CallCredentials::new(token) }
    }

    /// Adds an origin that tokens are sent to. Tokens are then sent nowhere else. Its path does not matter. Default:
    /// none, so that any server is permitted that can be reached safely.
    ///
    /// # Errors
    ///
    /// [`MintError::InvalidOrigin`] for what is no URL, and for `http` to another machine. If that is meant, call
    /// [`dangerous_allow_cleartext`](Self::dangerous_allow_cleartext) before.
    pub fn origin(self, origin: &str) -> std::result::Result<Self, MintError> {
        let reason = "it is no URL";
        let url = Url::parse(origin)
            .map_err(|_| MintError::InvalidOrigin { origin: String::new(), reason })?;
        Ok(Self { credentials: self.credentials.origin(url.scheme(), url.authority())? })
    }

    /// A response header with a token that replaces the one that was sent, such as `Refreshed-API-Token`. Default:
    /// none.
    ///
    /// # Errors
    ///
    /// As [`CallCredentials::reissue_header`].
    ///
    /// # Security
    ///
    /// The server chooses which token later calls have, to each of the origins.
    pub fn reissue_header(self, name: &str) -> std::result::Result<Self, MintError> {
        Ok(Self { credentials: self.credentials.reissue_header(name)? })
    }

    /// Sends tokens without TLS too, to any machine.
    ///
    /// # Security
    ///
    /// Everyone on the way can read the token and use it. This is for networks that encrypt by other means, such as a
    /// service mesh.
    pub fn dangerous_allow_cleartext(self) -> Self {
        Self { credentials: self.credentials.dangerous_allow_cleartext() }
    }

    /// Evaluates a response. Returns whether the request is worth a second try.
    fn evaluate(&self, sent: &IssuedToken, url: &Url, response: &Response) -> bool {
        // After a redirect the token may have been removed, and the method may be another.
        if without_fragment(response.url()) != without_fragment(url) {
            return false;
        }
        let headers = response.headers();
        let header = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
        self.credentials.evaluate(sent, response.status().as_u16(), header)
    }
}

#[async_trait]
impl Middleware for AddBearerToken {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let url = request.url();
        let (scheme, authority) = (Some(url.scheme()), Some(url.authority()));
        let has_authorization = request.headers().contains_key(AUTHORIZATION);
        let token = self.credentials.token_for_request(has_authorization, scheme, authority).await;
        let Some(token) = token.map_err(Error::middleware)? else {
            return next.run(request, extensions).await;
        };
        let again = request.try_clone();
        let url = url.clone();
        add(&mut request, &token)?;
        let response = next.clone().run(request, extensions).await?;
        let is_rejected = self.evaluate(&token, &url, &response);
        let (true, Some(mut request)) = (is_rejected, again) else { return Ok(response) };
        let Some(token) = self.credentials.second_token(&token).await else { return Ok(response) };
        add(&mut request, &token)?;
        let response = next.run(request, extensions).await?;
        self.evaluate(&token, &url, &response);
        Ok(response)
    }
}

/// Returns what is sent of a URL.
fn without_fragment(url: &Url) -> &str {
    url.as_str().split('#').next().unwrap_or_default()
}

fn add(request: &mut Request, token: &IssuedToken) -> Result<()> {
    let value = HeaderValue::try_from(token.authorization());
    let malformed = |_| Error::middleware(AddBearerTokenError::Token(TokenError::Malformed));
    let mut value = value.map_err(malformed)?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(())
}
