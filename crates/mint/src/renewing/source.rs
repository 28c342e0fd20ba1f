//! Where tokens come from.

use std::{error::Error, sync::Arc};

use portcullis::future::BoxFuture;
use serde_json::{Map, Value};

use super::{IssuedToken, RenewingToken};
use crate::Minter;

/// Brings tokens for calls to another service: an authorization server that is asked, a file that
/// another program writes.
///
/// It is asked by one call at a time, and only when a new token is needed; a second one does not wait for the first if
/// a token was discarded or replaced meanwhile. Its errors are logged, so they
/// must not hold a token or a secret. Functions and closures are one:
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_mint::{IssuedToken, RenewingToken};
///
/// type BoxError = Box<dyn std::error::Error + Send + Sync>;
///
/// async fn client_credentials() -> Result<IssuedToken, BoxError> {
///     # async fn ask_the_authorization_server() -> Result<(String, u64), BoxError> { Ok((String::from("abc"), 300)) }
///     let (access_token, expires_in) = ask_the_authorization_server().await?;
///     Ok(IssuedToken::new(access_token).expires_in(Duration::from_secs(expires_in)))
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let token = RenewingToken::from_source(client_credentials).build()?;
/// assert_eq!(token.token().await?.token(), "abc");
/// # Ok(()) }
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(example())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait TokenSource: Send + Sync {
    /// Gets a token.
    fn token(&self) -> BoxFuture<'_, Result<IssuedToken, Box<dyn Error + Send + Sync>>>;
}

impl<F, Fut> TokenSource for F
where
    F: Fn() -> Fut + Send + Sync,
    Fut: Future<Output = Result<IssuedToken, Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    fn token(&self) -> BoxFuture<'_, Result<IssuedToken, Box<dyn Error + Send + Sync>>> {
        Box::pin(self())
    }
}

/// A token that never changes, such as that of the caller of a request.
impl TokenSource for IssuedToken {
    fn token(&self) -> BoxFuture<'_, Result<IssuedToken, Box<dyn Error + Send + Sync>>> {
        Box::pin(async { Ok(self.clone()) })
    }
}

/// The token in the cache, or a new one: for a token exchange of this service's own token.
impl TokenSource for RenewingToken {
    fn token(&self) -> BoxFuture<'_, Result<IssuedToken, Box<dyn Error + Send + Sync>>> {
        Box::pin(async { Ok(Self::token(self).await?) })
    }
}

/// Tokens of this service's own, with the same claims each.
pub(super) struct Minted(Arc<(Minter, Map<String, Value>)>);

impl Minted {
    pub(super) fn new(minter: Minter, claims: Map<String, Value>) -> Self {
        Self(Arc::new((minter, claims)))
    }
}

impl TokenSource for Minted {
    fn token(&self) -> BoxFuture<'_, Result<IssuedToken, Box<dyn Error + Send + Sync>>> {
        Box::pin(async move {
            let (minter, claims) = &*self.0;
            Ok(minter.mint_off_thread(claims.clone()).await?.into())
        })
    }
}
