//! Where tokens come from.

use std::{error::Error, sync::Arc};

use portcullis::future::BoxFuture;
use portcullis_jose::Algorithm;
use serde_json::{Map, Value};
use tokio::runtime::Handle;

use super::{IssuedToken, RenewingToken};
use crate::{MintError, Minter};

/// Brings tokens for calls to another service: an authorization server that is asked, a file that
/// another program writes.
///
/// It is asked by one call at a time, and only when a new token is needed. Its errors are logged, so they
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
        let is_rsa = is_rsa(self.0.0.key().algorithm());
        let minted = Arc::clone(&self.0);
        Box::pin(in_a_thread(is_rsa, move || Ok(minted.0.mint(&minted.1)?.into())))
    }
}

/// Mints a token of these claims.
#[cfg(feature = "remote")]
pub(crate) async fn mint_in_a_thread(
    minter: Minter,
    claims: Value,
) -> Result<crate::MintedToken, Box<dyn Error + Send + Sync>> {
    in_a_thread(is_rsa(minter.key().algorithm()), move || minter.mint(&claims)).await
}

/// A signature with RSA takes a millisecond and more, for which other tasks of this thread should not wait.
/// The other algorithms take less than the way to another thread and back.
async fn in_a_thread<T: Send + 'static>(
    is_rsa: bool,
    mint: impl FnOnce() -> Result<T, MintError> + Send + 'static,
) -> Result<T, Box<dyn Error + Send + Sync>> {
    match Handle::try_current() {
        Ok(runtime) if is_rsa => Ok(runtime.spawn_blocking(mint).await??),
        _ => Ok(mint()?),
    }
}

fn is_rsa(algorithm: Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512
    )
}
