//! Entries as columns.

use std::collections::BTreeMap;

use portcullis::{
    NumericDate,
    revocation::{Revocation, Revoked, StoreError, StoreErrorKind},
};

/// The times of an entry, in seconds since 1970.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Times {
    pub(crate) issued_until: Option<i64>,
    /// `None` is forever.
    pub(crate) until: Option<i64>,
}

impl Times {
    /// Returns the later of each time, so that no merge revokes less than before.
    pub(crate) fn merge(self, other: Self) -> Self {
        Self {
            issued_until: self.issued_until.max(other.issued_until),
            until: self.until.zip(other.until).map(|(a, b)| a.max(b)),
        }
    }
}

/// What identifies an entry: issuer, kind and id. A store has one row for each.
pub(crate) type RowKey<'a> = (&'a str, &'static str, &'a str);

/// Returns one row for each key. They are sorted, so that two calls lock the same rows in the same order.
pub(crate) fn rows(entries: &[Revocation]) -> BTreeMap<RowKey<'_>, Times> {
    let mut rows = BTreeMap::new();
    for entry in entries {
        let times = Times {
            issued_until: entry.revoked.issued_until().map(NumericDate::seconds),
            until: entry.until.map(seconds_rounded_up),
        };
        rows.entry((&*entry.issuer, entry.revoked.kind(), entry.revoked.id()))
            .and_modify(|row: &mut Times| *row = row.merge(times))
            .or_insert(times);
    }
    rows
}

/// Returns the entry of a row.
///
/// An unknown kind is an error: a newer library wrote an entry that this one cannot enforce.
pub(crate) fn entry(
    issuer: &str,
    kind: &str,
    id: &str,
    times: Times,
) -> Result<Revocation, StoreError> {
    let issued_until = times.issued_until.map(NumericDate::from_seconds);
    let Some(revoked) = Revoked::from_parts(kind, id, issued_until) else {
        return Err(StoreError::new(
            StoreErrorKind::Unusable,
            "the store has an entry of an unknown kind, or without a time that its kind needs",
        ));
    };
    let entry = Revocation::new(issuer, revoked);
    Ok(match times.until {
        Some(until) => entry.until(NumericDate::from_seconds(until)),
        None => entry,
    })
}

/// An entry must not be deleted within the second in which it is still needed.
pub(crate) fn seconds_rounded_up(date: NumericDate) -> i64 {
    let seconds = date.seconds();
    if NumericDate::from_seconds(seconds) < date { seconds.saturating_add(1) } else { seconds }
}

#[cfg(test)]
mod tests {
    use super::{Times, rows, seconds_rounded_up};
    use portcullis::{
        NumericDate,
        revocation::{Revocation, Revoked},
    };

    #[test]
    fn a_merge_keeps_the_later_times_and_forever() {
        let times = |issued_until, until| Times { issued_until, until };
        let merged = times(Some(1), Some(9)).merge(times(Some(2), Some(3)));
        assert_eq!(merged, times(Some(2), Some(9)));
        assert_eq!(times(None, None).merge(times(None, Some(3))), times(None, None));
        assert_eq!(times(None, Some(3)).merge(times(None, None)), times(None, None));
    }

    #[test]
    fn entries_of_one_key_become_one_row() {
        let subject = |at| Revoked::Subject("ann".into(), NumericDate::from_seconds(at));
        let entries = [
            Revocation::new("a", subject(5)).until(NumericDate::from_seconds(50)),
            Revocation::new("a", subject(7)).until(NumericDate::from_seconds(40)),
            Revocation::new("b", subject(1)),
        ];
        let rows: Vec<_> = rows(&entries).into_iter().collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].1, Times { issued_until: Some(7), until: Some(50) });
    }

    #[test]
    fn an_end_within_a_second_counts_to_the_end_of_the_second() {
        for (text, seconds) in [("10", 10), ("10.5", 11), ("-10.5", -10), ("-10", -10)] {
            let date = NumericDate::from_json_number(text).unwrap();
            assert_eq!(seconds_rounded_up(date), seconds, "{text}");
        }
    }
}
