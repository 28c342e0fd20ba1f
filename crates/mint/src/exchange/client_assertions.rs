//! Clients with a key ([RFC 7523 §2.2]).
//!
//! [RFC 7523 §2.2]: https://www.rfc-editor.org/rfc/rfc7523#section-2.2

use portcullis::{AuthError, AuthErrorKind, Authenticator, future::BoxFuture};

use super::{ClientAuthentication, ClientError, ExchangeConfigError, PresentedCredentials};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Authenticates clients by a JWT that each of them signs with its own key (`private_key_jwt`, [RFC 7523 §2.2] and
/// §3).
///
/// The clients are the issuers of an engine of their own: the name of an issuer is the id of its client, and the
/// audience is the URL of this endpoint, or what else clients write as `aud`. An assertion is accepted once, so that
/// it needs a `jti` and an `exp`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use portcullis::{Authenticator, Issuer, revocation::MemoryStore};
/// use portcullis_jose::{Algorithm, SigningKey};
/// use portcullis_mint::exchange::ClientAssertions;
///
/// let key_of_client = SigningKey::generate(Algorithm::ES256)?.verification_key()?;
/// let clients = Authenticator::builder()
///     .issuer(Issuer::new("gateway").key(key_of_client).max_lifetime(Duration::from_secs(300)))
///     .audience("https://orders.example.com/token")
///     .replay_store(MemoryStore::new())
///     .build()?;
/// let clients = ClientAssertions::new(clients)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 7523 §2.2]: https://www.rfc-editor.org/rfc/rfc7523#section-2.2
#[derive(Clone, Debug)]
pub struct ClientAssertions {
    clients: Authenticator,
}

impl ClientAssertions {
    /// Takes the engine whose issuers are the clients.
    ///
    /// # Errors
    ///
    /// [`ExchangeConfigError::NoReplayStore`].
    pub fn new(clients: Authenticator) -> Result<Self, ExchangeConfigError> {
        if clients.has_replay_store() {
            Ok(Self { clients })
        } else {
            Err(ExchangeConfigError::NoReplayStore)
        }
    }

    async fn check(self, credentials: PresentedCredentials) -> Result<String, ClientError> {
        if credentials.client_assertion_type() != Some(ASSERTION_TYPE) {
            return Err(ClientError::Invalid);
        }
        let assertion = credentials.client_assertion().ok_or(ClientError::Invalid)?;
        let tokens = self.clients.defer_use();
        let client =
            tokens.authenticate_token(assertion).await.map_err(|error| client_error(&error))?;
        let client = client.principal();
        let id = client.subject();
        let is_own = !id.is_empty() && client.issuer() == id && client.trusted_issuer() == id;
        if !is_own || credentials.client_id().is_some_and(|named| named != id) {
            return Err(ClientError::Invalid);
        }
        tokens.use_tokens_once(&[client]).await.map_err(|error| client_error(&error))?;
        Ok(id.to_owned())
    }
}

fn client_error(error: &AuthError) -> ClientError {
    match error.kind() {
        AuthErrorKind::KeysUnavailable
        | AuthErrorKind::StoreUnavailable
        | AuthErrorKind::ResolverUnavailable
        | AuthErrorKind::IssuerNotLookedUp => ClientError::Unavailable,
        _ => ClientError::Invalid,
    }
}

impl ClientAuthentication for ClientAssertions {
    fn authenticate(
        &self,
        credentials: PresentedCredentials,
    ) -> BoxFuture<'static, Result<String, ClientError>> {
        Box::pin(self.clone().check(credentials))
    }
}
