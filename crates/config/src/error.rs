//! Errors that name their place in a configuration.

use std::{
    error::Error,
    fmt,
    path::{Path, PathBuf},
};

use portcullis::ConfigError;

/// A place in a text. Lines and columns count from one; a column is a character.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Where the lines of a text begin.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let breaks = text.match_indices('\n').map(|(offset, _)| offset.saturating_add(1));
        Self { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// Returns the place of a byte.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        Position { line, column: before.chars().count().saturating_add(1) }
    }
}

/// The mistakes in a configuration, in the order of the file: all that could be found.
///
/// Its text has one mistake on each line. It holds no secret and no value of a variable.
///
/// A [`ConfigError`] wraps it as [`ConfigError::Other`].
#[derive(Clone, Debug)]
pub struct SettingErrors {
    errors: Vec<SettingError>,
}

/// One mistake in a configuration: what, where and what to do. Secrets are not shown.
#[derive(Clone, Debug)]
pub struct SettingError {
    file: Option<PathBuf>,
    key: String,
    position: Option<Position>,
    message: String,
    help: String,
}

impl SettingErrors {
    pub(crate) fn new(errors: Vec<SettingError>) -> Self {
        Self { errors }
    }

    /// Returns the mistakes that an error of the configuration wraps: `None` if it is another error, such as
    /// that of a file that cannot be read.
    #[must_use]
    pub fn of(error: &ConfigError) -> Option<&Self> {
        match error {
            ConfigError::Other(error) => error.downcast_ref(),
            _ => None,
        }
    }

    /// Returns the mistakes, in the order of the file. There is at least one.
    #[must_use]
    pub fn errors(&self) -> &[SettingError] {
        &self.errors
    }
}

impl fmt::Display for SettingErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            write!(f, "{}{error}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl Error for SettingErrors {}

impl From<SettingErrors> for ConfigError {
    fn from(errors: SettingErrors) -> Self {
        Self::Other(Box::new(errors))
    }
}

impl SettingError {
    pub(crate) fn new(
        file: Option<&Path>,
        position: Option<Position>,
        key: String,
        message: &str,
        help: &str,
    ) -> Self {
        // One line each, whatever it is made of.
        let [message, help] = [message, help].map(|text| text.replace(char::is_control, " "));
        Self { file: file.map(Path::to_owned), key, position, message, help }
    }

    /// Returns the path of the key, such as `issuer[0].leeway`: empty for the configuration as a whole.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the file, unless the configuration came from elsewhere.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Returns the line, from 1. `None`: the format does not tell, as JSON, or nothing is there.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.position.map(|position| position.line)
    }

    /// Returns the column in characters, from 1. `None`: as [`line`](Self::line).
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.position.map(|position| position.column)
    }

    /// Returns what is wrong.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns what to do, unless the message says it.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        Some(self.help.as_str()).filter(|help| !help.is_empty())
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.position) {
            (Some(file), Some(Position { line, column })) => {
                write!(f, "{}:{line}:{column}: ", file.display())?;
            }
            (Some(file), None) => write!(f, "{}: ", file.display())?,
            (None, Some(Position { line, column })) => write!(f, "line {line}, column {column}: ")?,
            (None, None) => {}
        }
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        f.write_str(&self.message)?;
        match self.help() {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

impl Error for SettingError {}
