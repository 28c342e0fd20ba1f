//! The configuration of static tokens.

use std::{
    env,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;

use super::{
    Identity, Shared, StaticTokens, line,
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
    texts: Vec<String>,
    variables: Vec<String>,
    files: Vec<PathBuf>,
    reload_every: Duration,
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
            reload_every: RELOAD_EVERY,
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
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.texts.push(text.into());
        self
    }

    /// Adds the tokens of an environment variable, one a line. It must be set when this is built.
    pub fn env(mut self, variable: impl Into<String>) -> Self {
        self.variables.push(variable.into());
        self
    }

    /// Adds the tokens of a file, one a line, which is read again when it changes.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// How often files are read again. Default: every 2 seconds.
    pub fn reload_every(self, reload_every: Duration) -> Self {
        Self { reload_every, ..self }
    }

    /// Reads everything. A set without a token is no error: it lets nobody in.
    ///
    /// # Errors
    ///
    /// A [`ConfigError`] for a variable that is not set, a file that cannot be read, and a line that is
    /// no token. None of them tells a token.
    pub fn build(self) -> Result<StaticTokens, ConfigError> {
        let unnamed = self.unnamed.unwrap_or_else(|| Identity::new(self.name.clone()));
        let mut fixed = Vec::new();
        for (token, identity) in self.tokens {
            if token.is_empty() {
                return Err(ConfigError::InvalidToken { line: 1, reason: "it is empty" });
            }
            fixed.push(Entry::of_token(&token, identity));
        }
        for variable in self.variables {
            let text = env::var(&variable)
                .map_err(|_| ConfigError::MissingVariable { variable: variable.clone() })?;
            fixed.extend(line::entries(&text, &unnamed)?);
        }
        for text in self.texts {
            fixed.extend(line::entries(&text, &unnamed)?);
        }
        let shared = Shared {
            name: self.name,
            fixed,
            files: self.files,
            unnamed,
            table: ArcSwap::new(Arc::new(Table::default())),
            last_error: Mutex::new(None),
        };
        StaticTokens::start(shared, self.reload_every)
    }
}

impl std::fmt::Debug for StaticTokensBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticTokensBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}
