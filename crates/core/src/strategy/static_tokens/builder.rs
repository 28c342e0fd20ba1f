//! The configuration of static tokens.

use std::{
    env,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;

use super::{
    Identity, Shared, StaticTokens, TokenFile, TokenFormat,
    table::{Entry, Table},
};
use crate::ConfigError;

/// How often files are looked at.
const RELOAD_EVERY: Duration = Duration::from_secs(2);

/// Builds [`StaticTokens`].
#[must_use]
pub struct StaticTokensBuilder {
    name: String,
    unnamed: Option<Identity>,
    tokens: Vec<(String, Identity)>,
    texts: Vec<(String, TokenFormat)>,
    variables: Vec<(String, TokenFormat)>,
    files: Vec<TokenFile>,
    /// `None`: never.
    reload_every: Option<Duration>,
}

impl StaticTokensBuilder {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            unnamed: None,
            tokens: Vec::new(),
            texts: Vec::new(),
            variables: Vec::new(),
            files: Vec::new(),
            reload_every: Some(RELOAD_EVERY),
        }
    }

    /// Adds a token and its caller.
    pub fn token(mut self, token: impl Into<String>, identity: Identity) -> Self {
        self.tokens.push((token.into(), identity));
        self
    }

    /// The caller of tokens from texts, variables and files: its roles and the like. A name in front of a
    /// token takes the place of its subject. Default: the name of this set, without any right.
    pub fn identity(self, identity: Identity) -> Self {
        Self { unnamed: Some(identity), ..self }
    }

    /// Adds the tokens of a text, one a line.
    pub fn text(self, text: impl Into<String>) -> Self {
        self.text_of_format(text, TokenFormat::Lines)
    }

    /// Adds the tokens of a text of another form.
    pub fn text_of_format(mut self, text: impl Into<String>, format: TokenFormat) -> Self {
        self.texts.push((text.into(), format));
        self
    }

    /// Adds the tokens of an environment variable, one a line. It must be set when this is built.
    pub fn env(self, variable: impl Into<String>) -> Self {
        self.env_of_format(variable, TokenFormat::Lines)
    }

    /// Adds the tokens of an environment variable that holds them in another form. It must be set when
    /// this is built.
    pub fn env_of_format(mut self, variable: impl Into<String>, format: TokenFormat) -> Self {
        self.variables.push((variable.into(), format));
        self
    }

    /// Adds the tokens of a file, which is read again when it changes: of a path, one a line, or of a
    /// [`TokenFile`].
    pub fn file(mut self, file: impl Into<TokenFile>) -> Self {
        self.files.push(file.into());
        self
    }

    /// Adds files, each as [`file`](Self::file) does: all of a list, or the one of an `Option`, which may be
    /// none.
    pub fn files<I: IntoIterator<Item: Into<TokenFile>>>(self, files: I) -> Self {
        files.into_iter().fold(self, Self::file)
    }

    /// How often files are read again. Default: every 2 seconds.
    pub fn reload_every(self, reload_every: Duration) -> Self {
        Self { reload_every: Some(reload_every), ..self }
    }

    /// Reads files when this is built, and not again by itself. A token that is taken out of a file stays
    /// good until [`StaticTokens::reload`] is called.
    pub fn read_once(self) -> Self {
        Self { reload_every: None, ..self }
    }

    /// Reads everything. A set without a token is no error: it lets nobody in.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] for a variable that is not set, a file that cannot be read, and a line that is
    /// no token. None of them tells a token.
    pub fn build(self) -> Result<StaticTokens, ConfigError> {
        let reload_every = self.reload_every;
        StaticTokens::start(self.read()?, reload_every)
    }

    /// Reads everything. `None` if there can never be a token, because there is neither one nor a file that
    /// could bring one: for services whose settings may have no token at all.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn build_if_any(self) -> Result<Option<StaticTokens>, ConfigError> {
        let reload_every = self.reload_every;
        let shared = self.read()?;
        if shared.fixed.is_empty() && shared.files.is_empty() {
            return Ok(None);
        }
        StaticTokens::start(shared, reload_every).map(Some)
    }

    fn read(self) -> Result<Shared, ConfigError> {
        let unnamed = self.unnamed.unwrap_or_else(|| Identity::new(self.name.clone()));
        let mut fixed = Vec::new();
        for (token, identity) in self.tokens {
            if token.is_empty() {
                return Err(ConfigError::InvalidToken { line: 1, reason: "it is empty" });
            }
            fixed.push(Entry::of_token(&token, identity));
        }
        for (variable, format) in self.variables {
            let text = env::var(&variable)
                .map_err(|_| ConfigError::MissingVariable { variable: variable.clone() })?;
            fixed.extend(format.entries(&text, &unnamed)?);
        }
        for (text, format) in self.texts {
            fixed.extend(format.entries(&text, &unnamed)?);
        }
        Ok(Shared {
            name: self.name,
            fixed,
            files: self.files,
            unnamed,
            table: ArcSwap::new(Arc::new(Table::default())),
            last_error: Mutex::new(None),
        })
    }
}

impl std::fmt::Debug for StaticTokensBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticTokensBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}
