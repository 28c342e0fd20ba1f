//! What sessions need of an engine, whatever grants it makes.

use std::fmt;

use portcullis::{
    AuthError, Authenticator, NumericDate, Principal, future::BoxFuture, revocation::StoreError,
};

/// An [`Authenticator`] without the type of its grant.
pub(super) trait Engine: fmt::Debug + Send + Sync {
    /// Returns whether no replica has used this id before.
    fn is_first_use<'a>(
        &'a self,
        issuer: &'a str,
        id: &'a str,
        until: NumericDate,
    ) -> BoxFuture<'a, Result<bool, AuthError>>;

    /// Revokes a session, if the engine has revocations.
    fn end<'a>(&'a self, caller: &'a Principal) -> BoxFuture<'a, Result<(), StoreError>>;
}

impl<G: Send + Sync + 'static> Engine for Authenticator<G> {
    fn is_first_use<'a>(
        &'a self,
        issuer: &'a str,
        id: &'a str,
        until: NumericDate,
    ) -> BoxFuture<'a, Result<bool, AuthError>> {
        Box::pin(self.is_first_use(issuer, id, until))
    }

    fn end<'a>(&'a self, caller: &'a Principal) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let entries = self.session_revocations(caller);
            if self.revocations().is_none() || entries.is_empty() {
                return Ok(());
            }
            self.revoke(&entries).await
        })
    }
}
