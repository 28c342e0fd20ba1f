//! Work that one replica does for all.

use super::Authenticator;
use crate::{AuthError, AuthErrorKind, NumericDate};

impl<G: Send + Sync + 'static> Authenticator<G> {
    /// Returns whether an id is used for the first time, among all replicas that share the
    /// [store of used tokens](crate::AuthenticatorBuilder::replay_store). The store remembers the id until a time.
    /// For a part of a service that one replica should do: an id that cannot be the `jti` of a token of this issuer
    /// does not use the token up.
    ///
    /// # Errors
    ///
    /// [`StoreUnavailable`](AuthErrorKind::StoreUnavailable), also if the engine has no store.
    pub async fn is_first_use(
        &self,
        issuer: &str,
        id: &str,
        until: NumericDate,
    ) -> Result<bool, AuthError> {
        let engine = self.engine();
        let store = engine.one_time.as_ref().ok_or(AuthErrorKind::StoreUnavailable)?;
        match store.consume(issuer, id, until, &*engine.clock).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == AuthErrorKind::TokenReplayed => Ok(false),
            Err(error) => Err(error),
        }
    }
}
