//! Files of tokens.

use std::{io, iter::repeat, path::PathBuf};

use super::{Identity, line, table::Entry};
use crate::{ConfigError, file};

/// A file of tokens. A path is one that must be there, and holds one token a line.
///
/// # Examples
///
/// ```no_run
/// use portcullis::{StaticTokens, TokenFile, TokenFormat};
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

    pub(super) fn read(&self) -> Result<String, ConfigError> {
        match file::read_text(&self.path) {
            Err(ConfigError::File { source, .. })
                if self.may_be_missing && source.kind() == io::ErrorKind::NotFound =>
            {
                Ok(String::new())
            }
            read => read,
        }
    }

    pub(super) fn entries(
        &self,
        text: &str,
        unnamed: &Identity,
    ) -> Result<Vec<Entry>, ConfigError> {
        self.format.entries(text, unnamed)
    }
}

impl<P: Into<PathBuf>> From<P> for TokenFile {
    fn from(path: P) -> Self {
        Self::new(path)
    }
}

impl TokenFormat {
    pub(super) fn entries(self, text: &str, unnamed: &Identity) -> Result<Vec<Entry>, ConfigError> {
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
