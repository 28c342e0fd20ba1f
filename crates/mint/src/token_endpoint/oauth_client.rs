//! Clients of authorization servers.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use base64_simd::STANDARD;
use portcullis::clock::Clock;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use crate::{Minter, SigningKeys};

/// How long an assertion is valid. One is made for each request.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(60);

/// How far the clock of the authorization server may be late.
const ASSERTION_BACKDATE: Duration = Duration::from_secs(10);

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client of an authorization server: its id, and how it authenticates at the token endpoint ([RFC 6749 §2.3]).
/// `Debug` shows the id and the method, and no secret.
///
/// [RFC 6749 §2.3]: https://www.rfc-editor.org/rfc/rfc6749#section-2.3
#[derive(Clone)]
#[must_use]
pub struct OAuthClient {
    client_id: String,
    method: Method,
}

/// The credentials of one request.
pub(super) struct Credentials {
    /// The value of the field `Authorization`.
    pub(super) authorization: Option<String>,
    pub(super) parameters: Vec<(&'static str, String)>,
}

#[derive(Clone)]
enum Method {
    SecretBasic(String),
    SecretPost(String),
    PrivateKeyJwt { minter: Box<Minter>, audience: Option<String> },
}

impl OAuthClient {
    /// `client_secret_basic`: the field `Authorization` has client id and secret, each form-encoded before they
    /// are joined ([RFC 6749 §2.3.1]).
    ///
    /// [RFC 6749 §2.3.1]: https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
    pub fn secret_basic(client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), method: Method::SecretBasic(secret.into()) }
    }

    /// `client_secret_post`: the form has client id and secret ([RFC 6749 §2.3.1]). For servers that do not
    /// support [`secret_basic`](Self::secret_basic).
    ///
    /// [RFC 6749 §2.3.1]: https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
    pub fn secret_post(client_id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), method: Method::SecretPost(secret.into()) }
    }

    /// `private_key_jwt`: each request has a JWT that the client signs ([RFC 7523 §2.2]): `iss` and `sub` are the
    /// client id, `exp` is 60 seconds from now, `iat` and `nbf` were 10 seconds ago, and `jti` is new. The keys are
    /// one [`SigningKey`](portcullis_jose::SigningKey), or [`SigningKeys`] that replace each other.
    ///
    /// [RFC 7523 §2.2]: https://www.rfc-editor.org/rfc/rfc7523#section-2.2
    pub fn private_key_jwt(client_id: impl Into<String>, keys: impl Into<SigningKeys>) -> Self {
        let minter = Minter::new(keys).lifetime(ASSERTION_LIFETIME).backdate(ASSERTION_BACKDATE);
        let method = Method::PrivateKeyJwt { minter: Box::new(minter), audience: None };
        Self { client_id: client_id.into(), method }
    }

    /// The `aud` of the JWT of [`private_key_jwt`](Self::private_key_jwt); other methods have none. Default: the
    /// issuer where the endpoint is found by its issuer, else the URL of the endpoint.
    pub fn assertion_audience(mut self, audience: impl Into<String>) -> Self {
        if let Method::PrivateKeyJwt { audience: current, .. } = &mut self.method {
            *current = Some(audience.into());
        }
        self
    }

    /// Dates assertions by this clock, and addresses them to the endpoint unless an audience was set.
    pub(super) fn for_endpoint(mut self, name: &str, clock: &Arc<dyn Clock>) -> Self {
        if let Method::PrivateKeyJwt { minter, audience } = &mut self.method {
            **minter = minter.as_ref().clone().shared_clock(Arc::clone(clock));
            audience.get_or_insert_with(|| name.to_owned());
        }
        self
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        let is_empty_secret = match &self.method {
            Method::SecretBasic(secret) | Method::SecretPost(secret) => secret.is_empty(),
            Method::PrivateKeyJwt { .. } => false,
        };
        if self.client_id.is_empty() {
            Err("the client id is empty")
        } else if is_empty_secret {
            Err("the client secret is empty")
        } else {
            Ok(())
        }
    }

    /// Returns what a request needs. An assertion is signed for this request alone.
    pub(super) async fn credentials(&self) -> Result<Credentials, Box<dyn Error + Send + Sync>> {
        let id = ("client_id", self.client_id.clone());
        Ok(match &self.method {
            Method::SecretBasic(secret) => Credentials {
                authorization: Some(basic(&self.client_id, secret)),
                parameters: Vec::new(),
            },
            Method::SecretPost(secret) => Credentials {
                authorization: None,
                parameters: vec![id, ("client_secret", secret.clone())],
            },
            Method::PrivateKeyJwt { minter, audience } => {
                let id_value = || Value::from(self.client_id.as_str());
                let claims =
                    [("iss", id_value()), ("sub", id_value()), ("aud", audience.as_deref().into())];
                let claims = claims.map(|(name, value)| (name.to_owned(), value));
                let assertion = minter.mint_off_thread(claims.into_iter().collect()).await?;
                let parameters = vec![
                    id,
                    ("client_assertion_type", JWT_BEARER.to_owned()),
                    ("client_assertion", assertion.into_token()),
                ];
                Credentials { authorization: None, parameters }
            }
        })
    }
}

fn basic(client_id: &str, secret: &str) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = format!("{}:{}", encoded(client_id), encoded(secret));
    format!("Basic {}", STANDARD.encode_to_string(credentials))
}

impl fmt::Debug for OAuthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.method {
            Method::SecretBasic(_) => "client_secret_basic",
            Method::SecretPost(_) => "client_secret_post",
            Method::PrivateKeyJwt { .. } => "private_key_jwt",
        };
        f.debug_struct("OAuthClient")
            .field("client_id", &self.client_id)
            .field("method", &method)
            .finish_non_exhaustive()
    }
}
