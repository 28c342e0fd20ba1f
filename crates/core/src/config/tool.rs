//! What tools around the configuration need of it.

use std::time::Duration;

use super::{Config, values};
use crate::{Authenticator, Clock, ConfigError};

impl Authenticator {
    /// Builds the engine of a configuration, with another [clock](Clock): to judge tokens as of some
    /// other time.
    ///
    /// # Errors
    ///
    /// As [`from_config`](Self::from_config).
    pub fn from_config_with_clock(
        config: &Config,
        clock: impl Clock + 'static,
    ) -> Result<Self, ConfigError> {
        config.builder()?.clock(clock).build()
    }
}

/// Reads a duration as the configuration has it, such as `60s`, `10m` or `1h30m`.
///
/// # Errors
///
/// What is wrong, and what would be right.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    values::duration(text)
}
