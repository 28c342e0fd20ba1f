//! A configuration file that may change while the service runs.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tokio::runtime::Handle;

use super::{Config, stores::Stores};
use portcullis::{
    Authenticator, ConfigError, Grant, NumericDate, ReloadableAuthenticator,
    error::FileError,
    for_config::{CUT_OFF_SETTLED, SETTLED, Settling, Stamp, Warnings, read, read_text},
    strategy::TokenFormat,
};

/// A configuration file and its engine, which follows the file.
///
/// 1. A changed file makes a new engine, which takes the place of the old one at once, for all handles
///    and layers; see [`ReloadableAuthenticator`].
/// 2. A bad file changes nothing: the old engine stays, and the error is returned, kept as
///    [`last_error`](Self::last_error), and logged as a warning, again each minute while it lasts.
/// 3. Nothing happens by itself: call [`reload`](Self::reload), on a signal or from an own endpoint, or
///    spawn [`watch`](Self::watch).
/// 4. A changed file is adopted once two looks at least a second apart found the same content, length and
///    modification time: half of a configuration may be a valid one that allows more. The same holds for
///    the files of tokens and secrets that it names, for 10 seconds where one of tokens was written in place
///    and ends without a line end. Replace the file by renaming a new one over it, which
///    also holds for a writer that hangs for longer. The first reading, [`open`](Self::open), does not
///    wait: write the file before the program starts.
///
/// Files of keys, secrets and tokens that the configuration names are watched anyway. Environment variables
/// are read again with the configuration.
///
/// Cloning copies a pointer.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use portcullis_config::ConfigFile;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), portcullis::ConfigError> {
/// let config = ConfigFile::open("portcullis.toml")?;
/// let auth = config.authenticator();
/// tokio::spawn(async move { config.watch(Duration::from_secs(5)).await });
/// // `auth` goes into a layer.
/// # drop(auth);
/// # Ok(()) }
/// ```
pub struct ConfigFile<G = Grant> {
    inner: Arc<Inner<G>>,
}

struct Inner<G> {
    path: PathBuf,
    build: Box<Build<G>>,
    engine: ReloadableAuthenticator<G>,
    /// Held from the first look at the file until the engine is replaced, so that the engine of an older
    /// reading never replaces that of a newer one.
    reloading: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

type Build<G> = dyn Fn(&Config) -> Result<Authenticator<G>, ConfigError> + Send + Sync;

struct State {
    /// What was found when the file was used the last time, good or bad.
    used: Look,
    /// That of the engine.
    stores: Stores,
    settling: Settling<Look>,
    last_error: Option<Arc<ConfigError>>,
    warnings: Warnings,
}

/// The files as one look found them.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Look {
    /// `None`: it cannot be read.
    file: Option<Stamp>,
    /// Those of tokens and secrets that the configuration names.
    named: Vec<Named>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Named {
    path: PathBuf,
    /// `None`: it cannot be read.
    stamp: Option<Stamp>,
    /// Whether it ends within a token, or may do so.
    is_cut_off: bool,
}

/// A look, and what the very same reading of the file means.
struct Found {
    look: Look,
    config: Result<Config, ConfigError>,
}

/// How many looks a reload makes at a file that changes all the time.
const LOOKS: usize = 12;

impl ConfigFile {
    /// Reads a file, and builds its engine.
    ///
    /// # Errors
    ///
    /// As [`Config::from_file`] and [`AuthenticatorBuilder::build`](portcullis::AuthenticatorBuilder::build).
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        Self::open_with(path, |config| config.builder()?.build())
    }
}

impl<G: Send + Sync + 'static> ConfigFile<G> {
    /// Reads a file, and builds its engine by a function, which goes on where the configuration ends,
    /// now and whenever the file has changed.
    ///
    /// # Errors
    ///
    /// As [`Config::from_file`], and what the function returns.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use portcullis_config::ConfigFile;
    ///
    /// # #[derive(serde::Deserialize)] struct Rights;
    /// let config = ConfigFile::open_with("portcullis.toml", |config| {
    ///     config.builder()?.with_grant::<Rights>().build()
    /// })?;
    /// # Ok::<(), portcullis::ConfigError>(())
    /// ```
    pub fn open_with(
        path: impl Into<PathBuf>,
        build: impl Fn(&Config) -> Result<Authenticator<G>, ConfigError> + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        let path = path.into();
        let Found { look: used, config } = found(&path);
        let config = config?;
        let engine = ReloadableAuthenticator::new(built(&config, &build)?);
        let (settling, warnings) = (Settling::default(), Warnings::default());
        let stores = config.stores;
        let state = State { used, stores, settling, last_error: None, warnings };
        Ok(Self {
            inner: Arc::new(Inner {
                path,
                build: Box::new(build),
                engine,
                reloading: tokio::sync::Mutex::default(),
                state: Mutex::new(state),
            }),
        })
    }

    /// Returns a handle, whose engine is always the newest.
    #[must_use]
    pub fn authenticator(&self) -> Authenticator<G> {
        self.inner.engine.authenticator()
    }

    /// Reads the file again, and replaces the engine. Calls are handled one after another. Where the file
    /// has changed, this waits until it is the same for a second, by the engine's clock, and for 12 seconds
    /// at most.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) and [`ReloadableAuthenticator::replace`], and [`ConfigError::File`] for a
    /// file that still changes after that time: then the old engine stays.
    pub async fn reload(&self) -> Result<(), Arc<ConfigError>> {
        let _held = self.inner.reloading.lock().await;
        for _ in 0..LOOKS {
            let found = self.look().await;
            // What cannot be used changes nothing, complete or not.
            if (found.config.is_err() || self.is_settled(&found.look))
                && let Some(result) = self.use_found(found).await
            {
                return result;
            }
            self.pause().await;
        }
        let source = io::Error::other("it is still being written: replace it by a rename");
        let error = FileError::unreadable(&self.inner.path, source).into();
        Err(self.inner.keep(&mut self.inner.state(), error, self.inner.engine.clock().now()))
    }

    /// Looks at the file every so often, for ever, and reloads it when it holds something else, and
    /// after an error. Errors are kept and warned of. A change is adopted a second after it was first seen.
    pub async fn watch(&self, every: Duration) {
        loop {
            // A change that must settle is not left until the next regular look.
            let is_waiting = self.inner.state().settling.is_waiting();
            let wait = if is_waiting { every.min(SETTLED) } else { every };
            self.inner.engine.clock().sleep(wait.max(SHORTEST)).await;
            self.look_again().await;
        }
    }

    async fn look_again(&self) {
        let _held = self.inner.reloading.lock().await;
        let found = self.look().await;
        if self.inner.state().needs(&found.look) && self.is_settled(&found.look) {
            // What is wrong is kept for `last_error`.
            let _ = self.use_found(found).await;
        }
    }

    /// Reads the file, in a thread because a file of a network may take its time.
    async fn look(&self) -> Found {
        let path = self.inner.path.clone();
        in_thread(move || found(&path)).await.unwrap_or_else(|source| Found {
            look: Look { file: None, named: Vec::new() },
            config: Err(FileError::unreadable(&self.inner.path, source).into()),
        })
    }

    /// Returns whether the files are the same as when they were used, or have not changed for a while.
    fn is_settled(&self, look: &Look) -> bool {
        let now = self.inner.engine.clock().now();
        let mut state = self.inner.state();
        look.has_content_of(&state.used)
            || state.settling.unchanged_for(look.clone(), now) >= look.settles_after(&state.used)
    }

    /// Replaces the engine. `None`: a file that the configuration names changed meanwhile.
    async fn use_found(&self, found: Found) -> Option<Result<(), Arc<ConfigError>>> {
        let Found { look, config } = found;
        let replaced = match config {
            Ok(mut config) => {
                config.stores = Stores::following(&self.inner.state().stores);
                self.replace(Arc::new(config), look.named.clone()).await?
            }
            Err(error) => Err(error),
        };
        let now = self.inner.engine.clock().now();
        let mut state = self.inner.state();
        state.used = look;
        state.settling.end();
        Some(match replaced {
            Ok(()) => {
                state.last_error = None;
                state.warnings.end();
                Ok(())
            }
            Err(error) => Err(self.inner.keep(&mut state, error, now)),
        })
    }

    /// Builds the engine, which reads the files that the configuration names. `None`: one of them is not
    /// as it was found.
    async fn replace(
        &self,
        config: Arc<Config>,
        named: Vec<Named>,
    ) -> Option<Result<(), ConfigError>> {
        let (inner, of_build) = (Arc::clone(&self.inner), Arc::clone(&config));
        let build = move || {
            let auth = built(&of_build, &*inner.build);
            (looks_at_named(&of_build) == named).then_some(auth)
        };
        let built = in_thread(build).await.unwrap_or_else(|source| {
            Some(Err(FileError::unreadable(&self.inner.path, source).into()))
        });
        Some(match built? {
            Ok(auth) => {
                let replaced = self.inner.engine.replace(auth).await;
                if replaced.is_ok() {
                    self.inner.state().stores = config.stores.clone();
                }
                replaced.map_err(|error| config.hidden(error))
            }
            Err(error) => Err(error),
        })
    }

    async fn pause(&self) {
        match Handle::try_current() {
            Ok(_) => self.inner.engine.clock().sleep(SETTLED).await,
            // The time of a runtime is not there. Nothing else waits for this thread.
            Err(_) => thread::sleep(SETTLED),
        }
    }

    /// Returns what was wrong when the file was read the last time.
    #[must_use]
    pub fn last_error(&self) -> Option<Arc<ConfigError>> {
        self.inner.state().last_error.clone()
    }
}

/// No setting makes a tight loop.
const SHORTEST: Duration = Duration::from_millis(10);

impl<G> Inner<G> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an error, and logs it while it lasts.
    #[cfg_attr(
        not(feature = "tracing"),
        expect(clippy::unused_self, reason = "the path is for the log alone")
    )]
    fn keep(&self, state: &mut State, error: ConfigError, now: NumericDate) -> Arc<ConfigError> {
        if let Some(cause) = state.warnings.due(&error, now) {
            #[cfg(feature = "tracing")]
            {
                let path = self.path.display();
                // A log has one line for one event, and an error one for each mistake.
                let error = error.to_string().replace('\n', "; ");
                tracing::warn!(target: "portcullis", %path, cause, "configuration not changed: {error}");
            }
            #[cfg(not(feature = "tracing"))]
            let _ = cause;
        }
        let error = Arc::new(error);
        state.last_error = Some(Arc::clone(&error));
        error
    }
}

impl State {
    /// Returns whether the file must be used again: it has changed, or something was wrong.
    fn needs(&mut self, look: &Look) -> bool {
        let is_needed = self.last_error.is_some() || !has_content_of(&look.file, &self.used.file);
        if !is_needed {
            self.settling.end();
        }
        is_needed
    }
}

impl Look {
    fn has_content_of(&self, other: &Self) -> bool {
        let (named, others) = (&self.named, &other.named);
        has_content_of(&self.file, &other.file)
            && named.len() == others.len()
            && named.iter().zip(others).all(|(one, other)| {
                one.path == other.path && has_content_of(&one.stamp, &other.stamp)
            })
    }

    /// Returns how long the files must stay the same before they are used.
    fn settles_after(&self, used: &Self) -> Duration {
        let is_cut_off = |named: &Named| {
            let earlier = used.named.iter().find(|earlier| earlier.path == named.path);
            let (Some(stamp), Some(earlier)) = (&named.stamp, earlier) else { return false };
            let earlier = earlier.stamp.clone().unwrap_or(Stamp::absent());
            named.is_cut_off && !stamp.has_content_of(&earlier) && !stamp.has_replaced(&earlier)
        };
        if self.named.iter().any(is_cut_off) { CUT_OFF_SETTLED } else { SETTLED }
    }
}

fn has_content_of(one: &Option<Stamp>, other: &Option<Stamp>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.has_content_of(other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

fn found(path: &Path) -> Found {
    // One reading, so that the stamp is that of the very text which is used.
    match read_text(path) {
        Ok(content) => {
            let config = Config::of_file(path, &content.data);
            let named = config.as_ref().map(looks_at_named).unwrap_or_default();
            Found { look: Look { file: Some(content.stamp), named }, config }
        }
        Err(error) => {
            Found { look: Look { file: None, named: Vec::new() }, config: Err(error.into()) }
        }
    }
}

fn looks_at_named(config: &Config) -> Vec<Named> {
    let look = |(path, format): (PathBuf, Option<TokenFormat>)| {
        let content = read(&path).ok();
        let is_cut_off = content.as_ref().zip(format).is_some_and(|(content, format)| {
            format.is_cut_off(&String::from_utf8_lossy(&content.data))
        });
        Named { path, stamp: content.map(|content| content.stamp), is_cut_off }
    };
    config.files_of_secrets().map(look).collect()
}

fn built<G>(config: &Config, build: &Build<G>) -> Result<Authenticator<G>, ConfigError> {
    build(config).map_err(|error| config.hidden(error))
}

/// Runs what may block in a thread for that, where there is a runtime.
async fn in_thread<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    match Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(run).await.map_err(io::Error::other),
        Err(_) => Ok(run()),
    }
}

impl<G> Clone for ConfigFile<G> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<G> fmt::Debug for ConfigFile<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigFile").field("path", &self.inner.path).finish_non_exhaustive()
    }
}
