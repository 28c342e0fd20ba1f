//! Signing keys in a SQLite file.

use std::time::Duration;

use portcullis::{
    clock::{Clock, SystemClock},
    future::BoxFuture,
};
use portcullis_mint::{SigningKeyStore, SigningKeyStoreError, StoredKey, StoredKeys};
use rusqlite::{OptionalExtension, TransactionBehavior, params};

use super::{SqliteStore, error::Failure, file::Open};
use crate::key_row::{self, NEWER, VERSION};

/// The revision starts at random, so that a change of the keys in a file that was lost is not one in the next file.
const TABLES: &str = r#"
CREATE TABLE IF NOT EXISTS "{p}_signing_key" (
    id TEXT PRIMARY KEY,
    algorithm TEXT NOT NULL,
    private_key BLOB NOT NULL,
    published_from INTEGER,
    signs_from INTEGER,
    signs_until INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "{p}_signing_ring" (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    lease_of TEXT,
    lease_until INTEGER
) STRICT;
INSERT OR IGNORE INTO "{p}_signing_ring" (one, version, revision) VALUES (1, 1, abs(random() / 2));
"#;

/// The keys of the replicas on one host. The time of the store is that of the host.
impl SigningKeyStore for SqliteStore {
    fn label(&self) -> &str {
        &self.label
    }

    /// Creates the tables of revocations too.
    fn prepare(&self) -> BoxFuture<'_, Result<(), SigningKeyStoreError>> {
        Box::pin(async {
            self.prepare_file().await?;
            Ok(self.writes.run("create the tables of the signing keys in", prepare).await?)
        })
    }

    fn read(&self) -> BoxFuture<'_, Result<StoredKeys, SigningKeyStoreError>> {
        Box::pin(async { Ok(self.reads.run("read the signing keys from", read).await?) })
    }

    fn write<'a>(
        &'a self,
        keys: &'a [StoredKey],
        revision: i64,
    ) -> BoxFuture<'a, Result<bool, SigningKeyStoreError>> {
        let keys = keys.to_vec();
        Box::pin(async move {
            let write = move |open: &mut Open| write(open, &keys, revision);
            Ok(self.writes.run("write the signing keys to", write).await?)
        })
    }

    fn lease<'a>(
        &'a self,
        replica: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<bool, SigningKeyStoreError>> {
        let replica: Box<str> = replica.into();
        Box::pin(async move {
            let lease = move |open: &mut Open| lease(open, &replica, duration);
            Ok(self.writes.run("take the lease of the signing keys in", lease).await?)
        })
    }
}

fn prepare(open: &mut Open) -> Result<(), Failure> {
    let prefix = open.prefix.clone();
    let transaction = open.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // A newer schema must not be touched.
    let exists = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '{p}_signing_ring'";
    if transaction.query_row(&prefix.sql(exists), [], |_| Ok(())).optional()?.is_some() {
        let version = prefix.sql(r#"SELECT version FROM "{p}_signing_ring""#);
        let version = transaction.query_row(&version, [], |row| row.get(0)).optional()?;
        check_version(version.unwrap_or(VERSION))?;
    }
    transaction.execute_batch(&prefix.sql(TABLES))?;
    Ok(transaction.commit()?)
}

fn read(open: &mut Open) -> Result<StoredKeys, Failure> {
    // One transaction, so that both statements see the same state.
    open.connection.execute_batch("BEGIN")?;
    let read = read_state(open);
    open.connection.execute_batch("ROLLBACK")?;
    read
}

fn read_state(open: &Open) -> Result<StoredKeys, Failure> {
    let ring = open.prefix.sql(r#"SELECT version, revision FROM "{p}_signing_ring""#);
    let ring = open.connection.query_row(&ring, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let (version, revision) = ring.optional()?.ok_or_else(|| {
        Failure::unavailable(
            "the tables of the signing keys have no version: they are not prepared",
        )
    })?;
    check_version(version)?;
    let keys = open.prefix.sql(
        r#"SELECT id, algorithm, private_key, published_from, signs_from, signs_until
           FROM "{p}_signing_key""#,
    );
    let mut keys = open.connection.prepare(&keys)?;
    let mut rows = keys.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, algorithm): (String, String) = (row.get(0)?, row.get(1)?);
        let private_key: Vec<u8> = row.get(2)?;
        let times = [row.get(3)?, row.get(4)?, row.get(5)?];
        keys.push(key_row::key(&id, &algorithm, &private_key, times));
    }
    Ok(StoredKeys::new(keys, revision, SystemClock::default().now()))
}

fn write(open: &mut Open, keys: &[StoredKey], revision: i64) -> Result<bool, Failure> {
    let (prefix, connection) = (&open.prefix, &mut open.connection);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let next = r#"UPDATE "{p}_signing_ring" SET revision = revision + 1
                  WHERE revision = ?1 AND version <= ?2"#;
    if transaction.execute(&prefix.sql(next), params![revision, VERSION])? == 0 {
        return Ok(false);
    }
    transaction.execute(&prefix.sql(r#"DELETE FROM "{p}_signing_key""#), [])?;
    {
        let mut insert = transaction.prepare(&prefix.sql(
            r#"INSERT INTO "{p}_signing_key"
               (id, algorithm, private_key, published_from, signs_from, signs_until)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)"#,
        ))?;
        for key in keys {
            let times = key_row::times(key);
            let [published_from, signs_from, signs_until] =
                times.map_or([None; 3], |times| times.map(Some));
            insert.execute(params![
                key.id,
                key.algorithm,
                key.private_key,
                published_from,
                signs_from,
                signs_until
            ])?;
        }
    }
    transaction.commit()?;
    Ok(true)
}

fn lease(open: &mut Open, replica: &str, duration: Duration) -> Result<bool, Failure> {
    let now = millis(std::time::UNIX_EPOCH.elapsed().unwrap_or_default());
    let lease = r#"UPDATE "{p}_signing_ring" SET lease_of = ?1, lease_until = ?2
                   WHERE lease_of IS NULL OR lease_of = ?1 OR lease_until <= ?3"#;
    let until = now.saturating_add(millis(duration));
    Ok(open.connection.execute(&open.prefix.sql(lease), params![replica, until, now])? == 1)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn check_version(version: i32) -> Result<(), Failure> {
    if version > VERSION { Err(Failure::unusable(NEWER)) } else { Ok(()) }
}
