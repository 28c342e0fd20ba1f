//! Clients with a secret ([RFC 6749 §2.3.1]).
//!
//! [RFC 6749 §2.3.1]: https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1

use std::{collections::HashMap, fmt, future::ready, sync::Arc};

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{Digest, SHA256, digest},
};
use portcullis::future::BoxFuture;

use super::{ClientAuthentication, ClientError, ExchangeConfigError, PresentedCredentials};

/// Authenticates clients by a secret that each of them has: in the field `Authorization`
/// (`client_secret_basic`) or in the form (`client_secret_post`) ([RFC 6749 §2.3.1]).
///
/// Secrets are kept as SHA-256 and compared in constant time, also for an unknown client. `Debug` shows only the
/// number of clients.
///
/// # Examples
///
/// ```
/// use portcullis_mint::exchange::ClientSecrets;
///
/// // A client that is given twice has two secrets, while one replaces the other.
/// let clients = ClientSecrets::new([("gateway", "old secret"), ("gateway", "new secret")])?;
/// # Ok::<(), portcullis_mint::exchange::ExchangeConfigError>(())
/// ```
///
/// [RFC 6749 §2.3.1]: https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1
#[derive(Clone)]
pub struct ClientSecrets {
    clients: Arc<HashMap<String, Vec<Digest>>>,
    /// What the secret of an unknown client is compared with, so that it takes as long.
    unknown: Digest,
}

impl ClientSecrets {
    /// Takes client ids and their secrets.
    ///
    /// # Errors
    ///
    /// [`ExchangeConfigError::EmptyClient`] for an empty id or secret.
    pub fn new<I, C, S>(clients: I) -> Result<Self, ExchangeConfigError>
    where
        I: IntoIterator<Item = (C, S)>,
        C: Into<String>,
        S: AsRef<str>,
    {
        let mut secrets: HashMap<String, Vec<Digest>> = HashMap::new();
        for (client, secret) in clients {
            let (client, secret) = (client.into(), secret.as_ref());
            if client.is_empty() || secret.is_empty() {
                return Err(ExchangeConfigError::EmptyClient);
            }
            secrets.entry(client).or_default().push(sha256(secret));
        }
        Ok(Self { clients: Arc::new(secrets), unknown: sha256("") })
    }

    fn check(&self, credentials: &PresentedCredentials) -> Option<String> {
        let (client, secret) = match credentials.basic() {
            Some(pair) => pair,
            None if credentials.authorization().is_some() => return None,
            None => (credentials.client_id()?.to_owned(), credentials.client_secret()?.to_owned()),
        };
        let presented = sha256(&secret);
        let known = self.clients.get(&client);
        let own = known.map_or(std::slice::from_ref(&self.unknown), Vec::as_slice);
        // All of them, so that the time does not depend on which one it is.
        let equal = own
            .iter()
            .filter(|own| verify_slices_are_equal(own.as_ref(), presented.as_ref()).is_ok());
        let is_right = equal.count() > 0 && known.is_some();
        let is_named_alike = credentials.client_id().is_none_or(|named| named == client);
        (is_right && is_named_alike).then_some(client)
    }
}

fn sha256(text: &str) -> Digest {
    digest(&SHA256, text.as_bytes())
}

impl ClientAuthentication for ClientSecrets {
    fn authenticate(
        &self,
        credentials: PresentedCredentials,
    ) -> BoxFuture<'static, Result<String, ClientError>> {
        Box::pin(ready(self.check(&credentials).ok_or(ClientError::Invalid)))
    }
}

impl fmt::Debug for ClientSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecrets")
            .field("clients", &self.clients.len())
            .finish_non_exhaustive()
    }
}
