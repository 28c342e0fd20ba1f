//! The tables of a file.

use std::{thread, time::Duration};

use rusqlite::{OptionalExtension, TransactionBehavior};

use super::{error::Failure, file::Open};

/// The schema of this library.
const VERSION: i64 = 1;

/// `AUTOINCREMENT` numbers grow for the life of the table. A plain row id is used again after the last row is
/// deleted, and a follower would skip its entry.
const TABLES: &str = r#"
CREATE TABLE IF NOT EXISTS "{p}_revocation" (
    log_id INTEGER PRIMARY KEY AUTOINCREMENT,
    issuer TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    issued_until INTEGER,
    until INTEGER,
    UNIQUE (issuer, kind, id)
) STRICT;
CREATE INDEX IF NOT EXISTS "{p}_revocation_until" ON "{p}_revocation" (until)
    WHERE until IS NOT NULL;
CREATE TABLE IF NOT EXISTS "{p}_used_token" (
    issuer TEXT NOT NULL,
    jti TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (issuer, jti)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS "{p}_used_token_until" ON "{p}_used_token" (until);
CREATE TABLE IF NOT EXISTS "{p}_schema" (version INTEGER NOT NULL, identity TEXT NOT NULL) STRICT;
INSERT INTO "{p}_schema" (version, identity)
    SELECT 1, lower(hex(randomblob(16))) WHERE NOT EXISTS (SELECT * FROM "{p}_schema");
"#;

/// Creates what is missing. The transaction makes other processes that do the same wait.
pub(super) fn migrate(open: &mut Open) -> Result<(), Failure> {
    use_wal(open)?;
    let tables = open.prefix.sql(TABLES);
    let prefix = open.prefix.clone();
    let transaction = open.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // A newer schema must not be touched.
    let exists =
        prefix.sql("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '{p}_schema'");
    if transaction.query_row(&exists, [], |_| Ok(())).optional()?.is_some() {
        let version = prefix.sql(r#"SELECT version FROM "{p}_schema""#);
        check_version(transaction.query_row(&version, [], |row| row.get(0)).optional()?)?;
    }
    transaction.execute_batch(&tables)?;
    transaction.commit()?;
    check(open)
}

/// Fails unless the file has the tables of this version, and is in WAL mode.
pub(super) fn check(open: &Open) -> Result<(), Failure> {
    let mode: String =
        open.connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Failure::unavailable("the SQLite file is not in WAL mode"));
    }
    identity(open).map(drop)
}

/// Returns the random name of the tables, if they are of this version.
pub(super) fn identity(open: &Open) -> Result<String, Failure> {
    let sql = open.prefix.sql(r#"SELECT version, identity FROM "{p}_schema""#);
    let (version, identity) =
        open.connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    check_version(Some(version))?;
    Ok(identity)
}

fn check_version(version: Option<i64>) -> Result<(), Failure> {
    if version.is_some_and(|version| version > VERSION) {
        return Err(Failure::unusable(
            "the tables in the SQLite file are of a newer version of portcullis-sql; \
             help: update this service",
        ));
    }
    Ok(())
}

/// The mode is kept in the file. SQLite does not wait for other processes that change it at the same time.
fn use_wal(open: &Open) -> Result<(), Failure> {
    for _ in 0..100 {
        match open
            .connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
        {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => {
                return Err(Failure::unusable(
                    "the SQLite file cannot be in WAL mode; \
                     help: it must be on a local file system with shared memory",
                ));
            }
            Err(error) => {
                let failure = Failure::from(error);
                if !failure.is_busy() {
                    return Err(failure);
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
    Err(Failure::unavailable("the SQLite file is in use, so that WAL mode cannot be set"))
}
