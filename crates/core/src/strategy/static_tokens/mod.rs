//! Tokens and API keys that are known beforehand.

mod builder;
mod line;
mod reload;
mod table;
#[cfg(test)]
mod tests;
mod token_file;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;

pub use builder::StaticTokensBuilder;
pub use token_file::{TokenFile, TokenFormat};

use self::{
    reload::Reloading,
    table::{Entry, Table},
};
use super::{Attempt, Credential, Identity, Strategy};
use crate::ConfigError;

/// Bearer tokens and API keys that are known beforehand: a [strategy](Strategy) for what has no issuer.
///
/// 1. Only digests are kept and compared: of every token, whichever matches, in constant time.
/// 2. Several tokens are good at once, so that one can be replaced without a refused request.
/// 3. Files are read again when they change, unless [told otherwise](StaticTokensBuilder::read_once). One that cannot be read or used, or is being written,
///    changes nothing, and one without a token lets nobody in.
/// 4. A token that is not among them is left to the next strategy.
///
/// A text or file holds one token a line, or `name=token`, whose caller has the name as its subject.
/// Instead of a token it may hold `sha256:` and the 64 hexadecimal digits of its SHA-256, so that who
/// reads the file cannot use it. Empty lines, and those that begin with `#`, do not count. A name without
/// a token is a mistake, and so is a token with a zero byte or without a visible character, as files hold
/// whose text was lost; one that ends in `=` needs a name, unless it is base64 of 16 bytes or more.
/// [`TokenFormat`] has other forms, of plain tokens.
///
/// Cloning copies a pointer.
///
/// # Examples
///
/// ```
/// use portcullis::{Authenticator, Identity, StaticTokens};
///
/// let tokens = StaticTokens::builder("service-tokens")
///     .token("4e1hvZ2m7pYcTq0sKfWbNw", Identity::new("service:etl").roles(["writer"]))
///     .text("backup=sha256:b1946ac92492d2347c6235b4d2611184cbd6a2b4f2b1b0dd2b5a2f2d5c3c1c1a")
///     .build()?;
/// let auth = Authenticator::builder().strategy(tokens).build()?;
///
/// let caller = auth.authenticate_token("4e1hvZ2m7pYcTq0sKfWbNw")?;
/// assert!(caller.principal().subject() == "service:etl" && caller.grant().has_role("writer"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct StaticTokens {
    shared: Arc<Shared>,
    /// Ends the thread that reads files again, with the last clone.
    reloading: Option<Arc<Reloading>>,
}

/// What the strategy and the thread that reads files share.
struct Shared {
    name: String,
    fixed: Vec<Entry>,
    files: Vec<TokenFile>,
    /// The caller of a token without a name.
    unnamed: Identity,
    table: ArcSwap<Table>,
    last_error: Mutex<Option<Arc<ConfigError>>>,
}

impl StaticTokens {
    /// Starts a set of tokens. The name is the [issuer](crate::Principal::issuer) of their callers.
    pub fn builder(name: impl Into<String>) -> StaticTokensBuilder {
        StaticTokensBuilder::new(name.into())
    }

    /// Reads all files now.
    ///
    /// # Errors
    ///
    /// The [`ConfigError`] of the first file that cannot be used: the tokens at hand stay.
    pub fn reload(&self) -> Result<(), Arc<ConfigError>> {
        self.shared.reload()
    }

    /// Returns what was wrong when the files were read the last time.
    #[must_use]
    pub fn last_error(&self) -> Option<Arc<ConfigError>> {
        self.shared.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns how many tokens are good now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.table.load().len()
    }

    /// Tells whether no token is good, so that nobody gets in by one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn start(shared: Shared, reload_every: Option<Duration>) -> Result<Self, ConfigError> {
        let table = shared.parse(&shared.texts()?)?;
        #[cfg(feature = "tracing")]
        if table.len() == 0 {
            tracing::warn!(target: "portcullis", name = shared.name, "no static token yet: nobody gets in by one");
        }
        shared.table.store(Arc::new(table));
        let shared = Arc::new(shared);
        let every = reload_every.filter(|_| !shared.files.is_empty());
        let reloading = every.map(|every| Reloading::start(&shared, every)).transpose()?;
        Ok(Self { shared, reloading: reloading.map(Arc::new) })
    }
}

impl Shared {
    fn reload(&self) -> Result<(), Arc<ConfigError>> {
        self.adopt(self.texts())
    }

    /// Takes what the files hold, unless it is of no use.
    fn adopt(&self, texts: Result<Vec<String>, ConfigError>) -> Result<(), Arc<ConfigError>> {
        let read = texts.and_then(|texts| self.parse(&texts)).map_err(Arc::new);
        let mut last_error = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(table) => {
                self.table.store(Arc::new(table));
                *last_error = None;
                Ok(())
            }
            Err(error) => {
                #[cfg(feature = "tracing")]
                if last_error.is_none() {
                    tracing::warn!(target: "portcullis", name = self.name, error = %error, "static tokens were not read again");
                }
                *last_error = Some(Arc::clone(&error));
                Err(error)
            }
        }
    }

    fn texts(&self) -> Result<Vec<String>, ConfigError> {
        self.files.iter().map(TokenFile::read).collect()
    }

    fn parse(&self, texts: &[String]) -> Result<Table, ConfigError> {
        let mut entries = self.fixed.clone();
        for (file, text) in self.files.iter().zip(texts) {
            let in_file =
                |error| ConfigError::InFile { path: file.path.clone(), source: Box::new(error) };
            entries.extend(file.entries(text, &self.unnamed).map_err(in_file)?);
        }
        Ok(Table::new(entries))
    }
}

impl Strategy for StaticTokens {
    fn name(&self) -> &str {
        &self.shared.name
    }

    fn attempt(&self, credential: &Credential<'_>) -> Attempt {
        match self.shared.table.load().find(credential.token()) {
            Some(identity) => Attempt::Accept(identity.clone()),
            None => Attempt::Abstain,
        }
    }
}

impl fmt::Debug for StaticTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticTokens")
            .field("name", &self.shared.name)
            .field("len", &self.len())
            .field("files", &self.shared.files)
            .field("reload_every", &self.reloading.as_ref().map(|reloading| reloading.every))
            .field("identity", &self.shared.unnamed)
            .finish_non_exhaustive()
    }
}
