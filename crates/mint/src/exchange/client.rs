//! The authentication of the client ([RFC 6749 §2.3]).
//!
//! [RFC 6749 §2.3]: https://www.rfc-editor.org/rfc/rfc6749#section-2.3

use std::{fmt, time::Duration};

use base64_simd::STANDARD;
use percent_encoding::percent_decode;
use portcullis::{
    adapter::{Form, RequestView},
    future::BoxFuture,
};

use super::{ExchangeRefusal, refusal::Failure};

/// Authenticates the client of a request. Closures do:
///
/// ```
/// use portcullis_mint::exchange::{PresentedCredentials, ClientError};
///
/// async fn is_secret_of(_client: &str, _secret: &str) -> Result<bool, std::io::Error> { Ok(false) }
///
/// let hook = |credentials: PresentedCredentials| async move {
///     let (client, secret) = credentials.basic().ok_or(ClientError::Invalid)?;
///     match is_secret_of(&client, &secret).await {
///         Ok(true) => Ok(client),
///         Ok(false) => Err(ClientError::Invalid),
///         Err(_) => Err(ClientError::Unavailable),
///     }
/// };
/// ```
///
/// [`ClientSecrets`](super::ClientSecrets) and [`ClientAssertions`](super::ClientAssertions) are ready-made.
pub trait ClientAuthentication: Send + Sync {
    /// Returns the id of the client.
    fn authenticate(
        &self,
        credentials: PresentedCredentials,
    ) -> BoxFuture<'static, Result<String, ClientError>>;
}

impl<F, Fut> ClientAuthentication for F
where
    F: Fn(PresentedCredentials) -> Fut + Send + Sync,
    Fut: Future<Output = Result<String, ClientError>> + Send + 'static,
{
    fn authenticate(
        &self,
        credentials: PresentedCredentials,
    ) -> BoxFuture<'static, Result<String, ClientError>> {
        Box::pin(self(credentials))
    }
}

/// Why a client is not authenticated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ClientError {
    /// The client is unknown, its credentials are missing or wrong, or its method is not supported:
    /// 401 `invalid_client` ([RFC 6749 §5.2]).
    ///
    /// [RFC 6749 §5.2]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
    Invalid,
    /// The credentials cannot be checked now: 503 `temporarily_unavailable`.
    Unavailable,
    /// Too many requests have failed: 429 with `Retry-After`.
    TooManyRequests {
        /// When the client may try again.
        retry_after: Duration,
    },
}

impl ClientError {
    pub(super) fn failure(self, used_authorization: bool) -> Failure {
        match self {
            Self::Invalid => Failure::InvalidClient { used_authorization },
            Self::Unavailable => ExchangeRefusal::Unavailable.into(),
            Self::TooManyRequests { retry_after } => {
                ExchangeRefusal::TooManyRequests { retry_after }.into()
            }
        }
    }
}

/// What a request says of its client. `Debug` does not show it.
pub struct PresentedCredentials {
    authorization: Option<String>,
    parameters: [Option<String>; 4],
}

const PARAMETERS: [&str; 4] =
    ["client_id", "client_secret", "client_assertion", "client_assertion_type"];

impl PresentedCredentials {
    /// Reads the credentials.
    ///
    /// # Errors
    ///
    /// `invalid_request`, if the client uses two methods ([RFC 6749 §2.3]).
    ///
    /// [RFC 6749 §2.3]: https://www.rfc-editor.org/rfc/rfc6749#section-2.3
    pub(super) fn read(authorization: Authorization, form: &Form) -> Result<Self, Failure> {
        const MULTIPLE: Failure =
            Failure::InvalidRequest("the client uses more than one authentication method");
        let authorization = match authorization {
            Authorization::None => None,
            Authorization::One(value) => Some(value),
            Authorization::Several => return Err(MULTIPLE),
        };
        let credentials = Self {
            authorization,
            parameters: PARAMETERS.map(|name| form.get(name).map(ToOwned::to_owned)),
        };
        let methods = [
            credentials.authorization.is_some(),
            credentials.client_secret().is_some(),
            credentials.client_assertion().is_some(),
        ];
        match methods.into_iter().filter(|used| *used).count() {
            0 | 1 => Ok(credentials),
            _ => Err(MULTIPLE),
        }
    }

    /// Returns the value of the field `Authorization`.
    #[must_use]
    pub fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// Returns id and secret of the field `Authorization` with the scheme `Basic` (`client_secret_basic`).
    /// Both are form-decoded ([RFC 6749 §2.3.1]). `None` if the field is missing or malformed.
    ///
    /// [RFC 6749 §2.3.1]: https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
    #[must_use]
    pub fn basic(&self) -> Option<(String, String)> {
        let (scheme, encoded) = self.authorization()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = STANDARD.decode_to_vec(encoded.trim_matches(' ')).ok()?;
        let (id, secret) = str::from_utf8(&decoded).ok()?.split_once(':')?;
        Some((form_decode(id)?, form_decode(secret)?))
    }

    /// Returns the parameter `client_id`. Nothing proves it.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.parameter(0)
    }

    /// Returns the parameter `client_secret` (`client_secret_post`).
    #[must_use]
    pub fn client_secret(&self) -> Option<&str> {
        self.parameter(1)
    }

    /// Returns the parameter `client_assertion` ([RFC 7521 §4.2]).
    ///
    /// [RFC 7521 §4.2]: https://www.rfc-editor.org/rfc/rfc7521#section-4.2
    #[must_use]
    pub fn client_assertion(&self) -> Option<&str> {
        self.parameter(2)
    }

    /// Returns the parameter `client_assertion_type` ([RFC 7521 §4.2]).
    ///
    /// [RFC 7521 §4.2]: https://www.rfc-editor.org/rfc/rfc7521#section-4.2
    #[must_use]
    pub fn client_assertion_type(&self) -> Option<&str> {
        self.parameter(3)
    }

    fn parameter(&self, index: usize) -> Option<&str> {
        self.parameters.get(index)?.as_deref()
    }
}

impl fmt::Debug for PresentedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedCredentials").finish_non_exhaustive()
    }
}

/// The fields `Authorization` of a request.
pub(super) enum Authorization {
    None,
    One(String),
    Several,
}

impl Authorization {
    pub(super) fn of(request: &dyn RequestView) -> Self {
        let mut values = Vec::new();
        request.field_values("authorization", &mut |value| values.push(value));
        match values.as_slice() {
            [] => Self::None,
            // What is not text matches nothing, and counts as a method that was used.
            [value] => Self::One(String::from_utf8_lossy(value).into_owned()),
            _ => Self::Several,
        }
    }

    pub(super) fn is_used(&self) -> bool {
        !matches!(self, Self::None)
    }
}

/// Decodes `application/x-www-form-urlencoded`; `None` if an escape is incomplete or the text is not UTF-8.
fn form_decode(text: &str) -> Option<String> {
    let is_escape =
        |rest: &[u8]| matches!(rest, [a, b, ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    if !text.as_bytes().split(|&byte| byte == b'%').skip(1).all(is_escape) {
        return None;
    }
    let spaced = text.replace('+', " ");
    percent_decode(spaced.as_bytes()).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(authorization: &str) -> Option<(String, String)> {
        let authorization = Some(authorization.to_owned());
        PresentedCredentials { authorization, parameters: [const { None }; 4] }.basic()
    }

    fn encoded(text: &str) -> String {
        format!("Basic {}", STANDARD.encode_to_string(text))
    }

    #[test]
    fn id_and_secret_are_form_decoded() {
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(basic(&encoded("web:secret")), pair("web", "secret"));
        assert_eq!(basic(&encoded("a%3Ab:c%2Bd+e%25")), pair("a:b", "c+d e%"));
        assert_eq!(basic(&encoded("web:a:b")), pair("web", "a:b"));
        assert_eq!(basic(&encoded(":")), pair("", ""));
        assert_eq!(basic(&encoded("web:x").replace("Basic", "bASIC")), pair("web", "x"));
    }

    #[test]
    fn malformed_credentials_are_none() {
        for value in ["", "Basic", "Basic ", "Basic !", "Basic d2Vi", "Bearer d2ViOng="] {
            assert_eq!(basic(value), None, "{value}");
        }
        for text in ["web", "web:%", "%4:x", "web:%zz", "web:%ff"] {
            assert_eq!(basic(&encoded(text)), None, "{text}");
        }
    }
}
