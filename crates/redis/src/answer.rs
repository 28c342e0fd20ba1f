//! What the scripts that read pages return.

use portcullis::revocation::Revocation;
use redis::{FromRedisValue, ParsingError, Value};

use crate::{entry::parse_entry, position::Data};

/// A page of all entries.
#[derive(Debug)]
pub(crate) struct PageAnswer {
    pub(crate) data: Data,
    /// The id of the newest item of the log.
    pub(crate) newest: String,
    /// How many entries the page has in Redis.
    pub(crate) count: usize,
    /// End and text of the last one.
    pub(crate) last: Option<(String, String)>,
    pub(crate) entries: Vec<Revocation>,
}

/// Changes after a position.
#[derive(Debug)]
pub(crate) struct LogAnswer {
    pub(crate) newest: String,
    /// The id of the last item that was read.
    pub(crate) last: Option<String>,
    pub(crate) entries: Vec<Revocation>,
}

type Times = Vec<Option<String>>;
type LogItem = (String, Vec<(String, String)>);

impl FromRedisValue for PageAnswer {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let (epoch, replication, newest, page, times) =
            <(String, String, String, Vec<(String, String)>, Times)>::from_redis_value(value)?;
        let entries = page.iter().zip(times);
        let entries = entries
            .map(|((text, _), times)| entry(text, times.as_deref()))
            .collect::<Result<_, _>>()?;
        let count = page.len();
        let last = page.into_iter().next_back().map(|(text, end)| (end, text));
        Ok(Self { data: Data { epoch, replication }, newest, count, last, entries })
    }
}

impl FromRedisValue for LogAnswer {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let (newest, items) = <(String, Vec<LogItem>)>::from_redis_value(value)?;
        let last = items.last().map(|(id, _)| id.clone());
        let entries = items.iter().filter_map(|(_, fields)| log_entry(fields));
        Ok(Self { newest, last, entries: entries.collect::<Result<_, _>>()? })
    }
}

/// Returns the entry of an item of the log; `None` for the first item of an epoch, which has none.
fn log_entry(fields: &[(String, String)]) -> Option<Result<Revocation, ParsingError>> {
    let field = |name| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if field("start").is_some() {
        return None;
    }
    Some(entry(field("entry").unwrap_or_default(), field("times")))
}

/// An entry that cannot be read is an error: without it, a revoked token would be accepted.
fn entry(text: &str, times: Option<&str>) -> Result<Revocation, ParsingError> {
    times
        .and_then(|times| parse_entry(text, times))
        .ok_or_else(|| ParsingError::from("an entry has another form"))
}
