//! What the text of a position means.

use portcullis::revocation::Position;

/// Where a replica is. `log` is the id of an item of the log that was read, or that was the newest before
/// the first page of all entries was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) data: Data,
    pub(crate) log: String,
    /// The end and the text of the entry that was read last, between the pages of all entries.
    pub(crate) page: Option<(String, String)>,
}

/// Which data a server has: other values mean that entries may be lost.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Data {
    /// A random text that is written with the first entry, and gone with it.
    pub(crate) epoch: String,
    /// `master_replid` of `INFO replication`: new after a restart and on a replica that was promoted.
    pub(crate) replication: String,
}

impl Place {
    pub(crate) fn to_position(&self) -> Position {
        let Self { data: Data { epoch, replication }, log, page } = self;
        Position::new(match page {
            None => format!("{epoch} {replication} {log}"),
            Some((end, text)) => format!("{epoch} {replication} {log} {end} {text}"),
        })
    }

    /// Reads a position; `None` if this store did not create it.
    pub(crate) fn parse(position: &Position) -> Option<Self> {
        let mut parts = position.as_str().splitn(5, ' ');
        let epoch = parts.next()?.to_owned();
        let replication = parts.next()?.to_owned();
        let log = parts.next().filter(|log| is_log_id(log))?.to_owned();
        let page = match (parts.next(), parts.next()) {
            (Some(end), Some(text)) if is_end(end) => Some((end.to_owned(), text.to_owned())),
            (None, None) => None,
            _ => return None,
        };
        Some(Self { data: Data { epoch, replication }, log, page })
    }
}

/// Whether the text is an id of a stream: a time in milliseconds and a number.
fn is_log_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(time, number)| {
        [time, number].iter().all(|part| {
            part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<u64>().is_ok()
        })
    })
}

fn is_end(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(|end| !end.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        let data = Data { epoch: "e".to_owned(), replication: "0f".to_owned() };
        for page in [None, Some(("inf".to_owned(), "token:1:a b c".to_owned()))] {
            let place = Place { data: data.clone(), log: "17-0".to_owned(), page };
            assert_eq!(Place::parse(&place.to_position()), Some(place));
        }
    }

    #[test]
    fn an_unknown_text_is_not_a_position() {
        for text in
            ["", "a", "a b", "a b c", "a b 1", "a b 1-x", "a b 1-2 3", "a b 1-2 NaN x", "a b +1-2"]
        {
            assert_eq!(Place::parse(&Position::new(text)), None, "{text}");
        }
    }
}
