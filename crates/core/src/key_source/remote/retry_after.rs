//! `Retry-After` ([RFC 9110 §10.2.3]).
//!
//! [RFC 9110 §10.2.3]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3

use std::time::UNIX_EPOCH;

use super::{RetryAfter, cache_control::seconds};
use crate::NumericDate;

impl RetryAfter {
    /// Reads a number of seconds, or a date in one of the three forms of HTTP. Anything else says
    /// nothing.
    pub(super) fn parse(value: &str) -> Option<Self> {
        if let Some(wait) = seconds(value) {
            return Some(Self::After(wait));
        }
        let date = httpdate::parse_http_date(value).ok()?;
        let since_1970 = date.duration_since(UNIX_EPOCH).ok()?;
        Some(Self::At(NumericDate::from_seconds(0).saturating_add(since_1970)))
    }
}
