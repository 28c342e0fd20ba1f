//! Where revocations are kept for all replicas of a service.

use std::{fmt::Debug, future::pending, sync::Arc};

use super::{Revocation, Revoked, StoreError};
use crate::{BoxFuture, NumericDate};

/// Keeps revocations for all replicas of a service.
///
/// Each replica follows the store: it reads all entries once, and after that the changes since its last
/// [`Position`]. Each method may be called by several tasks at once, and may be called again after an error.
/// A method that is dropped before it returns must leave the store consistent. The caller limits the time
/// of each call.
///
/// `portcullis-testkit` has a test suite that every store must pass.
pub trait RevocationStore: Debug + Send + Sync {
    /// Returns a name for logs and metrics. It must not contain credentials.
    fn label(&self) -> &str;

    /// Connects, and creates or updates the schema. Called before the first read, and again after an error.
    /// Doing it twice changes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable), or
    /// [`StoreErrorKind::Unusable`](super::StoreErrorKind::Unusable) if the schema is newer than the library
    /// or a setting of the store would lose entries.
    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Adds entries. When this returns, they survive a crash of this process and of the store.
    ///
    /// An entry that exists already is merged: the later `until` counts (`None` is the latest), and for a
    /// subject or a client the later time. Either all entries are added or none.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unsupported`](super::StoreErrorKind::Unsupported) if the store cannot keep one of the
    /// entries; none was added then. After another error, the entries may have been added all the same, for
    /// example if the connection broke.
    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Reads one page of entries: from the start if `after` is `None`, else those that were added or changed
    /// after a position. An entry may be returned more than once, but none may be skipped.
    ///
    /// Expired entries may be left out.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::PositionLost`](super::StoreErrorKind::PositionLost) if the store cannot return what
    /// follows the position. The caller then reads from the start.
    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>>;

    /// Returns the entries that exist for these kinds and ids, whatever times are in them. This is the
    /// question of a request in strict mode: one round trip.
    ///
    /// # Errors
    ///
    /// The caller rejects the request as long as the store fails.
    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>>;

    /// Returns whether the store keeps ids without their issuers, as a table of another system may. Then an entry
    /// revokes the tokens with its id of every issuer of the engine, and the issuer in entries has no meaning.
    /// Default: `false`.
    fn ignores_issuers(&self) -> bool {
        false
    }

    /// Returns whether the store has a place for entries of this kind. [`add`](Self::add) rejects others. A logout
    /// leaves out the session that a token without `sid` may have begun, if there is no place for it. Default: `true`.
    fn keeps(&self, _revoked: &Revoked) -> bool {
        true
    }

    /// Waits until there may be a change. A change may be missed: the caller reads at intervals too.
    /// Default: waits forever, for a store that cannot notify.
    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(pending())
    }

    /// Deletes at most 1,000 entries whose time is before this, unless another replica is doing that now.
    /// Returns how many it deleted.
    ///
    /// # Errors
    ///
    /// The caller tries again later.
    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>>;
}

impl<S: RevocationStore + ?Sized> RevocationStore for Arc<S> {
    fn label(&self) -> &str {
        (**self).label()
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        (**self).prepare()
    }

    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        (**self).add(entries)
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        (**self).read(after)
    }

    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        (**self).find(wanted)
    }

    fn ignores_issuers(&self) -> bool {
        (**self).ignores_issuers()
    }

    fn keeps(&self, revoked: &Revoked) -> bool {
        (**self).keeps(revoked)
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        (**self).changed()
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        (**self).delete_expired(before)
    }
}

/// Where a replica is in the changes of a store. Only the store knows what the text means.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Position(Box<str>);

impl Position {
    /// Creates a position from the text of a store.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// Returns the text of the store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One page of a store's entries.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Changes {
    /// The entries. At most 10,000 are usual.
    pub entries: Vec<Revocation>,
    /// The position after them.
    pub position: Position,
    /// Whether there are more entries now, so that the caller reads on at once.
    pub has_more: bool,
    /// Whether the store has entries that it does not list, because they are too many. Then each request queries
    /// the store, as in [strict](super::Revocations::strict) mode, until 60 reads in a row were complete.
    pub is_incomplete: bool,
}

impl Changes {
    /// Creates the last page for now.
    #[must_use]
    pub fn new(entries: Vec<Revocation>, position: Position) -> Self {
        Self { entries, position, has_more: false, is_incomplete: false }
    }

    /// Sets that the store has entries that it does not list.
    #[must_use]
    pub fn incomplete(mut self) -> Self {
        self.is_incomplete = true;
        self
    }

    /// Sets that there are more entries now.
    #[must_use]
    pub fn with_more(mut self) -> Self {
        self.has_more = true;
        self
    }
}
