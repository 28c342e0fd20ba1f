//! A table of another system in a SQLite file.

use std::{path::Path, sync::Arc, time::Duration};

use portcullis::{
    NumericDate,
    future::BoxFuture,
    revocation::{Changes, Position, Revocation, RevocationStore, Revoked, StoreError},
};
use rusqlite::{OptionalExtension, TransactionBehavior, params};

use super::{
    error::Failure,
    file::{Access, File, Open, Tables},
    worker::Worker,
};
use crate::{
    prefix::TablePrefix,
    token_table::{self, LEEWAY, Listed, MAX_LISTED, READ_EVERY, Row},
};

/// Shares a table `(jti, exp)` of another system in a SQLite file, such as `revoked_token` of Apache Airflow:
/// [`SqliteStore::token_table`](super::SqliteStore::token_table).
///
/// `exp` is text like `2027-01-31 18:05:09.000000`, in UTC, as SQLAlchemy writes it. The journal mode of the file
/// stays as it is. Statements run on threads of the store, as those of a [`SqliteStore`](super::SqliteStore) do.
///
/// # Examples
///
/// ```
/// use portcullis::{NumericDate, revocation::{Revocation, RevocationStore, Revoked}};
/// use portcullis_sql::SqliteStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("portcullis-sql-table-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let table = SqliteStore::open(folder.join("airflow.db")).token_table("revoked_token")?;
/// table.prepare().await?; // creates the table if it is missing
///
/// let token = Revocation::new("", Revoked::Token("a1b2".into()))
///     .until(NumericDate::from_seconds(1_900_000_000));
/// table.add(&[token]).await?;
/// # drop(table);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SqliteTokenTable {
    label: Box<str>,
    leeway: Duration,
    listed: Listed,
    writes: Worker,
    reads: Worker,
    finds: Worker,
}

impl SqliteTokenTable {
    pub(super) fn new(path: &Path, table: TablePrefix) -> Self {
        let file = Arc::new(File::new(path, table, Tables::TokenTable));
        Self {
            label: format!("sqlite:{}", path.display()).into(),
            leeway: LEEWAY,
            listed: Listed::default(),
            writes: Worker::new("writes", &file, Access::Write),
            reads: Worker::new("reads", &file, Access::Read),
            finds: Worker::new("finds", &file, Access::Read),
        }
    }

    /// How long a row is needed after its `exp`: at least the [leeway](portcullis::Issuer::leeway) of each issuer.
    /// Default: 60 seconds.
    #[must_use]
    pub fn leeway(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }
}

impl RevocationStore for SqliteTokenTable {
    fn label(&self) -> &str {
        &self.label
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.writes.prepare())
    }

    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async {
            let rows = token_table::rows(entries)?;
            self.writes.run("add revocations to", move |open| add(open, &rows)).await
        })
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        let before = token_table::seconds_before(self.leeway);
        Box::pin(async move {
            let rows = self.reads.run("read revocations from", move |open| read(open, before));
            Ok(self.listed.changes(after, rows.await?, self.leeway))
        })
    }

    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        let ids = token_table::ids(wanted);
        Box::pin(async move {
            let rows = self.finds.run("find revocations in", move |open| find(open, ids)).await?;
            Ok(rows.iter().map(|row| token_table::entry(row, self.leeway)).collect())
        })
    }

    fn ignores_issuers(&self) -> bool {
        true
    }

    fn keeps(&self, revoked: &Revoked) -> bool {
        matches!(revoked, Revoked::Token(_))
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(READ_EVERY))
    }

    fn delete_expired(&self, before: NumericDate) -> BoxFuture<'_, Result<u64, StoreError>> {
        let before = before.saturating_sub(self.leeway).seconds();
        Box::pin(
            self.writes
                .run("delete expired revocations from", move |open| delete_expired(open, before)),
        )
    }
}

/// Creates what is missing, with the columns and the index that Airflow gives them.
pub(super) fn create(open: &Open) -> Result<(), Failure> {
    if check(open).is_ok() {
        return Ok(());
    }
    open.connection.execute_batch(&open.prefix.sql(
        r#"CREATE TABLE IF NOT EXISTS "{p}" (jti VARCHAR(32) NOT NULL PRIMARY KEY, exp TIMESTAMP NOT NULL);
           CREATE INDEX IF NOT EXISTS "idx_{p}_exp" ON "{p}" (exp);"#,
    ))?;
    check(open)
}

/// Fails unless the table exists with its columns.
pub(super) fn check(open: &Open) -> Result<(), Failure> {
    open.connection.prepare(&open.prefix.sql(r#"SELECT "jti", "exp" FROM "{p}""#))?;
    Ok(())
}

/// A row that another program has added may be earlier than ours; the later time counts.
fn add(open: &mut Open, rows: &[Row]) -> Result<(), Failure> {
    let sql = open.prefix.sql(
        r#"INSERT INTO "{p}" AS old (jti, exp)
           VALUES (?1, coalesce(strftime('%Y-%m-%d %H:%M:%S.000000', ?2, 'unixepoch'), '9999-12-31 23:59:59.000000'))
           ON CONFLICT (jti) DO UPDATE SET exp = max(old.exp, excluded.exp)"#,
    );
    let transaction = open.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut insert = transaction.prepare(&sql)?;
        for (id, exp) in rows {
            insert.execute(params![&**id, exp])?;
        }
    }
    Ok(transaction.commit()?)
}

/// Returns the rows that may be needed; `None` if they are too many.
fn read(open: &mut Open, before: i64) -> Result<Option<Vec<Row>>, Failure> {
    // Text is compared, so that the index is used.
    let sql = open.prefix.sql(
        r#"SELECT jti, CAST(strftime('%s', exp) AS INTEGER) FROM "{p}"
           WHERE exp >= strftime('%Y-%m-%d %H:%M:%S', 'now', '-' || ?1 || ' seconds') LIMIT ?2"#,
    );
    let mut statement = open.connection.prepare(&sql)?;
    let mut rows = statement.query(params![before, MAX_LISTED + 1])?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next()? {
        listed.push((row.get::<_, String>(0)?.into(), row.get(1)?));
    }
    let is_whole = i64::try_from(listed.len()).is_ok_and(|len| len <= MAX_LISTED);
    Ok(is_whole.then_some(listed))
}

fn find(open: &mut Open, ids: Vec<Box<str>>) -> Result<Vec<Row>, Failure> {
    let sql = r#"SELECT CAST(strftime('%s', exp) AS INTEGER) FROM "{p}" WHERE jti = ?1"#;
    let mut statement = open.connection.prepare(&open.prefix.sql(sql))?;
    let mut found = Vec::new();
    for id in ids {
        if let Some(exp) = statement.query_row([&*id], |row| row.get(0)).optional()? {
            found.push((id, exp));
        }
    }
    Ok(found)
}

/// Deletes one batch. A transaction that is cut off deletes nothing.
fn delete_expired(open: &mut Open, before: i64) -> Result<u64, Failure> {
    let sql = open.prefix.sql(
        r#"DELETE FROM "{p}" WHERE jti IN (SELECT jti FROM "{p}"
           WHERE exp < strftime('%Y-%m-%d %H:%M:%S', ?1, 'unixepoch') ORDER BY exp LIMIT 1000)"#,
    );
    let deleted = open.connection.execute(&sql, [before])?;
    Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
}
