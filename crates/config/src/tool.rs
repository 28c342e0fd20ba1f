//! What tools around the configuration need of it.

use std::time::Duration;

use super::values;

/// Reads a duration as the configuration has it, such as `60s`, `10m` or `1h30m`.
///
/// # Errors
///
/// What is wrong, and what would be right.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    values::duration(text)
}
