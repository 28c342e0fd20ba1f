//! The configuration of the middleware.

use std::rc::Rc;

use actix_web::{
    http::{Method, Uri},
    web::Bytes,
};
use awc::{
    ClientResponse, ConnectRequest, ConnectResponse, FrozenClientRequest,
    error::SendRequestError,
    http::header::{AUTHORIZATION, HeaderValue},
    middleware::Transform,
};
use portcullis_mint::{
    AddBearerTokenError, CallCredentials, IssuedToken, MintError, RenewingToken, TokenError,
};

use super::AddBearerTokenMiddleware;

/// Adds a bearer token to each request of an awc client ([RFC 6750 §2.1]). The rules are those of
/// [`CallCredentials`](crate::mint::CallCredentials).
///
/// 1. Tokens are sent to the [origins](Self::origin) alone, and without one nowhere. awc follows redirects *around* its
///    middlewares, so that this one sees the request to which a redirect leads like any other: a redirect to another
///    origin fails.
/// 2. A call that cannot have its token is not made. It fails with an
///    [`AddBearerTokenError`](crate::mint::AddBearerTokenError) in [`SendRequestError::Custom`].
/// 3. If the server rejects the token (status 401), the middleware discards it, so that the next request has another.
///    A middleware of awc cannot send a request again: [`send`](Self::send) can, with GET and HEAD.
///
/// # Examples
///
/// ```
/// use portcullis_actix_web::{AddBearerToken, Algorithm, keys::SigningKey, mint::{Minter, RenewingToken}};
/// use serde_json::json;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let minter = Minter::new(SigningKey::generate(Algorithm::ES256)?).issuer("workers");
/// let token = RenewingToken::minted(minter, &json!({"sub": "worker-7", "aud": "orders"})).build()?;
///
/// let bearer = AddBearerToken::new(token).origin("https://orders.example.com")?;
/// # actix_web::rt::System::new().block_on(async {
/// let client = awc::Client::builder().wrap(bearer).finish();
/// # drop(client);
/// # });
/// # Ok(()) }
/// ```
///
/// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
#[derive(Clone, Debug)]
#[must_use]
pub struct AddBearerToken {
    credentials: CallCredentials,
}

impl AddBearerToken {
    /// Creates the middleware. Tokens are sent nowhere until there is an [origin](Self::origin).
    pub fn new(token: RenewingToken) -> Self {
        Self { credentials: CallCredentials::new(token).only_origins() }
    }

    /// Adds an origin that tokens are sent to. Its path does not matter.
    ///
    /// # Errors
    ///
    /// [`MintError::InvalidOrigin`] for what is no absolute URI, and for `http` to another machine. If that is meant,
    /// call [`dangerous_allow_cleartext`](Self::dangerous_allow_cleartext) before.
    pub fn origin(self, origin: impl TryInto<Uri>) -> Result<Self, MintError> {
        let reason = "it is no URI";
        let uri = origin
            .try_into()
            .map_err(|_| MintError::InvalidOrigin { origin: String::new(), reason })?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let credentials =
            self.credentials.origin(uri.scheme_str().unwrap_or_default(), authority)?;
        Ok(Self { credentials })
    }

    /// A response header with a token that replaces the one that was sent, such as `Refreshed-API-Token`. Default:
    /// none. [`send`](Self::send) ignores it.
    ///
    /// # Errors
    ///
    /// As [`CallCredentials::reissue_header`](crate::mint::CallCredentials::reissue_header).
    ///
    /// # Security
    ///
    /// The server chooses which token later calls have, to each of the origins.
    pub fn reissue_header(self, name: &str) -> Result<Self, MintError> {
        Ok(Self { credentials: self.credentials.reissue_header(name)? })
    }

    /// Permits origins without TLS, on any machine.
    ///
    /// # Security
    ///
    /// Everyone on the way can read the token and use it. This is for networks that encrypt by other means, such as a
    /// service mesh.
    pub fn dangerous_allow_cleartext(self) -> Self {
        Self { credentials: self.credentials.dangerous_allow_cleartext() }
    }

    /// Sends a request with the token. The client of the request needs no middleware. If the server rejects the token of
    /// a GET or HEAD request (status 401), the token is discarded, and the request is sent once more with another one.
    ///
    /// awc does not tell whether a response came by a redirect, and the request to which a redirect leads has no token.
    /// So the response to any other method is returned as it is, and the token remains: the request may have been
    /// carried out, and the token may be good. For other methods use a client with [this middleware](Self) instead,
    /// which sees each response, so that the next request has another token. Give `send` a client without redirects
    /// ([`disable_redirects`](awc::ClientBuilder::disable_redirects)), or a GET request may discard a good token.
    ///
    /// # Errors
    ///
    /// [`SendRequestError`], and [`SendRequestError::Custom`] with an
    /// [`AddBearerTokenError`](crate::mint::AddBearerTokenError) if the call was not made.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use portcullis_actix_web::AddBearerToken;
    /// # async fn example(bearer: AddBearerToken) -> Result<(), Box<dyn std::error::Error>> {
    /// let client = awc::Client::builder().disable_redirects().finish();
    /// let request = client.get("https://orders.example.com/7").freeze()?;
    /// let response = bearer.send(&request, "").await?;
    /// # drop(response);
    /// # Ok(()) }
    /// ```
    pub async fn send(
        &self,
        request: &FrozenClientRequest,
        body: impl Into<Bytes>,
    ) -> Result<ClientResponse, SendRequestError> {
        let body = body.into();
        let uri = request.get_uri();
        let (scheme, authority) = (uri.scheme_str(), uri.authority().map(|it| it.as_str()));
        let has_authorization = request.headers().contains_key(AUTHORIZATION);
        let token = self.credentials.token_for_request(has_authorization, scheme, authority).await;
        let Some(token) = token.map_err(not_made)? else { return request.send_body(body).await };
        let send = |token: &IssuedToken| {
            let request = request.extra_header((AUTHORIZATION, field(token)?));
            Ok::<_, SendRequestError>(request.send_body(body.clone()))
        };
        let response = send(&token)?.await?;
        // awc may have followed a redirect, after which the request had no token. Then a second try of another method
        // could carry out twice what it asks for.
        if !matches!(*request.get_method(), Method::GET | Method::HEAD) {
            return Ok(response);
        }
        // Which server it comes from is unknown. So it replaces no token.
        let evaluate = |token, response: &ClientResponse| {
            self.credentials.evaluate(token, response.status().as_u16(), |_| None)
        };
        if !evaluate(&token, &response) {
            return Ok(response);
        }
        let Some(token) = self.credentials.second_token(&token).await else { return Ok(response) };
        let response = send(&token)?.await?;
        evaluate(&token, &response);
        Ok(response)
    }
}

impl<S> Transform<S, ConnectRequest> for AddBearerToken
where
    S: actix_service::Service<ConnectRequest, Response = ConnectResponse, Error = SendRequestError>
        + 'static,
{
    type Transform = AddBearerTokenMiddleware<S>;

    fn new_transform(self, service: S) -> Self::Transform {
        AddBearerTokenMiddleware::new(Rc::new(service), Rc::new(self.credentials))
    }
}

/// Returns the value of the field `Authorization`.
pub(super) fn field(token: &IssuedToken) -> Result<HeaderValue, SendRequestError> {
    let value = HeaderValue::try_from(token.authorization());
    let mut value = value.map_err(|_| not_made(TokenError::Malformed.into()))?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) fn not_made(error: AddBearerTokenError) -> SendRequestError {
    SendRequestError::Custom(Box::new(error), Box::new("no bearer token"))
}
