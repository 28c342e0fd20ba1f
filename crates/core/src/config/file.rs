//! A configuration file that may change while the service runs.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest::{SHA256, digest};
use tokio::runtime::Handle;

use super::Config;
use crate::{Authenticator, ConfigError, Grant, ReloadableAuthenticator};

/// A configuration file and its engine, which follows the file.
///
/// 1. A changed file makes a new engine, which takes the place of the old one at once, for all handles
///    and layers; see [`ReloadableAuthenticator`].
/// 2. A bad file changes nothing: the old engine stays, and the error is returned, kept as
///    [`last_error`](Self::last_error), and warned of once.
/// 3. Nothing happens by itself: call [`reload`](Self::reload), on a signal or from an own endpoint, or
///    spawn [`watch`](Self::watch).
///
/// Files of keys and tokens that the configuration names are watched anyway. Files of secrets, and
/// environment variables, are read again with the configuration.
///
/// Cloning copies a pointer.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use portcullis::ConfigFile;
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
    state: Mutex<State>,
}

type Build<G> = dyn Fn(&Config) -> Result<Authenticator<G>, ConfigError> + Send + Sync;

struct State {
    /// What the file held when it was read the last time, good or bad. `None`: it could not be read.
    digest: Option<Digest>,
    last_error: Option<Arc<ConfigError>>,
}

type Digest = Vec<u8>;

impl ConfigFile {
    /// Reads a file, and builds its engine.
    ///
    /// # Errors
    ///
    /// As [`Config::from_file`] and [`Authenticator::from_config`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {
        Self::open_with(path, Authenticator::from_config)
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
    /// use portcullis::ConfigFile;
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
        let digest = digest_of(&path);
        let engine = ReloadableAuthenticator::new(built(&path, &build)?);
        let state = Mutex::new(State { digest, last_error: None });
        Ok(Self { inner: Arc::new(Inner { path, build: Box::new(build), engine, state }) })
    }

    /// Returns a handle, whose engine is always the newest.
    #[must_use]
    pub fn authenticator(&self) -> Authenticator<G> {
        self.inner.engine.authenticator()
    }

    /// Reads the file again, and replaces the engine.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open) and [`ReloadableAuthenticator::replace`]: then the old engine stays.
    pub async fn reload(&self) -> Result<(), Arc<ConfigError>> {
        let inner = Arc::clone(&self.inner);
        let read = move || (digest_of(&inner.path), built(&inner.path, &*inner.build));
        // In a thread, because a file of a network may take its time.
        let (digest, built) = match Handle::try_current() {
            Ok(runtime) => runtime.spawn_blocking(read).await.unwrap_or_else(|error| {
                let source = std::io::Error::other(error);
                (None, Err(ConfigError::File { path: self.inner.path.clone(), source }))
            }),
            Err(_) => read(),
        };
        let replaced = match built {
            Ok(auth) => self.inner.engine.replace(auth).await,
            Err(error) => Err(error),
        };
        let mut state = self.inner.state();
        state.digest = digest;
        match replaced {
            Ok(()) => {
                state.last_error = None;
                Ok(())
            }
            Err(error) => Err(self.inner.keep(&mut state, error)),
        }
    }

    /// Looks at the file every so often, for ever, and reloads it when it holds something else, and
    /// after an error. Errors are kept and warned of.
    pub async fn watch(&self, every: Duration) {
        loop {
            self.inner.engine.clock().sleep(every.max(SHORTEST)).await;
            if self.is_to_be_reloaded().await {
                // What is wrong is kept for `last_error`.
                let _ = self.reload().await;
            }
        }
    }

    async fn is_to_be_reloaded(&self) -> bool {
        let path = self.inner.path.clone();
        let digest = match Handle::try_current() {
            Ok(runtime) => runtime.spawn_blocking(move || digest_of(&path)).await.ok().flatten(),
            Err(_) => digest_of(&path),
        };
        let state = self.inner.state();
        state.last_error.is_some() || state.digest != digest
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

    /// Keeps an error, and warns of it unless it is the one that was there before.
    #[cfg_attr(
        not(feature = "tracing"),
        expect(clippy::unused_self, reason = "the path is for the log alone")
    )]
    fn keep(&self, state: &mut State, error: ConfigError) -> Arc<ConfigError> {
        #[cfg(feature = "tracing")]
        {
            let text = |error: &ConfigError| {
                let cause = std::error::Error::source(error);
                (error.to_string(), cause.map(ToString::to_string))
            };
            let (error, cause) = text(&error);
            let known = state.last_error.as_deref().map(text);
            if known.as_ref() != Some(&(error.clone(), cause.clone())) {
                let path = self.path.display();
                tracing::warn!(target: "portcullis", %path, cause, "configuration not changed: {error}");
            }
        }
        let error = Arc::new(error);
        state.last_error = Some(Arc::clone(&error));
        error
    }
}

fn built<G>(path: &Path, build: &Build<G>) -> Result<Authenticator<G>, ConfigError> {
    let config = Config::from_file(path)?;
    build(&config).map_err(|error| config.about(error))
}

fn digest_of(path: &Path) -> Option<Digest> {
    let text = crate::file::read_text(path).ok()?;
    Some(digest(&SHA256, text.as_bytes()).as_ref().to_vec())
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
