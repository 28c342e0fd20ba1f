//! Tokens and API keys that are known beforehand.

mod builder;
mod error;
mod line;
mod production;
mod reload;
mod shared;
mod table;
#[cfg(test)]
mod tests;
mod token_file;

use std::{fmt, sync::Arc, time::Duration};

pub use builder::StaticTokensBuilder;
pub use error::StaticTokenError;
pub use line::is_one_token;
pub use token_file::{CUT_OFF_SETTLED, TokenFile, TokenFormat};

use self::{reload::Reloading, shared::Shared};
use super::{Attempt, Credential, Identity, Strategy};
use crate::{AuthError, AuthErrorKind, ConfigError};

/// Bearer tokens and API keys that are known beforehand: a [strategy](Strategy) for what has no issuer.
///
/// 1. Only digests are kept and compared: of every token, whichever matches, in constant time.
/// 2. Several tokens are good at once, so that one can be replaced without a rejected request.
/// 3. Files are read again when they change, unless [`read_once`](StaticTokensBuilder::read_once) is set. One
///    that cannot be read or used changes nothing, until [`max_stale`](StaticTokensBuilder::max_stale) is
///    over; one without a token lets nobody in.
/// 4. A token that is not among them is left to the next strategy.
/// 5. An engine for [production](crate::AuthenticatorBuilder::production) rejects tokens of fewer than 16
///    bytes, when it is built and when files are read again, and warns of those of fewer than 32. The
///    length of a token that is known by its digest is not known.
///
/// # Lines
///
/// A text or file holds one token a line, or `name=token`, whose caller has the name as its subject. A
/// name consists of ASCII letters, digits and `-_.:@/|`. Instead of a token a line may hold `sha256:` and
/// the 64 hexadecimal digits of its SHA-256, so that who reads the file cannot use it. Empty lines, and
/// those that begin with `#`, do not count.
///
/// Any other line with `=` in it is an error, and so is a name with a token of fewer than 4 bytes: it may
/// be one token with `=` inside, of which only the end would count. One that ends in `=` needs a name,
/// unless it is base64 of 16 bytes or more. A token with a zero byte or without a visible character, as
/// files hold whose text was lost, is an error too. [`TokenFormat`] has other forms, of plain tokens.
///
/// # Files that change
///
/// Replace a file by renaming a new one over it, or by moving a symbolic link, as Kubernetes does. A file
/// that is written in place is half written at times, and the half of a token is easy to guess. So a
/// changed file is adopted once two looks at least a second apart found the same content, length and
/// modification time; and what ends without a line end is handled with more care:
///
/// | what ends without a line end | is adopted |
/// |---|---|
/// | the first reading, when the set is built | at once |
/// | a file that replaced another one | after 1 second without a change |
/// | a file with one token a line that was written in place | after 1 second without a change, and without its last line, unless that token was good before |
/// | another form that was written in place (the end may be a comma too), or a file that was absent | after 10 seconds without a change |
///
/// The first reading does not wait: write the files before the program starts.
///
/// Cloning copies a pointer.
///
/// # Examples
///
/// ```
/// use portcullis::{Authenticator, StaticTokens, strategy::Identity};
///
/// let tokens = StaticTokens::builder("service-tokens")
///     .token("4e1hvZ2m7pYcTq0sKfWbNw", Identity::new("service:etl").roles(["writer"]))
///     .text("backup=sha256:b1946ac92492d2347c6235b4d2611184cbd6a2b4f2b1b0dd2b5a2f2d5c3c1c1a")
///     .build()?;
/// let auth = Authenticator::builder().strategy(tokens).build()?;
///
/// let caller = auth.authenticate_token_now("4e1hvZ2m7pYcTq0sKfWbNw")?;
/// assert!(caller.principal().subject() == "service:etl" && caller.grant().has_role("writer"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct StaticTokens {
    shared: Arc<Shared>,
    /// Ends the thread that reads files again, with the last clone.
    reloading: Option<Arc<Reloading>>,
}

impl StaticTokens {
    /// Starts a set of tokens. The name is the [issuer](crate::Principal::issuer) of their callers.
    pub fn builder(name: impl Into<String>) -> StaticTokensBuilder {
        StaticTokensBuilder::new(name.into())
    }

    /// Reads all files now, and adopts them at once: call this when they are complete. A token that is
    /// not in its file any more is rejected from the return of this call on.
    ///
    /// # Errors
    ///
    /// The [`ConfigError`] of the first file that cannot be used: the tokens at hand stay. Where the last
    /// line of a file that was written in place lacks its line end, everything else is adopted, and
    /// [`FileError::Unusable`](crate::FileError::Unusable) names the line.
    pub fn reload(&self) -> Result<(), Arc<ConfigError>> {
        self.shared.reload()
    }

    /// Returns what was wrong when the files were read the last time.
    #[must_use]
    pub fn last_error(&self) -> Option<Arc<ConfigError>> {
        self.shared.last_error()
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
        shared.start()?;
        #[cfg(feature = "tracing")]
        if shared.table.load().len() == 0 {
            tracing::warn!(target: "portcullis", name = shared.name, "no static token yet: nobody gets in by one");
        }
        let shared = Arc::new(shared);
        let every = reload_every.filter(|_| !shared.files.is_empty());
        let reloading = every.map(|every| Reloading::start(&shared, every)).transpose()?;
        Ok(Self { shared, reloading: reloading.map(Arc::new) })
    }
}

impl Strategy for StaticTokens {
    fn name(&self) -> &str {
        &self.shared.name
    }

    fn attempt(&self, credential: &Credential<'_>) -> Attempt {
        match self.shared.table.load().find(credential.token()) {
            Some(entry) if entry.is_of_file && self.shared.are_stale(self.shared.clock.now()) => {
                let cause = "the files of tokens could not be read for too long";
                Attempt::Reject(AuthError::because(AuthErrorKind::ResolverUnavailable, cause))
            }
            Some(entry) => Attempt::Accept(entry.identity.clone()),
            None => Attempt::Abstain,
        }
    }

    fn check_production(&self) -> Result<(), ConfigError> {
        self.shared.check_production()
    }
}

impl fmt::Debug for StaticTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticTokens")
            .field("name", &self.shared.name)
            .field("len", &self.len())
            .field("files", &self.shared.files)
            .field("reload_every", &self.reloading.as_ref().map(|reloading| reloading.every))
            .field("max_stale", &self.shared.max_stale)
            .field("identity", &self.shared.unnamed)
            .finish_non_exhaustive()
    }
}
