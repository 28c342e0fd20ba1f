//! Revocations and used tokens in PostgreSQL.

mod connect;
mod error;
mod lane;
mod listen;
mod position;
mod queries;
mod schema;
#[cfg(feature = "mint")]
mod signing_keys;
mod token_table;
mod url;

use std::{fmt, path::PathBuf, sync::Arc};

use portcullis::{
    NumericDate,
    future::BoxFuture,
    revocation::{Changes, Position, ReplayStore, Revocation, RevocationStore, StoreError, Use},
};
use tokio_postgres::{Socket, tls::MakeTlsConnect};

use self::{connect::Server, lane::Lane, listen::Listener, queries::Expired};
use crate::prefix::TablePrefix;
pub use token_table::PostgresTokenTable;

/// Keeps revocations and used tokens in PostgreSQL 13 or later, for all replicas of a service.
///
/// A write returns after its commit is on the disk of the server: `synchronous_commit = off` is overridden for
/// revocations and used tokens. Tests end the server by `kill -9`; they do not test a loss of power.
///
/// # Connections
///
/// A store has at most four: one for the questions of requests (`find`), one for used tokens, one for the work
/// of the follower and for writes, and one that listens for notifications. A fifth one is for signing keys, if it
/// keeps them. Each statement is its own transaction. On one connection, statements run one after the other, so a slow page delays a write of the same
/// replica, but no request in strict mode. At most 256 statements wait on a connection; more calls wait.
/// Statements end after 5 s, and wait at most 2 s for a lock.
///
/// No statement is prepared by name, so that a pooler in transaction mode may be between the store and the
/// server. Notifications do not pass such a pooler; then changes arrive with the poll of the follower.
///
/// # TLS
///
/// Without a TLS connector ([`tls`](Self::tls)) a store connects only to this host (a Unix socket, `localhost` or
/// a loopback address), or if the URL has `sslmode=disable`. With one, it never connects to another host without
/// TLS, unless the URL has `sslmode=disable`.
///
/// # Examples
///
/// ```no_run
/// use portcullis::revocation::RevocationStore;
/// use portcullis_sql::PostgresStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = PostgresStore::open("postgres://orders@localhost/orders")?
///     .password_file("/run/secrets/postgres-password");
/// store.prepare().await?;
/// # Ok(())
/// # }
/// ```
pub struct PostgresStore {
    label: Box<str>,
    server: Server,
    prefix: TablePrefix,
    finds: Lane,
    uses: Lane,
    work: Lane,
    #[cfg(feature = "mint")]
    keys: Lane,
    listener: Listener,
}

impl PostgresStore {
    /// Creates the store of a database, by a URL `postgres://user:password@host:port/database`.
    /// [`prepare`](RevocationStore::prepare) connects.
    ///
    /// A password must be percent-encoded; better, it is in a file ([`password_file`](Self::password_file)).
    /// Several hosts may be listed; the store uses the first one that accepts writes. The parameters are those of
    /// [`tokio_postgres::Config`]. To choose a schema, add `?options=-c%20search_path%3Dname`.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unusable`](portcullis::revocation::StoreErrorKind::Unusable) if the URL cannot be read.
    /// The text contains no part of the URL.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        let (config, label) = url::parse(url)?;
        Ok(Self::with(label, Server::new(config), TablePrefix::default()))
    }

    /// Sets a file with the password, which is read for each new connection. One newline at its end is ignored.
    #[must_use]
    pub fn password_file(self, path: impl Into<PathBuf>) -> Self {
        Self::with(self.label, self.server.password_file(path.into()), self.prefix)
    }

    /// Sets what the names of the tables start with. Default: `portcullis`, for the tables
    /// `portcullis_revocation`, `portcullis_used_token` and `portcullis_schema`, and those of signing keys.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unusable`](portcullis::revocation::StoreErrorKind::Unusable) unless it has 1 to 40
    /// characters of `a` to `z`, `0` to `9` and `_`, of which the first is not a digit.
    pub fn table_prefix(self, prefix: &str) -> Result<Self, StoreError> {
        Ok(Self::with(self.label, self.server, TablePrefix::new(prefix)?))
    }

    /// Sets how connections are encrypted, for example by a connector of `tokio-postgres-rustls`. The connector
    /// must verify the certificate of the server.
    #[must_use]
    pub fn tls<T>(self, connector: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as tokio_postgres::tls::TlsConnect<Socket>>::Future: Send,
    {
        Self::with(self.label, self.server.tls(connector), self.prefix)
    }

    /// Shares a table `(jti, exp)` of another system instead, such as `revoked_token` of Apache Airflow, by the
    /// same connection settings.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unusable`](portcullis::revocation::StoreErrorKind::Unusable) unless the name of the table
    /// has 1 to 40 characters of `a` to `z`, `0` to `9` and `_`, of which the first is not a digit.
    pub fn token_table(self, table: &str) -> Result<PostgresTokenTable, StoreError> {
        Ok(PostgresTokenTable::new(self.label, &self.server, TablePrefix::new(table)?))
    }

    fn with(label: Box<str>, server: Server, prefix: TablePrefix) -> Self {
        Self {
            label,
            finds: Lane::new(&server),
            uses: Lane::new(&server),
            work: Lane::new(&server),
            #[cfg(feature = "mint")]
            keys: Lane::new(&server),
            listener: Listener::new(&server, &prefix),
            server,
            prefix,
        }
    }

    async fn prepare_database(&self) -> Result<(), StoreError> {
        let prefix = self.prefix.clone();
        self.work
            .run("prepare the tables in", move |client| async move {
                schema::prepare(&client, &prefix).await
            })
            .await
    }

    async fn delete(&self, expired: Expired, before: NumericDate) -> Result<u64, StoreError> {
        let prefix = self.prefix.clone();
        self.work
            .run("delete expired rows from", move |client| async move {
                queries::delete_expired(&client, &prefix, expired, before).await
            })
            .await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("label", &self.label)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl RevocationStore for PostgresStore {
    fn label(&self) -> &str {
        &self.label
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.prepare_database())
    }

    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        let (prefix, entries) = (self.prefix.clone(), entries.to_vec());
        Box::pin(self.work.run("add revocations to", move |client| async move {
            queries::add(&client, &prefix, &entries).await
        }))
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        let (prefix, after) = (self.prefix.clone(), after.cloned());
        Box::pin(async move {
            // Before the read, so that a notification during the read counts as a change.
            let seen = self.listener.count();
            let changes = self
                .work
                .run("read revocations from", move |client| async move {
                    queries::read(&client, &prefix, after.as_ref()).await
                })
                .await?;
            self.listener.saw(seen);
            Ok(changes)
        })
    }

    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        let (prefix, wanted) = (self.prefix.clone(), wanted.to_vec());
        Box::pin(self.finds.run("find revocations in", move |client| async move {
            queries::find(&client, &prefix, &wanted).await
        }))
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.listener.changed())
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.delete(Expired::Revocations, before))
    }
}

impl ReplayStore for PostgresStore {
    fn label(&self) -> &str {
        &self.label
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.prepare_database())
    }

    fn consume<'a>(
        &'a self,
        issuer: &'a str,
        jti: &'a str,
        until: NumericDate,
    ) -> BoxFuture<'a, Result<Use, StoreError>> {
        let prefix = self.prefix.clone();
        let (issuer, jti): (Arc<str>, Arc<str>) = (issuer.into(), jti.into());
        Box::pin(self.uses.run("add a used token to", move |client| async move {
            queries::consume(&client, &prefix, &issuer, &jti, until).await
        }))
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.delete(Expired::UsedTokens, before))
    }
}
