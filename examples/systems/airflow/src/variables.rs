//! Airflow's settings, as its environment variables have them (§3.1).

use std::{collections::HashMap, env, time::Duration};

/// The environment variables of Airflow. A blank one counts as unset.
#[derive(Debug, Default)]
pub struct Variables(HashMap<String, String>);

impl Variables {
    /// Reads the environment of the process.
    ///
    /// # Errors
    ///
    /// A variable is not UTF-8.
    pub fn of_process() -> Result<Self, String> {
        let own = env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok().filter(|name| name.starts_with("AIRFLOW_"))?, value))
        });
        let own = own.map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(format!("{name} is not UTF-8")),
        });
        own.collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.trim().is_empty())
    }

    /// A list of texts with commas between them.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let texts = self.text(name).unwrap_or_default().split(',').map(str::trim);
        texts.filter(|text| !text.is_empty()).collect()
    }

    pub(crate) fn seconds(&self, name: &str, default: u64) -> Result<Duration, String> {
        let Some(text) = self.text(name) else { return Ok(Duration::from_secs(default)) };
        // Some of Airflow's defaults have a fraction: 600.0.
        let seconds = text.trim().parse().ok().map(Duration::try_from_secs_f64);
        let seconds = seconds.and_then(Result::ok);
        seconds.ok_or_else(|| format!("{name} is not a number of seconds"))
    }
}
