//! Stores of revocations, used tokens and signing keys in SQLite and PostgreSQL, for all replicas of a service.
//!
//! [`SqliteStore`] is for the processes of one host, and needs no server. [`PostgresStore`] is for any number of
//! hosts. Both implement [`RevocationStore`](portcullis::revocation::RevocationStore) and
//! [`ReplayStore`](portcullis::revocation::ReplayStore), and with the feature `mint` the `SigningKeyStore` of
//! `portcullis-mint`, by which replicas share the keys that they sign with. Both pass the test suites for stores of
//! `portcullis-testkit`.
//!
#![cfg_attr(feature = "sqlite", doc = "```")]
#![cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
//! use portcullis::revocation::RevocationStore;
//! use portcullis_sql::SqliteStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = std::env::temp_dir().join(format!("portcullis-sql-lib-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! let store = SqliteStore::open(folder.join("revoked.db")).table_prefix("orders")?;
//! store.prepare().await?;
//! # drop(store);
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//!
//! | | SQLite | PostgreSQL |
//! |---|---|---|
//! | a write that returned survives | `kill -9` of any process; a loss of power if file system and disk keep what was synced | `kill -9` of a replica or the server; a loss of power likewise. A failover to an asynchronous standby may lose the last writes |
//! | a lost or replaced store is noticed | the file is another one, or older than the position: `PositionLost` | other tables, another server, another timeline, or an older state: `PositionLost` |
//! | a change is noticed after | 100 ms (`PRAGMA data_version`) | a notification, else the poll of the follower |
//! | a follower reads | in the order of the writes | each visible entry at once; those of transactions that were running may be read again |
//! | clean-up | one short write transaction for 1,000 rows; it blocks no reader | one statement for 1,000 rows, by one replica at a time (advisory lock); it blocks no reader |
//! | a newer schema | `Unusable` | `Unusable` |
//!
//! The tests end processes by `kill -9`. They test no loss of power.
//!
//! A transaction that stays open for hours, anywhere in the PostgreSQL server, makes each read repeat the
//! entries since its start. No entry is late or lost by that.
//!
//! # Tables
//!
//! `prepare` creates what is missing; any number of replicas may do that at once. In PostgreSQL a user without
//! the right to create tables suffices if the tables exist. Issuer and id are `bytea` there, because a claim may
//! have characters that `text` cannot have; `convert_from(id, 'UTF8')` shows one. Write entries by the library or
//! the command `portcullis revoke` only: a follower finds a row by columns that the library sets.
//!
//! # A table of another system
//!
//! [`SqliteTokenTable`] and [`PostgresTokenTable`] share a table that has the ids of revoked tokens in a column
//! `jti` and the end of their validity in a column `exp`, such as `revoked_token` of Apache Airflow. Both programs
//! add rows, and both reject the tokens.
//!
//! | | |
//! |---|---|
//! | what can be revoked | single tokens with a `jti` of at most 32 characters; the rest is `Unsupported`, such as a session by its `sid` |
//! | issuers | the table has none: a row revokes the tokens with its id of every issuer of the engine |
//! | a change is noticed after | 500 ms: the table has no order, so that all rows are read each time |
//! | more than 10,000 rows that have not expired | each request queries the table by its primary key |
//! | the other system deletes a row when it has expired | memory keeps it for the [leeway](SqliteTokenTable::leeway); a request that queries the table does not find it |
//!
//! Signing keys have tables of their own, with a version of their own: `…_signing_key` and `…_signing_ring`. Their times are
//! milliseconds since 1970, by the clock of the server or, for SQLite, of the host. A user without the right to create
//! tables needs `SELECT` and `UPDATE` for the second one, and all four rights for the first one. The store does not
//! encrypt: `portcullis-mint` does.
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `sqlite` | no | `SqliteStore`, with SQLite built in (`rusqlite` 0.43) |
//! | `postgres` | no | `PostgresStore` (`tokio-postgres` 0.7) |
//! | `mint` | no | both keep signing keys too (`portcullis-mint`) |
//!
//! A program can link SQLite once. With the feature `sqlite`, an application that uses `rusqlite` too needs the
//! same version of `libsqlite3-sys`. With `postgres` alone, it may use any version.

#[cfg(all(feature = "mint", any(feature = "postgres", feature = "sqlite")))]
mod key_row;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod prefix;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod token_table;

#[cfg(feature = "postgres")]
pub use postgres::{PostgresStore, PostgresTokenTable};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteStore, SqliteTokenTable};
