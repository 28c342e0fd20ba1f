//! Why a source has brought no keys.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use crate::NumericDate;

/// The longest text of one error, in bytes: parts of it may come from a server.
const MAX_LEN: usize = 1024;

/// Why a source has brought no keys.
///
/// Its texts have one line and 1 KiB at most, whatever they are made of.
#[derive(Clone, Debug)]
pub struct KeySourceError {
    message: Arc<str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
    retry_after: Option<RetryAfter>,
}

/// When a server wants to be asked again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(not(feature = "remote"), expect(dead_code, reason = "only the HTTP client sets it"))]
pub(super) enum RetryAfter {
    After(Duration),
    At(NumericDate),
}

/// The least and the most that a server may put the next attempt off: it must neither make a tight loop
/// nor keep new keys out for long.
const RETRY_AFTER_LIMITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));

impl KeySourceError {
    /// Creates an error with a text for operators.
    #[must_use]
    pub fn new(message: impl Into<Arc<str>>) -> Self {
        Self { message: one_line(message.into()), source: None, retry_after: None }
    }

    /// Creates an error with a text for operators and the error behind it.
    #[must_use]
    pub fn with_source(
        message: impl Into<Arc<str>>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { source: Some(Arc::from(source.into())), ..Self::new(message) }
    }

    /// Says when the server wants to be asked again.
    #[cfg(feature = "remote")]
    pub(super) fn with_retry_after(self, retry_after: Option<RetryAfter>) -> Self {
        Self { retry_after, ..self }
    }

    /// Returns whether the server says when it wants to be asked again.
    #[cfg(feature = "remote")]
    pub(super) fn has_retry_after(&self) -> bool {
        self.retry_after.is_some()
    }

    /// Returns how long the server wants not to be asked, within limits.
    pub(super) fn retry_after(&self, now: NumericDate) -> Option<Duration> {
        let wait = match self.retry_after? {
            RetryAfter::After(wait) => wait,
            RetryAfter::At(date) => date.saturating_since(now),
        };
        let (least, most) = RETRY_AFTER_LIMITS;
        Some(wait.clamp(least, most))
    }

    /// Names the source in front. What is behind the error stays behind it.
    pub(super) fn of_source(&self, label: &str) -> Self {
        let message = format!("{label}: {}", self.message).into();
        Self { message, ..self.clone() }
    }

    /// Returns the message and all that is behind it.
    pub(crate) fn text(&self) -> String {
        let text = match self.cause() {
            Some(cause) => format!("{}: {cause}", self.message),
            None => self.message.to_string(),
        };
        one_line(text.into()).to_string()
    }

    /// Returns what is behind the message.
    pub(super) fn cause(&self) -> Option<String> {
        let mut inner = self.source()?;
        let mut cause = inner.to_string();
        while let Some(source) = inner.source().filter(|_| cause.len() < MAX_LEN) {
            cause = format!("{cause}: {source}");
            inner = source;
        }
        Some(one_line(cause.into()).to_string())
    }
}

/// Shortens a text, and takes out what could make another line of it, or more than a text.
fn one_line(text: Arc<str>) -> Arc<str> {
    let mut end = text.len().min(MAX_LEN);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if end == text.len() && !text.contains(char::is_control) {
        return text;
    }
    let start = text.get(..end).unwrap_or_default();
    start.replace(char::is_control, " ").into()
}

impl fmt::Display for KeySourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for KeySourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}

/// A source of keys that could never bring any.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeySourceConfigError {
    /// Keys can never be fetched from the given location, such as one that is not a URL.
    InvalidLocation {
        /// What is wrong with it.
        reason: String,
    },
    /// A `file` URI names a file of another machine.
    RemoteFile {
        /// The URI.
        uri: String,
    },
}

impl fmt::Display for KeySourceConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidLocation { reason } => write!(
                f,
                "keys can never be fetched from there: {reason}; use https, or http from this very \
                 machine, or say `dangerous_allow_http`"
            ),
            Self::RemoteFile { uri } => {
                write!(f, "file URI with remote host is not supported: {uri}")
            }
        }
    }
}

impl Error for KeySourceConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_short_and_of_one_line() {
        let long = "é".repeat(MAX_LEN);
        let error = KeySourceError::new(long.as_str());
        assert_eq!(error.to_string(), "é".repeat(MAX_LEN / 2));
        let error = KeySourceError::new(format!("a{long}"));
        assert_eq!(error.text(), format!("a{}", "é".repeat(MAX_LEN / 2 - 1)));
        let error = KeySourceError::with_source("outer\r\nline", format!("inner\u{1b}[31m{long}"));
        assert_eq!(error.to_string(), "outer  line");
        assert!(error.text().starts_with("outer  line: inner [31mé"));
        assert!(error.text().len() <= MAX_LEN && error.cause().unwrap().len() <= MAX_LEN);
    }

    #[test]
    fn a_text_names_every_cause() {
        let inner = KeySourceError::with_source("b", "c");
        assert_eq!(KeySourceError::with_source("a", inner).text(), "a: b: c");
        assert_eq!(KeySourceError::new("a").text(), "a");
    }
}
