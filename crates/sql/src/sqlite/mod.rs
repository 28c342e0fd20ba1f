//! Revocations and used tokens in a SQLite file.

mod error;
mod file;
mod queries;
mod schema;
#[cfg(feature = "mint")]
mod signing_keys;
mod token_table;
mod worker;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis::{
    NumericDate,
    future::BoxFuture,
    revocation::{Changes, Position, ReplayStore, Revocation, RevocationStore, StoreError, Use},
};

use self::{
    file::{Access, File, Tables},
    worker::Worker,
};
use crate::prefix::TablePrefix;
pub use token_table::SqliteTokenTable;

/// How often [`RevocationStore::changed`] looks for commits of other connections and processes.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Keeps revocations and used tokens in a SQLite file, for all processes of one host.
///
/// The file is in WAL mode, and each write is synced to the disk before it returns (`synchronous=FULL`).
/// Tests end a process by `kill -9` in the middle of writes; they do not test a loss of power, for which
/// SQLite relies on the file system and the disk. Any number of processes on one host may use the file. It
/// must not be on a network file system: WAL needs shared memory.
///
/// Statements run on threads of the store, never on a thread of tokio: one thread for writes, one for the
/// pages that a follower reads, and one for the questions of requests. Each has a queue of 256 calls; when it
/// is full, calls wait. A write waits at most 2 s for the write of another process.
///
/// # Examples
///
/// ```
/// use portcullis::{
///     NumericDate,
///     revocation::{Revocation, RevocationStore, Revoked},
/// };
/// use portcullis_sql::SqliteStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("portcullis-sql-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let store = SqliteStore::open(folder.join("revoked.db"));
/// store.prepare().await?;
///
/// let stolen = Revocation::new("https://idp.example.com", Revoked::Token("a1b2".into()))
///     .until(NumericDate::from_seconds(1_900_000_000));
/// store.add(&[stolen.clone()]).await?;
/// assert_eq!(store.read(None).await?.entries, [stolen]);
/// # drop(store);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    label: Box<str>,
    file: Arc<File>,
    writes: Worker,
    reads: Worker,
    finds: Worker,
    /// The state of the file that the last call of `read` or `changed` saw.
    seen: Mutex<Option<Seen>>,
}

/// A connection, and its `PRAGMA data_version`: the number says nothing about another connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Seen {
    connection: u64,
    data_version: i64,
}

impl SqliteStore {
    /// Creates the store of a file. [`prepare`](RevocationStore::prepare) opens the file, and creates it if it
    /// is missing; the folder must exist.
    ///
    /// The path is not a URI: `:memory:` and `file:…` are ordinary names of files here.
    #[must_use]
    pub fn open(path: impl AsRef<Path>) -> Self {
        Self::with(path.as_ref(), TablePrefix::default())
    }

    /// Sets what the names of the tables start with. Default: `portcullis`, for the tables
    /// `portcullis_revocation`, `portcullis_used_token` and `portcullis_schema`, and those of signing keys.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unusable`](portcullis::revocation::StoreErrorKind::Unusable) unless it has 1 to 40
    /// characters of `a` to `z`, `0` to `9` and `_`, of which the first is not a digit.
    pub fn table_prefix(self, prefix: &str) -> Result<Self, StoreError> {
        Ok(Self::with(self.file.path(), TablePrefix::new(prefix)?))
    }

    /// Shares a table `(jti, exp)` of another system in the file instead, such as `revoked_token` of Apache Airflow.
    /// [`prepare`](RevocationStore::prepare) creates the table, and the file, if they are missing.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unusable`](portcullis::revocation::StoreErrorKind::Unusable) unless the name of the table
    /// has 1 to 40 characters of `a` to `z`, `0` to `9` and `_`, of which the first is not a digit.
    pub fn token_table(self, table: &str) -> Result<SqliteTokenTable, StoreError> {
        Ok(SqliteTokenTable::new(self.file.path(), TablePrefix::new(table)?))
    }

    fn with(path: &Path, prefix: TablePrefix) -> Self {
        let file = Arc::new(File::new(path, prefix, Tables::Own));
        Self {
            label: format!("sqlite:{}", path.display()).into(),
            writes: Worker::new("writes", &file, Access::Write),
            reads: Worker::new("reads", &file, Access::Read),
            finds: Worker::new("finds", &file, Access::Read),
            file,
            seen: Mutex::new(None),
        }
    }

    async fn prepare_file(&self) -> Result<(), StoreError> {
        self.writes.prepare().await
    }

    fn saw(&self, seen: Seen) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
    }

    fn seen(&self) -> Option<Seen> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the file is in another state than the last call of `read` or `changed` saw.
    async fn wait_for_a_change(&self) {
        let mut before = self.seen();
        loop {
            // An error is not a change: the caller finds it when it reads.
            if let Ok(now) = self.reads.run("look for changes in", |open| open.seen()).await {
                match before {
                    Some(before) if before != now => return self.saw(now),
                    Some(_) => {}
                    None => before = Some(now),
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl RevocationStore for SqliteStore {
    fn label(&self) -> &str {
        &self.label
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.prepare_file())
    }

    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        let entries = entries.to_vec();
        Box::pin(self.writes.run("add revocations to", move |open| queries::add(open, &entries)))
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        let after = after.cloned();
        Box::pin(async move {
            let read = move |open: &mut file::Open| queries::read(open, after.as_ref());
            let (changes, seen) = self.reads.run("read revocations from", read).await?;
            self.saw(seen);
            Ok(changes)
        })
    }

    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        let wanted = wanted.to_vec();
        Box::pin(self.finds.run("find revocations in", move |open| queries::find(open, &wanted)))
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.wait_for_a_change())
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.writes.run("delete expired revocations from", move |open| {
            queries::delete_expired(open, queries::Expired::Revocations, before)
        }))
    }
}

impl ReplayStore for SqliteStore {
    fn label(&self) -> &str {
        &self.label
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.prepare_file())
    }

    fn consume<'a>(
        &'a self,
        issuer: &'a str,
        jti: &'a str,
        until: NumericDate,
    ) -> BoxFuture<'a, Result<Use, StoreError>> {
        let (issuer, jti): (Box<str>, Box<str>) = (issuer.into(), jti.into());
        Box::pin(
            self.writes.run("add a used token to", move |open| {
                queries::consume(open, &issuer, &jti, until)
            }),
        )
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.writes.run("delete used tokens from", move |open| {
            queries::delete_expired(open, queries::Expired::UsedTokens, before)
        }))
    }
}
