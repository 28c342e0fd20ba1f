//! Files of tokens.

use std::{io, iter::repeat, path::PathBuf, time::Duration};

use super::{Identity, StaticTokenError, line, table::Entry};
use crate::{
    FileError,
    file::{self, Content, SETTLED, Stamp},
};

/// For how long a changed file must stay the same that ends without a line end or comma, where that is
/// allowed. Nothing in a file that is written in place shows that it is complete.
pub const CUT_OFF_SETTLED: Duration = Duration::from_secs(10);

/// A file of tokens. A path is one that must be there, and holds one token a line.
///
/// # Examples
///
/// ```no_run
/// use portcullis::{StaticTokens, strategy::{TokenFile, TokenFormat}};
///
/// // As other programs write them: `#`, `=` and `sha256:` are part of a token like any other text.
/// let tokens = StaticTokens::builder("services")
///     .file(TokenFile::new("/run/secrets/token").format(TokenFormat::Whole))
///     .file(TokenFile::new("/run/secrets/more").format(TokenFormat::List).optional())
///     .build()?;
/// # Ok::<(), portcullis::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct TokenFile {
    pub(super) path: PathBuf,
    format: TokenFormat,
    may_be_missing: bool,
}

/// How a file or text of tokens is read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum TokenFormat {
    /// One token a line, with names, digests and comments: see [`StaticTokens`](super::StaticTokens).
    #[default]
    Lines,
    /// All of it is one token, less the white space around it.
    Whole,
    /// Tokens with commas or line breaks between, less the white space around each.
    List,
}

impl TokenFile {
    /// The file at this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), format: TokenFormat::default(), may_be_missing: false }
    }

    /// How it is read. Default: [`TokenFormat::Lines`].
    pub fn format(self, format: TokenFormat) -> Self {
        Self { format, ..self }
    }

    /// Takes a file that is not there for one without tokens: those that it had stop being good. Default:
    /// it is an error, which changes nothing.
    pub fn optional(self) -> Self {
        Self { may_be_missing: true, ..self }
    }

    pub(super) fn read(&self) -> Result<Content<String>, FileError> {
        match file::read_text(&self.path) {
            Err(FileError::Unreadable { source, .. })
                if self.may_be_missing && source.kind() == io::ErrorKind::NotFound =>
            {
                Ok(Content { data: String::new(), stamp: Stamp::absent() })
            }
            read => read,
        }
    }

    /// Returns whether the last line is held back: a file with one token a line was changed in place, and
    /// its last line may be half written.
    pub(super) fn holds_back(&self, content: &Content<String>, adopted: &Stamp) -> bool {
        self.format == TokenFormat::Lines
            && self.format.is_cut_off(&content.data)
            && content.stamp.is_same_file(adopted)
    }

    /// Returns how long the file must stay the same before it is adopted.
    pub(super) fn settles_after(&self, content: &Content<String>, adopted: &Stamp) -> Duration {
        let is_complete = content.stamp.has_content_of(adopted)
            || content.stamp.has_replaced(adopted)
            || !self.format.is_cut_off(&content.data)
            || self.holds_back(content, adopted);
        if is_complete { SETTLED } else { CUT_OFF_SETTLED }
    }

    pub(super) fn entries(
        &self,
        text: &str,
        unnamed: &Identity,
    ) -> Result<Vec<Entry>, StaticTokenError> {
        self.format.entries(text, unnamed)
    }
}

impl<P: Into<PathBuf>> From<P> for TokenFile {
    fn from(path: P) -> Self {
        Self::new(path)
    }
}

impl TokenFormat {
    /// Returns whether the text ends within a token, or may do so.
    #[doc(hidden)]
    #[must_use]
    pub fn is_cut_off(self, text: &str) -> bool {
        let last = match self {
            Self::Lines => text.rsplit('\n').next(),
            Self::Whole => (!text.ends_with('\n')).then_some(text),
            Self::List => text.rsplit(['\n', ',']).next(),
        };
        let last = last.unwrap_or_default().trim();
        !last.is_empty() && (self != Self::Lines || !last.starts_with('#'))
    }

    pub(super) fn entries(
        self,
        text: &str,
        unnamed: &Identity,
    ) -> Result<Vec<Entry>, StaticTokenError> {
        let without_mark = text.strip_prefix('\u{feff}').unwrap_or(text);
        let tokens: Vec<(&str, usize)> = match self {
            Self::Lines => return line::entries(text, unnamed),
            Self::Whole => vec![(without_mark, 1)],
            Self::List => {
                let lines = without_mark.split('\n').zip(1_usize..);
                lines
                    .flat_map(|(line, number)| line.split([',', '\r']).zip(repeat(number)))
                    .collect()
            }
        };
        let tokens = tokens.into_iter().map(|(token, number)| (token.trim(), number));
        let tokens = tokens.filter(|(token, _)| !token.is_empty());
        let entry = |(token, number): (&str, usize)| {
            line::check(token, number).map(|()| Entry::of_token(token, unnamed.clone()))
        };
        tokens.map(entry).collect()
    }
}
