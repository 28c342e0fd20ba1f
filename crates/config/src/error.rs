//! Errors that name their place in a configuration.

use std::{
    error::Error,
    fmt,
    path::{Path, PathBuf},
};

use portcullis::ConfigError;

/// A place in a text. Lines and columns count from one; a column is a character.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Where the lines of a text begin.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let breaks = text.match_indices('\n').map(|(offset, _)| offset.saturating_add(1));
        Self { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// Returns the place of a byte.
    pub(super) fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        Position { line, column: before.chars().count().saturating_add(1) }
    }
}

/// A setting of a configuration that cannot be used: what, where and why. Secrets are not shown.
#[derive(Debug)]
pub struct SettingError {
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: Option<PathBuf>,
    key: String,
    position: Option<Position>,
    problem: String,
    source: Option<ConfigError>,
}

impl SettingError {
    pub(super) fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        let (key, problem) = (key.into(), problem.into());
        Self { inner: Box::new(Inner { file: None, key, position: None, problem, source: None }) }
    }

    pub(super) fn because(key: impl Into<String>, source: ConfigError) -> Self {
        let mut error = Self::new(key, String::new());
        error.inner.source = Some(source);
        error
    }

    pub(super) fn at(mut self, position: Option<Position>) -> Self {
        self.inner.position = self.inner.position.or(position);
        self
    }

    pub(super) fn in_file(mut self, file: Option<&Path>) -> Self {
        self.inner.file = file.map(Path::to_owned);
        self
    }

    /// Returns the path of the key, such as `issuer[0].leeway`: empty for the configuration as a whole.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.inner.key
    }

    /// Returns the file, unless the configuration came from elsewhere.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.inner.file.as_deref()
    }

    /// Returns the line, from 1, where the text tells.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.inner.position.map(|position| position.line)
    }

    /// Returns the column in characters, from 1, where the text tells.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.inner.position.map(|position| position.column)
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { file, key, position, problem, source } = &*self.inner;
        match (file, position) {
            (Some(file), Some(Position { line, column })) => {
                write!(f, "{}:{line}:{column}: ", file.display())?;
            }
            (Some(file), None) => write!(f, "{}: ", file.display())?,
            (None, Some(Position { line, column })) => write!(f, "line {line}, column {column}: ")?,
            (None, None) => {}
        }
        match (key.as_str(), source) {
            ("", None) => f.write_str(problem),
            ("", Some(_)) => f.write_str("the configuration cannot be used"),
            (key, None) => write!(f, "`{key}`: {problem}"),
            (key, Some(_)) => write!(f, "`{key}` cannot be used"),
        }
    }
}

impl Error for SettingError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.inner.source.as_ref().map(|source| -> &(dyn Error + 'static) { source })
    }
}

impl From<SettingError> for ConfigError {
    fn from(error: SettingError) -> Self {
        Self::Other(Box::new(error))
    }
}
