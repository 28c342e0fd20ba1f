//! A table of another system that has the ids of revoked tokens.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use portcullis::{
    NumericDate,
    revocation::{Changes, Position, Revocation, Revoked, StoreError, StoreErrorKind},
};

use crate::row;

/// How many rows are read whole. Of more, each request queries its own.
pub(crate) const MAX_LISTED: i64 = 10_000;

/// How often the table is read: it has no order in which rows were added.
pub(crate) const READ_EVERY: Duration = Duration::from_millis(500);

/// How long a row is needed after its `exp`, unless configured otherwise: the engine's default leeway.
pub(crate) const LEEWAY: Duration = Duration::from_secs(60);

/// How far the clock of the database may be ahead.
pub(crate) const CLOCK_MARGIN: Duration = Duration::from_secs(60);

/// How many characters the column `jti` has.
const MAX_ID: usize = 32;

/// The rows of the last read, to return only what has changed.
#[derive(Debug, Default)]
pub(crate) struct Listed(Mutex<LastRead>);

#[derive(Debug, Default)]
struct LastRead {
    number: u64,
    rows: HashMap<Box<str>, Option<i64>>,
}

/// A token id, and the second in which its token expires; `None` for one that is not finite.
pub(crate) type Row = (Box<str>, Option<i64>);

impl Listed {
    /// Returns the rows that are new since the read that had this position: all of them unless that was the
    /// last one. `None` stands for more rows than are listed.
    pub(crate) fn changes(
        &self,
        after: Option<&Position>,
        rows: Option<Vec<Row>>,
        leeway: Duration,
    ) -> Changes {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let LastRead { number, rows: old } = &mut *last;
        let follows = after.is_some_and(|after| after.as_str() == number.to_string());
        *number = number.wrapping_add(1);
        let position = Position::new(number.to_string());
        let Some(rows) = rows else {
            old.clear();
            return Changes::new(Vec::new(), position).incomplete();
        };
        let is_new = |(id, exp): &&Row| !follows || old.get(id) != Some(exp);
        let new = rows.iter().filter(is_new).map(|row| entry(row, leeway)).collect();
        *old = rows.into_iter().collect();
        Changes::new(new, position)
    }
}

/// Returns the entry of a row. The table has no issuers.
pub(crate) fn entry((id, exp): &Row, leeway: Duration) -> Revocation {
    let entry = Revocation::new("", Revoked::Token(id.clone()));
    match exp {
        Some(exp) => entry.until(NumericDate::from_seconds(*exp).saturating_add(leeway)),
        None => entry,
    }
}

/// Returns the rows of entries. Later rows have later times.
///
/// # Errors
///
/// [`StoreErrorKind::Unsupported`] for an entry that the table cannot have.
pub(crate) fn rows(entries: &[Revocation]) -> Result<Vec<Row>, StoreError> {
    let unsupported = |text: &'static str| StoreError::new(StoreErrorKind::Unsupported, text);
    let mut rows: HashMap<&str, Option<i64>> = HashMap::new();
    for entry in entries {
        let Revoked::Token(id) = &entry.revoked else {
            return Err(unsupported("the table has the ids of tokens alone"));
        };
        if !can_have(id) || id.chars().count() > MAX_ID {
            return Err(unsupported("the table has ids of at most 32 characters"));
        }
        let until = entry.until.map(row::seconds_rounded_up);
        let latest = rows.entry(id).or_insert(until);
        *latest = latest.zip(until).map(|(a, b)| a.max(b));
    }
    let mut rows: Vec<Row> = rows.into_iter().map(|(id, until)| (id.into(), until)).collect();
    // Two calls with the same rows lock them in the same order.
    rows.sort_unstable();
    Ok(rows)
}

/// Returns the token ids to look for.
pub(crate) fn ids(wanted: &[Revocation]) -> Vec<Box<str>> {
    let id = |entry: &Revocation| match &entry.revoked {
        Revoked::Token(id) if can_have(id) => Some(id.clone()),
        _ => None,
    };
    wanted.iter().filter_map(id).collect()
}

/// Text in PostgreSQL has no U+0000.
fn can_have(id: &str) -> bool {
    !id.contains('\0')
}

/// Returns how many seconds ago a row must have expired to be of no use to anyone.
pub(crate) fn seconds_before(leeway: Duration) -> i64 {
    let margin = leeway.saturating_add(CLOCK_MARGIN).as_secs();
    // More would be before the first date of a database.
    i64::try_from(margin).unwrap_or(MAX_SECONDS).min(MAX_SECONDS)
}

/// More than 30 years.
const MAX_SECONDS: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, exp: i64) -> Row {
        (id.into(), Some(exp))
    }

    fn ids_of(changes: &Changes) -> Vec<&str> {
        changes.entries.iter().map(|entry| entry.revoked.id()).collect()
    }

    #[test]
    fn a_read_returns_what_changed_since_the_last_one() {
        let listed = Listed::default();
        let read = |after: Option<&Position>, rows: &[Row]| {
            listed.changes(after, Some(rows.to_vec()), Duration::ZERO)
        };
        let first = read(None, &[row("a", 1), row("b", 1)]);
        assert_eq!(ids_of(&first), ["a", "b"]);
        let second = read(Some(&first.position), &[row("a", 1), row("b", 2), row("c", 1)]);
        assert_eq!(ids_of(&second), ["b", "c"]);
        let third = read(Some(&second.position), &[row("a", 1)]);
        assert!(third.entries.is_empty());
        // A caller that has not seen the last read gets all rows, and so does one of another handle.
        assert_eq!(ids_of(&read(Some(&second.position), &[row("a", 1)])), ["a"]);
        assert_eq!(ids_of(&read(Some(&Position::new("x")), &[row("a", 1)])), ["a"]);
    }

    #[test]
    fn after_too_many_rows_all_are_returned_again() {
        let listed = Listed::default();
        let first = listed.changes(None, Some(vec![row("a", 1)]), Duration::ZERO);
        let many = listed.changes(Some(&first.position), None, Duration::ZERO);
        assert!(many.is_incomplete && many.entries.is_empty());
        let after = listed.changes(Some(&many.position), Some(vec![row("a", 1)]), Duration::ZERO);
        assert!(!after.is_incomplete);
        assert_eq!(ids_of(&after), ["a"]);
    }

    #[test]
    fn an_entry_is_needed_for_the_leeway_after_exp_and_forever_without_one() {
        let until = |exp| entry(&("a".into(), exp), Duration::from_secs(10)).until;
        assert_eq!(until(Some(100)), Some(NumericDate::from_seconds(110)));
        assert_eq!(until(None), None);
    }

    #[test]
    fn what_the_table_cannot_have_is_an_error_and_is_not_looked_for() {
        let token = |id: &str| Revocation::new("", Revoked::Token(id.into()));
        let kinds = [
            Revocation::new("", Revoked::Session("s".into())),
            Revocation::new("", Revoked::Key("k".into())),
            Revocation::new("", Revoked::Subject("s".into(), NumericDate::EPOCH)),
            Revocation::new("", Revoked::Client("c".into(), NumericDate::EPOCH)),
            token(&"a".repeat(33)),
            token("a\0"),
        ];
        for entry in kinds {
            let error = rows(&[token("good"), entry.clone()]).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unsupported, "{entry:?}");
        }
        assert!(rows(&[token(&"\u{e4}".repeat(32))]).is_ok());
        assert_eq!(&*ids(&[token("a"), token("b\0")]), &["a".into()]);
    }

    #[test]
    fn of_two_entries_with_one_id_the_later_time_counts() {
        let token = |until| {
            Revocation::new("", Revoked::Token("a".into())).until(NumericDate::from_seconds(until))
        };
        assert_eq!(rows(&[token(2), token(1)]).unwrap(), [row("a", 2)]);
        let forever = Revocation::new("", Revoked::Token("a".into()));
        assert_eq!(rows(&[token(2), forever]).unwrap(), [("a".into(), None)]);
    }
}
