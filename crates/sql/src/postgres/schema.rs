//! The tables of a database.

use aws_lc_rs::digest;
use tokio_postgres::{Client, types::Type};

use super::error::Failure;
use crate::prefix::TablePrefix;

/// The schema of this library.
pub(super) const VERSION: i32 = 1;

/// The simple query protocol runs all statements as one transaction. The lock makes other replicas that do the
/// same wait; `CREATE … IF NOT EXISTS` alone fails if two do it at once.
///
/// `issuer` and `id` are UTF-8 in `bytea`: a claim may have U+0000, which `text` cannot have, and the database may
/// have another encoding. `key` is a hash of issuer, kind and id: an index cannot have a longer id than 2,700 bytes.
const TABLES: &str = r#"
SELECT pg_advisory_xact_lock({lock});
CREATE TABLE IF NOT EXISTS "{p}_revocation" (
    key bytea PRIMARY KEY,
    issuer bytea NOT NULL,
    kind text NOT NULL,
    id bytea NOT NULL,
    issued_until bigint,
    until bigint,
    transaction bigint NOT NULL,
    row_number bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX IF NOT EXISTS "{p}_revocation_transaction"
    ON "{p}_revocation" (transaction, row_number);
CREATE INDEX IF NOT EXISTS "{p}_revocation_until" ON "{p}_revocation" (until)
    WHERE until IS NOT NULL;
CREATE TABLE IF NOT EXISTS "{p}_used_token" (key bytea PRIMARY KEY, until bigint NOT NULL);
CREATE INDEX IF NOT EXISTS "{p}_used_token_until" ON "{p}_used_token" (until);
CREATE TABLE IF NOT EXISTS "{p}_schema" (version integer NOT NULL, identity text NOT NULL);
INSERT INTO "{p}_schema" (version, identity)
    SELECT 1, gen_random_uuid()::text WHERE NOT EXISTS (SELECT * FROM "{p}_schema");
"#;

/// Creates what is missing.
pub(super) async fn prepare(client: &Client, prefix: &TablePrefix) -> Result<(), Failure> {
    check_server(client).await?;
    let exists = client
        .query_typed_one(
            "SELECT to_regclass($1) IS NOT NULL",
            &[(&prefix.sql(r#""{p}_schema""#), Type::TEXT)],
        )
        .await?;
    // Without a need for them, the service needs no right to create tables.
    if exists.try_get(0)? && version(client, prefix).await? == Some(VERSION) {
        return Ok(());
    }
    let lock = lock_number("schema", prefix);
    client.batch_execute(&prefix.sql(TABLES).replace("{lock}", &lock.to_string())).await?;
    version(client, prefix).await.map(drop)
}

/// Fails if the server is too old.
pub(super) async fn check_server(client: &Client) -> Result<(), Failure> {
    let sql = "SELECT current_setting('server_version_num')::int >= 130000";
    if !client.query_typed_one(sql, &[]).await?.try_get::<_, bool>(0)? {
        return Err(Failure::unusable("PostgreSQL is older than version 13"));
    }
    Ok(())
}

/// Returns the version of the schema, unless it is newer than the library.
async fn version(client: &Client, prefix: &TablePrefix) -> Result<Option<i32>, Failure> {
    let sql = prefix.sql(r#"SELECT max(version) FROM "{p}_schema""#);
    let version: Option<i32> = client.query_typed_one(&sql, &[]).await?.try_get(0)?;
    version.map(check_version).transpose()?;
    Ok(version)
}

pub(super) fn check_version(version: i32) -> Result<(), Failure> {
    if version > VERSION {
        return Err(Failure::unusable(
            "the tables in PostgreSQL are of a newer version of portcullis-sql; \
             help: update this service",
        ));
    }
    Ok(())
}

/// Returns the number of an advisory lock. All locks of a database share one range, so the number is a hash.
pub(super) fn lock_number(purpose: &str, prefix: &TablePrefix) -> i64 {
    let hash = digest::digest(&digest::SHA256, format!("portcullis {purpose} {prefix}").as_bytes());
    let first = hash.as_ref().first_chunk().copied().unwrap_or_default();
    i64::from_be_bytes(first)
}
