//! The configuration of static tokens.

use std::{env, sync::Arc, time::Duration};

use super::StaticTokenError;
use super::{
    Identity, Shared, StaticTokens, TokenFile, TokenFormat, table::Entry,
    token_file::CUT_OFF_SETTLED,
};
use crate::{Clock, ConfigError, SystemClock, VariableError};

/// How often files are looked at.
const RELOAD_EVERY: Duration = Duration::from_secs(2);

/// How long tokens stay good whose files cannot be read: as long as keys.
const MAX_STALE: Duration = Duration::from_secs(24 * 60 * 60);

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
    max_stale: Duration,
    clock: Arc<dyn Clock>,
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
            max_stale: MAX_STALE,
            clock: Arc::new(SystemClock),
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

    /// How often files are read again. Default: every 2 seconds. A change is adopted a second after it
    /// was first seen, so a token that is taken out of a file is accepted for 3 seconds at most.
    pub fn reload_every(self, reload_every: Duration) -> Self {
        Self { reload_every: Some(reload_every), ..self }
    }

    /// Reads files when this is built, and not again by itself. A token that is taken out of a file stays
    /// good until [`StaticTokens::reload`] is called, and `max_stale` does not count.
    pub fn read_once(self) -> Self {
        Self { reload_every: None, ..self }
    }

    /// How long tokens from files stay good after the files were read the last time with success. After
    /// that they are rejected as [`ResolverUnavailable`](crate::AuthErrorKind::ResolverUnavailable), 503,
    /// until the files can be read again; tokens from code, texts and variables stay good. Default: 24
    /// hours, and never less than twice [`reload_every`](Self::reload_every) and 10 seconds.
    pub fn max_stale(self, max_stale: Duration) -> Self {
        Self { max_stale, ..self }
    }

    /// The clock that measures how long files have not changed, and how long they could not be read.
    /// Default: the [`SystemClock`].
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
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
                return Err(StaticTokenError::InvalidLine { line: 1, reason: "it is empty" }.into());
            }
            fixed.push(Entry::of_token(&token, identity));
        }
        for (variable, format) in self.variables {
            let text = env::var(&variable)
                .map_err(|_| VariableError::Missing { variable: variable.clone() })?;
            fixed.extend(format.entries(&text, &unnamed)?);
        }
        for (text, format) in self.texts {
            fixed.extend(format.entries(&text, &unnamed)?);
        }
        // While a changed file settles, its tokens are not adopted, and the ones before must not expire.
        let shortest = |every: Duration| every.saturating_mul(2).saturating_add(CUT_OFF_SETTLED);
        let max_stale = self.reload_every.map(|every| self.max_stale.max(shortest(every)));
        Ok(Shared::new(self.name, fixed, self.files, unnamed, self.clock, max_stale))
    }
}

impl std::fmt::Debug for StaticTokensBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticTokensBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}
