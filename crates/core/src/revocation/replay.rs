//! Tokens that may be used once.

use std::{fmt::Debug, sync::Arc};

use super::StoreError;
use crate::{BoxFuture, NumericDate};

/// Remembers the ids of tokens that may be used once, for all replicas of a service.
///
/// `portcullis-testkit` has a test suite that every store must pass.
pub trait ReplayStore: Debug + Send + Sync {
    /// Returns a name for logs and metrics. It must not contain credentials.
    fn label(&self) -> &str;

    /// Connects, and creates or updates the schema, as
    /// [`RevocationStore::prepare`](super::RevocationStore::prepare).
    ///
    /// # Errors
    ///
    /// As [`RevocationStore::prepare`](super::RevocationStore::prepare).
    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Uses the token with this `jti` of an issuer, and remembers it at least until a time. Of any number of
    /// calls with the same issuer and id, by all replicas together, one returns [`Use::First`].
    ///
    /// # Errors
    ///
    /// The caller rejects the token. A store that is full returns an error; it does not forget an id early.
    fn consume<'a>(
        &'a self,
        issuer: &'a str,
        jti: &'a str,
        until: NumericDate,
    ) -> BoxFuture<'a, Result<Use, StoreError>>;

    /// Deletes at most 1,000 ids whose time is before this, unless another replica is doing that now.
    /// Returns how many it deleted.
    ///
    /// # Errors
    ///
    /// The caller tries again later.
    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>>;
}

impl<S: ReplayStore + ?Sized> ReplayStore for Arc<S> {
    fn label(&self) -> &str {
        (**self).label()
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        (**self).prepare()
    }

    fn consume<'a>(
        &'a self,
        issuer: &'a str,
        jti: &'a str,
        until: NumericDate,
    ) -> BoxFuture<'a, Result<Use, StoreError>> {
        (**self).consume(issuer, jti, until)
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        (**self).delete_expired(before)
    }
}

/// Whether a token was used before.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "a token was used before or was not")]
pub enum Use {
    /// It was not: this is its first use.
    First,
    /// It was.
    Replayed,
}
