//! The token of a client's calls.

use std::sync::Arc;

use super::{AddBearerTokenError, DestinationError, TokenDestinations, reissue};
use crate::{IssuedToken, MintError, RenewingToken, TokenError};

/// The token of a client's calls, and where it may be sent: what client middlewares share, whatever their framework.
///
/// 1. A request that has an `Authorization` field keeps it: the application chose other credentials.
/// 2. A token is sent to permitted [destinations](TokenDestinations) alone.
/// 3. A response with status 401, or with the gRPC status 16 in its head, means that the server rejected the token. The
///    token is [discarded](RenewingToken::discard), and the request is worth a second try with another token. There is
///    no third.
/// 4. A server can return another token in a response header, if the application [named](Self::reissue_header) it.
///
/// Applications use the middlewares: `AddBearerTokenLayer` of the adapters, and `AddBearerToken` for `reqwest` and awc.
#[derive(Clone, Debug)]
#[must_use]
pub struct CallCredentials {
    token: RenewingToken,
    destinations: TokenDestinations,
    reissue_header: Option<Arc<str>>,
}

/// What a request needs before it is sent.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a middleware must treat each of them")]
pub enum CallToken {
    /// Nothing: it has credentials already.
    Own,
    /// This token, in the field `Authorization`.
    Ready(IssuedToken),
    /// A token that is not in the cache: [`CallCredentials::token`] waits for it.
    Wait,
}

impl CallCredentials {
    /// Tokens are sent to any server by https, and to this machine.
    pub fn new(token: RenewingToken) -> Self {
        Self { token, destinations: TokenDestinations::default(), reissue_header: None }
    }

    /// Adds an origin that tokens are sent to, by the scheme and the authority of its URI. Tokens are then sent nowhere
    /// else. Default: none.
    ///
    /// # Errors
    ///
    /// [`MintError::InvalidOrigin`], as [`TokenDestinations::origin`].
    pub fn origin(self, scheme: &str, authority: &str) -> Result<Self, MintError> {
        Ok(Self { destinations: self.destinations.origin_of(scheme, authority)?, ..self })
    }

    /// Sends tokens only to the [origins](Self::origin). Without any origin, no token is sent. This is for clients that
    /// follow redirects outside of their middlewares: the server that a redirect names must not get the token.
    pub fn only_origins(self) -> Self {
        Self { destinations: self.destinations.only_origins(), ..self }
    }

    /// Sends tokens without TLS too, to any machine.
    ///
    /// # Security
    ///
    /// Everyone on the way can read the token and use it. This is for networks that encrypt by other means, such as a
    /// service mesh.
    pub fn dangerous_allow_cleartext(self) -> Self {
        Self { destinations: self.destinations.dangerous_allow_cleartext(), ..self }
    }

    /// A response header with a token that replaces the one that was sent, such as `Refreshed-API-Token` of Apache
    /// Airflow. Default: none. The header is ignored if the token that was sent is no longer the current one, if its
    /// value is not a bearer token of at most 16 KiB, and if it is a JWT that has expired or cannot be read.
    ///
    /// # Errors
    ///
    /// [`MintError::InvalidOrigin`] if no [`origin`](Self::origin) was added before, and for a name that is not that of
    /// a header.
    ///
    /// # Security
    ///
    /// The server chooses which token later calls have, to each of the origins. So there must be an origin, and each
    /// origin must be trusted as the source of tokens is.
    pub fn reissue_header(self, name: &str) -> Result<Self, MintError> {
        let invalid = |reason| MintError::InvalidOrigin { origin: name.to_owned(), reason };
        if !self.destinations.has_origins() {
            let reason = "any server could replace the token: add an `origin(…)` before";
            return Err(invalid(reason));
        }
        // RFC 9110 §5.6.2.
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(invalid("it is no name of a header"));
        }
        Ok(Self { reissue_header: Some(name.to_ascii_lowercase().into()), ..self })
    }

    /// Decides what a request needs, by its URI.
    ///
    /// # Errors
    ///
    /// [`DestinationError`] if the token must not be sent there.
    pub fn for_request(
        &self,
        has_authorization: bool,
        scheme: Option<&str>,
        authority: Option<&str>,
    ) -> Result<CallToken, DestinationError> {
        if has_authorization {
            return Ok(CallToken::Own);
        }
        self.destinations.permit_uri(scheme, authority)?;
        Ok(self.token.current().map_or(CallToken::Wait, CallToken::Ready))
    }

    /// Returns the current token, or waits for one.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub async fn token(&self) -> Result<IssuedToken, TokenError> {
        self.token.token().await
    }

    /// Decides what a request needs, and waits for a token if it must. `None` if the request has credentials.
    ///
    /// # Errors
    ///
    /// [`AddBearerTokenError`].
    pub async fn token_for_request(
        &self,
        has_authorization: bool,
        scheme: Option<&str>,
        authority: Option<&str>,
    ) -> Result<Option<IssuedToken>, AddBearerTokenError> {
        Ok(match self.for_request(has_authorization, scheme, authority)? {
            CallToken::Own => None,
            CallToken::Ready(token) => Some(token),
            CallToken::Wait => Some(self.token().await?),
        })
    }

    /// Evaluates the head of a response to a request with this token: its status, and its header fields by their names
    /// in lower case. Returns whether the request is worth a second try, with the
    /// [`second_token`](Self::second_token).
    pub fn evaluate<'a>(
        &self,
        sent: &IssuedToken,
        status: u16,
        header: impl Fn(&str) -> Option<&'a [u8]>,
    ) -> bool {
        // A gRPC server that rejects a call at once has the status in the head.
        if status == 401 || header("grpc-status") == Some(b"16") {
            return self.token.discard(sent);
        }
        let name = self.reissue_header.as_deref();
        if let Some(reissued) = name.and_then(header).and_then(reissue::read) {
            self.token.replace(sent, reissued);
        }
        false
    }

    /// Returns the token for the second try, or `None` if the source has no other token than the rejected one. The first
    /// response is the result then.
    pub async fn second_token(&self, sent: &IssuedToken) -> Option<IssuedToken> {
        let token = self.token().await.ok()?;
        (token.token() != sent.token()).then_some(token)
    }
}
