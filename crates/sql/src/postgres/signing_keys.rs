//! Signing keys in PostgreSQL.

use std::{sync::Arc, time::Duration};

use portcullis::{
    future::BoxFuture,
    revocation::{StoreError, StoreErrorKind},
};
use portcullis_mint::{SigningKeyStore, SigningKeyStoreError, StoredKey, StoredKeys};
use tokio_postgres::{
    Client,
    types::{ToSql, Type},
};

use super::{PostgresStore, error::Failure, queries::DURABLE, schema};
use crate::{
    key_row::{self, NEWER, VERSION},
    prefix::TablePrefix,
};

/// As the tables of revocations. The revision starts at random, so that a change of the keys in tables that were
/// lost is not one in the next tables.
const TABLES: &str = r#"
SELECT pg_advisory_xact_lock({lock});
CREATE TABLE IF NOT EXISTS "{p}_signing_key" (
    id text PRIMARY KEY,
    algorithm text NOT NULL,
    private_key bytea NOT NULL,
    published_from bigint,
    signs_from bigint,
    signs_until bigint
);
CREATE TABLE IF NOT EXISTS "{p}_signing_ring" (
    one integer PRIMARY KEY CHECK (one = 1),
    version integer NOT NULL,
    revision bigint NOT NULL,
    lease_of text,
    lease_until timestamptz
);
INSERT INTO "{p}_signing_ring" (one, version, revision)
    VALUES (1, 1, (random() * 1e15)::bigint) ON CONFLICT DO NOTHING;
"#;

/// The time of the store is that of the server.
impl SigningKeyStore for PostgresStore {
    fn label(&self) -> &str {
        &self.label
    }

    fn prepare(&self) -> BoxFuture<'_, Result<(), SigningKeyStoreError>> {
        let prefix = self.prefix.clone();
        Box::pin(async move {
            let prepare = |client: Arc<Client>| async move { prepare(&client, &prefix).await };
            Ok(self.keys.run("prepare the tables of the signing keys in", prepare).await?)
        })
    }

    fn read(&self) -> BoxFuture<'_, Result<StoredKeys, SigningKeyStoreError>> {
        let prefix = self.prefix.clone();
        Box::pin(async move {
            let read = |client: Arc<Client>| async move { read(&client, &prefix).await };
            Ok(self.keys.run("read the signing keys from", read).await?)
        })
    }

    fn write<'a>(
        &'a self,
        keys: &'a [StoredKey],
        revision: i64,
    ) -> BoxFuture<'a, Result<bool, SigningKeyStoreError>> {
        let (prefix, keys) = (self.prefix.clone(), keys.to_vec());
        Box::pin(async move {
            let write = move |client: Arc<Client>| async move {
                write(&client, &prefix, &keys, revision).await
            };
            Ok(self.keys.run("write the signing keys to", write).await?)
        })
    }

    fn lease<'a>(
        &'a self,
        replica: &'a str,
        duration: Duration,
    ) -> BoxFuture<'a, Result<bool, SigningKeyStoreError>> {
        let (prefix, replica) = (self.prefix.clone(), Box::<str>::from(replica));
        Box::pin(async move {
            let lease = move |client: Arc<Client>| async move {
                lease(&client, &prefix, &replica, duration).await
            };
            Ok(self.keys.run("take the lease of the signing keys in", lease).await?)
        })
    }
}

async fn prepare(client: &Client, prefix: &TablePrefix) -> Result<(), Failure> {
    schema::check_server(client).await?;
    let exists = client
        .query_typed_one(
            "SELECT to_regclass($1) IS NOT NULL",
            &[(&prefix.sql(r#""{p}_signing_ring""#), Type::TEXT)],
        )
        .await?;
    // Without a need for them, the service needs no right to create tables.
    if exists.try_get(0)? && version(client, prefix).await?.is_some() {
        return Ok(());
    }
    let lock = schema::lock_number("signing keys", prefix).to_string();
    client.batch_execute(&prefix.sql(TABLES).replace("{lock}", &lock)).await?;
    version(client, prefix).await.map(drop)
}

/// Returns the version of the tables, unless it is newer than the library.
async fn version(client: &Client, prefix: &TablePrefix) -> Result<Option<i32>, Failure> {
    let sql = prefix.sql(r#"SELECT max(version) FROM "{p}_signing_ring""#);
    let version: Option<i32> = client.query_typed_one(&sql, &[]).await?.try_get(0)?;
    version.map(check_version).transpose()?;
    Ok(version)
}

fn check_version(version: i32) -> Result<(), Failure> {
    if version > VERSION { Err(Failure::unusable(NEWER)) } else { Ok(()) }
}

/// The time is taken after the snapshot of the statement.
const READ: &str = r#"
SELECT ring.version, ring.revision, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint,
    key.published_from, key.signs_from, key.signs_until, key.id, key.algorithm, key.private_key
FROM "{p}_signing_ring" AS ring LEFT JOIN "{p}_signing_key" AS key ON true
"#;

async fn read(client: &Client, prefix: &TablePrefix) -> Result<StoredKeys, Failure> {
    let rows = client.query_typed(&prefix.sql(READ), &[]).await?;
    let first = rows.first().ok_or_else(|| {
        let text = "the tables of the signing keys have no version: they are not prepared";
        Failure::Store(StoreError::new(StoreErrorKind::Unavailable, text))
    })?;
    check_version(first.try_get(0)?)?;
    let (revision, now) = (first.try_get(1)?, key_row::date(first.try_get(2)?));
    let mut keys = Vec::with_capacity(rows.len());
    for row in &rows {
        // The one row without a key has the ring alone.
        if let Some(id) = row.try_get::<_, Option<&str>>(6)? {
            let times = [row.try_get(3)?, row.try_get(4)?, row.try_get(5)?];
            keys.push(key_row::key(id, row.try_get(7)?, row.try_get(8)?, times));
        }
    }
    Ok(StoredKeys::new(keys, revision, now))
}

/// Another write waits for the row of the ring, and finds the next revision then.
const WRITE: &str = r#"
WITH ring AS (
    UPDATE "{p}_signing_ring" SET revision = revision + 1
    WHERE revision = $1 AND version <= $2 RETURNING 1
), deleted AS (
    DELETE FROM "{p}_signing_key" USING ring WHERE id <> ALL($3::text[])
), written AS (
    INSERT INTO "{p}_signing_key"
        (id, algorithm, private_key, published_from, signs_from, signs_until)
    SELECT key.* FROM ring, unnest(
        $3::text[], $4::text[], $5::bytea[], $6::bigint[], $7::bigint[], $8::bigint[]
    ) AS key
    ON CONFLICT (id) DO UPDATE SET
        algorithm = excluded.algorithm,
        private_key = excluded.private_key,
        published_from = excluded.published_from,
        signs_from = excluded.signs_from,
        signs_until = excluded.signs_until
)
SELECT EXISTS (SELECT * FROM ring), {durable}
"#;

async fn write(
    client: &Client,
    prefix: &TablePrefix,
    keys: &[StoredKey],
    revision: i64,
) -> Result<bool, Failure> {
    let column = |number: usize| -> Vec<Option<i64>> {
        let time = |key| key_row::times(key).and_then(|times| times.get(number).copied());
        keys.iter().map(time).collect()
    };
    let ids: Vec<_> = keys.iter().map(|key| &*key.id).collect();
    let algorithms: Vec<_> = keys.iter().map(|key| &*key.algorithm).collect();
    let private_keys: Vec<_> = keys.iter().map(|key| &*key.private_key).collect();
    let (published_from, signs_from, signs_until) = (column(0), column(1), column(2));
    let parameters: [(&(dyn ToSql + Sync), Type); 8] = [
        (&revision, Type::INT8),
        (&VERSION, Type::INT4),
        (&ids, Type::TEXT_ARRAY),
        (&algorithms, Type::TEXT_ARRAY),
        (&private_keys, Type::BYTEA_ARRAY),
        (&published_from, Type::INT8_ARRAY),
        (&signs_from, Type::INT8_ARRAY),
        (&signs_until, Type::INT8_ARRAY),
    ];
    let sql = prefix.sql(WRITE).replace("{durable}", DURABLE);
    Ok(client.query_typed_one(&sql, &parameters).await?.try_get(0)?)
}

const LEASE: &str = r#"
UPDATE "{p}_signing_ring"
SET lease_of = $1, lease_until = clock_timestamp() + $2 * interval '1 millisecond'
WHERE lease_of IS NULL OR lease_of = $1 OR lease_until <= clock_timestamp()
"#;

async fn lease(
    client: &Client,
    prefix: &TablePrefix,
    replica: &str,
    duration: Duration,
) -> Result<bool, Failure> {
    let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&replica, Type::TEXT), (&millis, Type::INT8)];
    Ok(client.execute_typed(&prefix.sql(LEASE), &parameters).await? == 1)
}
