//! The statements.

use portcullis::{
    NumericDate,
    revocation::{Changes, Position, Revocation, StoreError, StoreErrorKind, Use},
};
use rusqlite::{OptionalExtension, Row, TransactionBehavior, params};

use super::{Seen, error::Failure, file::Open, schema};
use crate::row::{self, Times};

/// How many entries a page has.
const PAGE: usize = 10_000;

/// Adds entries in one transaction. SQLite has one writer at a time, so numbers are committed in their order.
pub(super) fn add(open: &mut Open, entries: &[Revocation]) -> Result<(), Failure> {
    let find = open.prefix.sql(FIND);
    // The row of a changed entry is replaced, so that it has a new number and followers read it.
    let replace = open.prefix.sql(
        r#"INSERT OR REPLACE INTO "{p}_revocation" (issuer, kind, id, issued_until, until)
           VALUES (?1, ?2, ?3, ?4, ?5)"#,
    );
    let transaction = open.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut find = transaction.prepare(&find)?;
        let mut replace = transaction.prepare(&replace)?;
        for ((issuer, kind, id), added) in row::rows(entries) {
            let old = find.query_row([issuer, kind, id], times_of).optional()?;
            let times = old.map_or(added, |old| old.merge(added));
            if old != Some(times) {
                replace.execute(params![issuer, kind, id, times.issued_until, times.until])?;
            }
        }
    }
    Ok(transaction.commit()?)
}

/// Reads a page, and what `changed` has to compare with.
pub(super) fn read(open: &mut Open, after: Option<&Position>) -> Result<(Changes, Seen), Failure> {
    // Before the read, so that a commit during the read counts as a change.
    let seen = open.seen()?;
    // One transaction, so that all statements see the same state.
    open.connection.execute_batch("BEGIN")?;
    let changes = read_page(open, after);
    open.connection.execute_batch("ROLLBACK")?;
    Ok((changes?, seen))
}

fn read_page(open: &Open, after: Option<&Position>) -> Result<Changes, Failure> {
    let identity = schema::identity(open)?;
    let after = match after {
        Some(position) => log_id(position, &identity).ok_or_else(position_lost)?,
        None => 0,
    };
    // The largest number ever given. A file from a backup is behind the position.
    let sql = open.prefix.sql("SELECT seq FROM sqlite_sequence WHERE name = '{p}_revocation'");
    let last = open.connection.query_row(&sql, [], |row| row.get(0)).optional()?.unwrap_or(0);
    if after > last {
        return Err(position_lost());
    }

    let sql = open.prefix.sql(
        r#"SELECT issued_until, until, issuer, kind, id, log_id FROM "{p}_revocation"
           WHERE log_id > ?1 ORDER BY log_id LIMIT ?2"#,
    );
    let mut statement = open.connection.prepare(&sql)?;
    let mut rows = statement.query(params![after, i64::try_from(PAGE).unwrap_or(i64::MAX)])?;
    let mut entries = Vec::new();
    let mut position = last;
    while let Some(row) = rows.next()? {
        entries.push(entry_of(row)?);
        position = row.get(5)?;
    }
    let is_full = entries.len() == PAGE;
    // Behind the last row there may be numbers of rows that were replaced or deleted.
    let position = if is_full { position } else { last };
    let changes = Changes::new(entries, Position::new(format!("{identity}:{position}")));
    Ok(if is_full { changes.with_more() } else { changes })
}

pub(super) fn find(open: &mut Open, wanted: &[Revocation]) -> Result<Vec<Revocation>, Failure> {
    let sql = open.prefix.sql(FIND);
    let mut statement = open.connection.prepare(&sql)?;
    let mut found = Vec::new();
    for (issuer, kind, id) in row::rows(wanted).into_keys() {
        if let Some(times) = statement.query_row([issuer, kind, id], times_of).optional()? {
            found.push(row::entry(issuer, kind, id, times)?);
        }
    }
    Ok(found)
}

/// Which table has expired rows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expired {
    Revocations,
    UsedTokens,
}

/// Deletes one batch. A transaction that is cut off deletes nothing.
pub(super) fn delete_expired(
    open: &mut Open,
    expired: Expired,
    before: NumericDate,
) -> Result<u64, Failure> {
    let sql = open.prefix.sql(match expired {
        Expired::Revocations => {
            r#"DELETE FROM "{p}_revocation" WHERE log_id IN
               (SELECT log_id FROM "{p}_revocation" WHERE until < ?1 ORDER BY until LIMIT 1000)"#
        }
        Expired::UsedTokens => {
            r#"DELETE FROM "{p}_used_token" WHERE (issuer, jti) IN
               (SELECT issuer, jti FROM "{p}_used_token" WHERE until < ?1 ORDER BY until LIMIT 1000)"#
        }
    });
    let deleted = open.connection.execute(&sql, [before.seconds()])?;
    Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
}

pub(super) fn consume(
    open: &mut Open,
    issuer: &str,
    jti: &str,
    until: NumericDate,
) -> Result<Use, Failure> {
    let until = row::seconds_rounded_up(until);
    let insert = open.prefix.sql(
        r#"INSERT INTO "{p}_used_token" (issuer, jti, until) VALUES (?1, ?2, ?3)
           ON CONFLICT DO NOTHING"#,
    );
    if open.connection.execute(&insert, params![issuer, jti, until])? == 1 {
        return Ok(Use::First);
    }
    // Another token with the same id may live longer. It must not be accepted when the first one has expired.
    let extend = open.prefix.sql(
        r#"UPDATE "{p}_used_token" SET until = ?3 WHERE issuer = ?1 AND jti = ?2 AND until < ?3"#,
    );
    open.connection.execute(&extend, params![issuer, jti, until])?;
    Ok(Use::Replayed)
}

const FIND: &str = r#"SELECT issued_until, until FROM "{p}_revocation"
    WHERE issuer = ?1 AND kind = ?2 AND id = ?3"#;

fn entry_of(row: &Row<'_>) -> Result<Revocation, Failure> {
    let (issuer, kind, id): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
    Ok(row::entry(&issuer, &kind, &id, times_of(row)?)?)
}

fn times_of(row: &Row<'_>) -> rusqlite::Result<Times> {
    Ok(Times { issued_until: row.get(0)?, until: row.get(1)? })
}

/// Reads a position of these tables.
fn log_id(position: &Position, identity: &str) -> Option<i64> {
    let (of, log_id) = position.as_str().split_once(':')?;
    (of == identity).then(|| log_id.parse().ok()).flatten()
}

fn position_lost() -> Failure {
    Failure::Store(StoreError::new(
        StoreErrorKind::PositionLost,
        "the position is of another SQLite file, or of a later state of it",
    ))
}
