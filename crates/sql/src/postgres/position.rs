//! Where a follower is in the changes of a database.
//!
//! Each row has the id of the transaction that wrote it last. A transaction may commit long after others with
//! higher ids, so a follower cannot go on after the highest id it has read. Instead, it goes on at the oldest
//! transaction that was running when it read (`pg_snapshot_xmin`): all rows of older ones were visible. Rows from
//! there on may be read more than once.
//!
//! ```text
//!  ids of transactions:   … 7   8   9   10  11  12
//!  committed?               yes yes no  yes yes no      read → rows of 7, 8, 10 and 11; go on at 9
//! ```

use portcullis::revocation::Position as Text;

/// A position, decoded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Position {
    /// Which tables, of which server, in which history of it: ids of transactions count for nothing else.
    pub(super) origin: Box<str>,
    /// Rows of older transactions were read.
    pub(super) from: i64,
    /// Set within a pass over rows that take more than a page.
    pub(super) page: Option<Page>,
}

/// Where a pass over several pages is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Page {
    /// The oldest transaction that was running when the pass began: what the position becomes after it.
    pub(super) next_from: i64,
    /// The last row that was read.
    pub(super) transaction: i64,
    pub(super) row: i64,
}

impl Position {
    pub(super) fn parse(text: &Text) -> Option<Self> {
        let mut parts = text.as_str().split(' ');
        let (origin, from) = (parts.next()?.into(), parts.next()?.parse().ok()?);
        let rest: Vec<i64> = parts.map(|part| part.parse().ok()).collect::<Option<_>>()?;
        let page = match *rest {
            [] => None,
            [next_from, transaction, row] => Some(Page { next_from, transaction, row }),
            _ => return None,
        };
        Some(Self { origin, from, page })
    }

    pub(super) fn to_text(&self) -> Text {
        let Self { origin, from, page } = self;
        Text::new(match page {
            None => format!("{origin} {from}"),
            Some(Page { next_from, transaction, row }) => {
                format!("{origin} {from} {next_from} {transaction} {row}")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, Position, Text};

    #[test]
    fn a_position_is_the_same_after_it_was_written_and_read() {
        let page = Page { next_from: 8, transaction: 9, row: 10 };
        for page in [None, Some(page)] {
            let position = Position { origin: "a/1".into(), from: 7, page };
            assert_eq!(Position::parse(&position.to_text()), Some(position));
        }
    }

    #[test]
    fn a_text_that_is_no_position_is_rejected() {
        for text in ["", "a", "a x", "a 1 2", "a 1 2 3", "a 1 2 3 4 5", "a 1 2 x 4"] {
            assert_eq!(Position::parse(&Text::new(text)), None, "{text}");
        }
    }
}
