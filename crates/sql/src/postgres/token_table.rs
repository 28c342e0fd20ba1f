//! A table of another system in PostgreSQL.

use std::{fmt, time::Duration};

use portcullis::{
    NumericDate,
    future::BoxFuture,
    revocation::{Changes, Position, Revocation, RevocationStore, Revoked, StoreError},
};
use tokio_postgres::{
    Client,
    types::{ToSql, Type},
};

use super::{connect::Server, error::Failure, lane::Lane, queries::DURABLE};
use crate::{
    prefix::TablePrefix,
    token_table::{self, LEEWAY, Listed, MAX_LISTED, READ_EVERY, Row},
};

/// Shares a table `(jti, exp)` of another system in PostgreSQL, such as `revoked_token` of Apache Airflow:
/// [`PostgresStore::token_table`](super::PostgresStore::token_table).
///
/// `exp` is a `timestamp with time zone`. The store has two connections: one for the questions of requests, and one
/// for the work of the follower and for writes.
///
/// # Examples
///
/// ```no_run
/// use portcullis::revocation::RevocationStore;
/// use portcullis_sql::PostgresStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let table = PostgresStore::open("postgres://airflow@localhost/airflow")?
///     .password_file("/run/secrets/postgres-password")
///     .token_table("revoked_token")?;
/// table.prepare().await?; // creates the table if it is missing
/// # Ok(())
/// # }
/// ```
pub struct PostgresTokenTable {
    label: Box<str>,
    table: TablePrefix,
    leeway: Duration,
    listed: Listed,
    finds: Lane,
    work: Lane,
}

impl PostgresTokenTable {
    pub(super) fn new(label: Box<str>, server: &Server, table: TablePrefix) -> Self {
        let (finds, work) = (Lane::new(server), Lane::new(server));
        Self { label, table, leeway: LEEWAY, listed: Listed::default(), finds, work }
    }

    /// How long a row is needed after its `exp`: at least the [leeway](portcullis::Issuer::leeway) of each issuer.
    /// Default: 60 seconds.
    #[must_use]
    pub fn leeway(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }
}

impl fmt::Debug for PostgresTokenTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresTokenTable")
            .field("label", &self.label)
            .field("table", &self.table)
            .field("leeway", &self.leeway)
            .finish_non_exhaustive()
    }
}

impl RevocationStore for PostgresTokenTable {
    fn label(&self) -> &str {
        &self.label
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        let table = self.table.clone();
        Box::pin(self.work.run("prepare the table in", move |client| async move {
            prepare(&client, &table).await
        }))
    }

    fn add<'a>(&'a self, entries: &'a [Revocation]) -> BoxFuture<'a, Result<(), StoreError>> {
        let (sql, rows) = (
            self.table.sql(ADD).replace("{durable}", DURABLE).replace("{forever}", FOREVER),
            token_table::rows(entries),
        );
        Box::pin(async {
            let rows = rows?;
            self.work
                .run("add revocations to", move |client| async move {
                    let ids: Vec<_> = rows.iter().map(|(id, _)| &**id).collect();
                    let ends: Vec<_> = rows.iter().map(|(_, exp)| *exp).collect();
                    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
                        [(&ids, Type::TEXT_ARRAY), (&ends, Type::INT8_ARRAY)];
                    client.query_typed(&sql, &parameters).await?;
                    Ok(())
                })
                .await
        })
    }

    fn read<'a>(
        &'a self,
        after: Option<&'a Position>,
    ) -> BoxFuture<'a, Result<Changes, StoreError>> {
        let (sql, before) = (self.table.sql(READ), token_table::seconds_before(self.leeway));
        Box::pin(async move {
            let rows = self.work.run("read revocations from", move |client| async move {
                let parameters: [(&(dyn ToSql + Sync), Type); 2] =
                    [(&before, Type::INT8), (&(MAX_LISTED + 1), Type::INT8)];
                let rows = rows(&client, &sql, &parameters).await?;
                let is_whole = i64::try_from(rows.len()).is_ok_and(|len| len <= MAX_LISTED);
                Ok(is_whole.then_some(rows))
            });
            Ok(self.listed.changes(after, rows.await?, self.leeway))
        })
    }

    fn find<'a>(
        &'a self,
        wanted: &'a [Revocation],
    ) -> BoxFuture<'a, Result<Vec<Revocation>, StoreError>> {
        let (sql, ids) = (self.table.sql(FIND), token_table::ids(wanted));
        Box::pin(async move {
            let rows = self.finds.run("find revocations in", move |client| async move {
                let ids: Vec<_> = ids.iter().map(|id| &**id).collect();
                rows(&client, &sql, &[(&ids, Type::TEXT_ARRAY)]).await
            });
            Ok(rows.await?.iter().map(|row| token_table::entry(row, self.leeway)).collect())
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
        let sql = self.table.sql(DELETE);
        Box::pin(self.work.run("delete expired revocations from", move |client| async move {
            Ok(client.execute_typed(&sql, &[(&before, Type::INT8)]).await?)
        }))
    }
}

/// Creates what is missing, with the columns and the index that Airflow gives them.
async fn prepare(client: &Client, table: &TablePrefix) -> Result<(), Failure> {
    const KIND: &str = "SELECT format_type(atttypid, NULL) FROM pg_attribute
        WHERE attrelid = to_regclass($1) AND attname = 'exp' AND NOT attisdropped";
    let kind = async || -> Result<Option<String>, Failure> {
        let name = table.sql(r#""{p}""#);
        let row = client.query_typed_opt(KIND, &[(&name, Type::TEXT)]).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    };
    let found = match kind().await? {
        // Without a need for them, the service needs no right to create tables.
        Some(found) => Some(found),
        None => {
            client.batch_execute(&table.sql(TABLE)).await?;
            kind().await?
        }
    };
    if found.as_deref() != Some("timestamp with time zone") {
        return Err(Failure::unusable(
            "the table of revoked tokens has no column `exp` that is a timestamp with time zone",
        ));
    }
    Ok(())
}

/// The lock makes other replicas that do the same wait; `CREATE … IF NOT EXISTS` alone fails if two do it at once.
const TABLE: &str = r#"
SELECT pg_advisory_xact_lock(hashtext('portcullis {p}'));
CREATE TABLE IF NOT EXISTS "{p}" (jti varchar(32) PRIMARY KEY, exp timestamptz NOT NULL);
CREATE INDEX IF NOT EXISTS "idx_{p}_exp" ON "{p}" (exp);
"#;

/// A row that another program has added may be earlier than ours; the later time counts.
const ADD: &str = r#"
WITH added AS (
    INSERT INTO "{p}" AS old (jti, exp)
    SELECT jti, to_timestamp(coalesce(least(until, {forever}), {forever}))
    FROM unnest($1::text[], $2::bigint[]) AS new (jti, until)
    ON CONFLICT (jti) DO UPDATE SET exp = greatest(old.exp, excluded.exp)
    RETURNING 1
)
SELECT {durable}, (SELECT count(*) FROM added)
"#;

/// The end of 9999-12-30: Python has no later year, in any time zone.
const FOREVER: &str = "253402214400";

const READ: &str = r#"
SELECT jti, CASE WHEN isfinite(exp) THEN ceil(extract(epoch FROM exp))::bigint END FROM "{p}"
WHERE exp >= now() - make_interval(secs => $1) LIMIT $2
"#;

const FIND: &str = r#"
SELECT jti, CASE WHEN isfinite(exp) THEN ceil(extract(epoch FROM exp))::bigint END FROM "{p}"
WHERE jti = ANY($1::text[])
"#;

const DELETE: &str = r#"
DELETE FROM "{p}" WHERE jti IN (
    SELECT jti FROM "{p}" WHERE exp < to_timestamp($1) ORDER BY exp LIMIT 1000 FOR UPDATE SKIP LOCKED
)
"#;

async fn rows(
    client: &Client,
    sql: &str,
    parameters: &[(&(dyn ToSql + Sync), Type)],
) -> Result<Vec<Row>, Failure> {
    let rows = client.query_typed(sql, parameters).await?;
    let rows = rows.iter().map(|row| Ok((row.try_get::<_, &str>(0)?.into(), row.try_get(1)?)));
    rows.collect()
}
