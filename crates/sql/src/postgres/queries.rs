//! The statements. Each one is a transaction, so that a caller that is gone leaves none open.

use aws_lc_rs::digest;
use portcullis::{
    NumericDate,
    revocation::{Changes, Position as Text, Revocation, StoreError, StoreErrorKind, Use},
};
use tokio_postgres::{
    Client, Row,
    types::{ToSql, Type},
};

use super::{
    error::Failure,
    listen,
    position::{Page, Position},
    schema,
};
use crate::{
    prefix::TablePrefix,
    row::{self, RowKey, Times},
};

/// How many entries a page has.
const PAGE: usize = 10_000;

/// Makes the commit of this transaction wait for the disk, if the server would not do so. Evaluated by the last
/// part of a statement that writes.
pub(super) const DURABLE: &str = "CASE WHEN current_setting('synchronous_commit') = 'off'
    THEN set_config('synchronous_commit', 'on', true) END";

/// Adds entries. A row that stays as it is keeps its transaction, so that followers do not read it again.
const ADD: &str = r#"
WITH added AS (
    INSERT INTO "{p}_revocation" AS old (key, issuer, kind, id, issued_until, until, transaction)
    SELECT *, pg_current_xact_id()::text::bigint
    FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[])
    ON CONFLICT (key) DO UPDATE SET
        issued_until = greatest(old.issued_until, excluded.issued_until),
        until = CASE WHEN old.until IS NULL OR excluded.until IS NULL THEN NULL
                     ELSE greatest(old.until, excluded.until) END,
        transaction = excluded.transaction
    WHERE excluded.issued_until > old.issued_until
       OR (old.until IS NOT NULL AND (excluded.until IS NULL OR excluded.until > old.until))
    RETURNING 1
)
SELECT {durable}, CASE WHEN EXISTS (SELECT * FROM added) THEN pg_notify($7, '')::text END
"#;

pub(super) async fn add(
    client: &Client,
    prefix: &TablePrefix,
    entries: &[Revocation],
) -> Result<(), Failure> {
    let rows = row::rows(entries);
    let mut rows: Vec<_> = rows.into_iter().map(|(key, times)| (hash(key), key, times)).collect();
    // Two calls with the same rows lock them in the same order.
    rows.sort_unstable_by_key(|row| row.0);
    let column = |value: fn(&RowKey<'_>) -> Vec<u8>| -> Vec<Vec<u8>> {
        rows.iter().map(|(_, key, _)| value(key)).collect()
    };
    let keys: Vec<_> = rows.iter().map(|(hash, _, _)| hash.as_slice()).collect();
    let issuers = column(|key| key.0.into());
    let kinds: Vec<_> = rows.iter().map(|(_, key, _)| key.1).collect();
    let ids = column(|key| key.2.into());
    let issued_until: Vec<_> = rows.iter().map(|(_, _, times)| times.issued_until).collect();
    let until: Vec<_> = rows.iter().map(|(_, _, times)| times.until).collect();
    let sql = prefix.sql(ADD).replace("{durable}", DURABLE);
    let parameters: [(&(dyn ToSql + Sync), Type); 7] = [
        (&keys, Type::BYTEA_ARRAY),
        (&issuers, Type::BYTEA_ARRAY),
        (&kinds, Type::TEXT_ARRAY),
        (&ids, Type::BYTEA_ARRAY),
        (&issued_until, Type::INT8_ARRAY),
        (&until, Type::INT8_ARRAY),
        (&listen::channel(prefix), Type::TEXT),
    ];
    client.query_typed(&sql, &parameters).await?;
    Ok(())
}

/// Reads a page. `snapshot` always has one row, so that the origin and the oldest running transaction are known
/// also if there is no entry. All of it is one statement, which sees one snapshot.
///
/// The origin has the number of the history of the server (its timeline), which changes when a standby takes
/// over: then ids of lost transactions are given again.
const READ: &str = r#"
WITH snapshot AS (
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest_running,
        version,
        identity || '/' || (SELECT system_identifier FROM pg_control_system()) || '/' ||
            left(pg_walfile_name(pg_current_wal_lsn()), 8) AS origin
    FROM "{p}_schema"
)
SELECT entry.issued_until, entry.until, entry.issuer, entry.kind, entry.id,
    entry.transaction, entry.row_number, snapshot.oldest_running, snapshot.version, snapshot.origin
FROM snapshot LEFT JOIN (
    SELECT * FROM "{p}_revocation"
    WHERE transaction >= $1 AND (transaction, row_number) > ($2, $3)
    ORDER BY transaction, row_number LIMIT $4
) AS entry ON true
ORDER BY entry.transaction, entry.row_number
"#;

pub(super) async fn read(
    client: &Client,
    prefix: &TablePrefix,
    after: Option<&Text>,
) -> Result<Changes, Failure> {
    let after = match after {
        Some(text) => Some(Position::parse(text).ok_or_else(Failure::position_lost)?),
        None => None,
    };
    let from = after.as_ref().map_or(0, |after| after.from);
    let page = after.as_ref().and_then(|after| after.page);
    let (transaction, row) = page.map_or((0, 0), |page| (page.transaction, page.row));
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    let parameters: [(&(dyn ToSql + Sync), Type); 4] =
        [(&from, Type::INT8), (&transaction, Type::INT8), (&row, Type::INT8), (&limit, Type::INT8)];
    let rows = client.query_typed(&prefix.sql(READ), &parameters).await?;
    let Some(first) = rows.first() else {
        return Err(unprepared());
    };
    let (oldest_running, version, origin): (i64, i32, String) =
        (first.try_get(7)?, first.try_get(8)?, first.try_get(9)?);
    schema::check_version(version)?;
    if after.as_ref().is_some_and(|after| *after.origin != *origin || after.from > oldest_running) {
        return Err(Failure::position_lost());
    }
    let next_from = page.map_or(oldest_running, |page| page.next_from);
    changes(&rows, Position { origin: origin.into(), from, page: None }, next_from)
}

/// Makes the page, and the position after it.
fn changes(rows: &[Row], position: Position, next_from: i64) -> Result<Changes, Failure> {
    let mut entries = Vec::with_capacity(rows.len());
    let mut last = None;
    for row in rows {
        // The one row without an entry has the snapshot alone.
        if let Some(transaction) = row.try_get(5)? {
            let (issuer, kind, id) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
            entries.push(row::entry(text(issuer)?, kind, text(id)?, times(row)?)?);
            last = Some(Page { next_from, transaction, row: row.try_get(6)? });
        }
    }
    if entries.len() == PAGE {
        let position = Position { page: last, ..position };
        return Ok(Changes::new(entries, position.to_text()).with_more());
    }
    let position = Position { from: next_from, ..position };
    Ok(Changes::new(entries, position.to_text()))
}

const FIND: &str = r#"
SELECT issued_until, until, issuer, kind, id FROM "{p}_revocation" WHERE key = ANY($1::bytea[])
"#;

pub(super) async fn find(
    client: &Client,
    prefix: &TablePrefix,
    wanted: &[Revocation],
) -> Result<Vec<Revocation>, Failure> {
    let keys: Vec<_> = row::rows(wanted).into_keys().map(hash).collect();
    let keys: Vec<_> = keys.iter().map(<[u8; 32]>::as_slice).collect();
    let rows = client.query_typed(&prefix.sql(FIND), &[(&keys, Type::BYTEA_ARRAY)]).await?;
    rows.iter()
        .map(|row| {
            let (issuer, kind, id) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
            Ok(row::entry(text(issuer)?, kind, text(id)?, times(row)?)?)
        })
        .collect()
}

/// Which table has expired rows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expired {
    Revocations,
    UsedTokens,
}

/// Deletes one batch, if no other replica is doing so. A row whose time is extended meanwhile is locked, and
/// looked at again after that.
const DELETE: &str = r#"
WITH turn AS MATERIALIZED (SELECT pg_try_advisory_xact_lock($2) AS is_ours),
expired AS MATERIALIZED (
    SELECT key FROM "{p}_{table}" WHERE (SELECT is_ours FROM turn) AND until < $1
    ORDER BY until LIMIT 1000 FOR UPDATE SKIP LOCKED
)
DELETE FROM "{p}_{table}" AS row USING expired WHERE row.key = expired.key AND row.until < $1
"#;

pub(super) async fn delete_expired(
    client: &Client,
    prefix: &TablePrefix,
    expired: Expired,
    before: NumericDate,
) -> Result<u64, Failure> {
    let table = match expired {
        Expired::Revocations => "revocation",
        Expired::UsedTokens => "used_token",
    };
    let lock = schema::lock_number(table, prefix);
    let sql = prefix.sql(DELETE).replace("{table}", table);
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&before.seconds(), Type::INT8), (&lock, Type::INT8)];
    Ok(client.execute_typed(&sql, &parameters).await?)
}

const CONSUME: &str = r#"
WITH first AS (
    INSERT INTO "{p}_used_token" (key, until) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1
)
SELECT EXISTS (SELECT * FROM first), {durable}
"#;

/// Another token with the same id may live longer. It must not be accepted when the first one has expired.
const EXTEND: &str = r#"UPDATE "{p}_used_token" SET until = $2 WHERE key = $1 AND until < $2"#;

pub(super) async fn consume(
    client: &Client,
    prefix: &TablePrefix,
    issuer: &str,
    jti: &str,
    until: NumericDate,
) -> Result<Use, Failure> {
    let key = hash((issuer, "token", jti));
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&key.as_slice(), Type::BYTEA), (&row::seconds_rounded_up(until), Type::INT8)];
    let sql = prefix.sql(CONSUME).replace("{durable}", DURABLE);
    if client.query_typed_one(&sql, &parameters).await?.try_get(0)? {
        return Ok(Use::First);
    }
    client.execute_typed(&prefix.sql(EXTEND), &parameters).await?;
    Ok(Use::Replayed)
}

/// Returns SHA-256 of the three texts. Their lengths are part of it, so that no two keys have the same input.
fn hash((issuer, kind, id): RowKey<'_>) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [issuer, kind, id] {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part.as_bytes());
    }
    let hash = context.finish();
    let mut key = [0; 32];
    key.copy_from_slice(hash.as_ref());
    key
}

fn times(row: &Row) -> Result<Times, tokio_postgres::Error> {
    Ok(Times { issued_until: row.try_get(0)?, until: row.try_get(1)? })
}

fn text(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes)
        .map_err(|_| Failure::unusable("the store has an entry that is not UTF-8"))
}

fn unprepared() -> Failure {
    let text = "the tables in PostgreSQL have no version: they are not prepared";
    Failure::Store(StoreError::new(StoreErrorKind::Unavailable, text))
}
