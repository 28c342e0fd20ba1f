//! How the application looks the issuer of a tenant up.

use crate::{AuthError, BoxFuture, Issuer};

/// Looks up the issuer of a tenant, by the name that a token claims.
///
/// Nothing about the name is verified: it is hostile text. Compare it with the names of tenants, and never
/// make a URL of it. Closures implement this trait.
pub trait IssuerResolver: Send + Sync {
    /// Returns the issuer whose name equals this one byte for byte, with keys and audience; `None` if no
    /// tenant has this name.
    ///
    /// # Errors
    ///
    /// Kind [`ResolverUnavailable`](crate::AuthErrorKind::ResolverUnavailable) if the look-up failed, for
    /// example because the database does not answer. The request is rejected with 503.
    fn resolve(
        &self,
        unverified_issuer: String,
    ) -> BoxFuture<'static, Result<Option<Issuer>, AuthError>>;
}

impl<F, Fut> IssuerResolver for F
where
    F: Fn(String) -> Fut + Send + Sync,
    Fut: Future<Output = Result<Option<Issuer>, AuthError>> + Send + 'static,
{
    fn resolve(
        &self,
        unverified_issuer: String,
    ) -> BoxFuture<'static, Result<Option<Issuer>, AuthError>> {
        Box::pin(self(unverified_issuer))
    }
}
