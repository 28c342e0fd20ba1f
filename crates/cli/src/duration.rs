//! Durations in words.

use std::time::Duration;

/// Reads a duration as the configuration has it, such as `10m`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    portcullis_config::parse_duration(text)
}
