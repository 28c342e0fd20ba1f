//! The store that a configuration names, open.

#[cfg(feature = "sqlite")]
use std::path::Path;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis::{
    ConfigError,
    revocation::{MemoryStore, ReplayStore, RevocationStore, Revocations},
};

#[cfg(any(feature = "postgres", feature = "redis"))]
use portcullis::revocation::StoreError;

use crate::{
    apply::Applying,
    revocation::REVOCATION,
    section::Section,
    store_url::{Scheme, StoreUrl},
};

/// The open store of a configuration, which all engines of the configuration share.
#[derive(Clone, Default)]
pub(crate) struct Stores(Arc<Mutex<Option<OpenStore>>>);

/// A store, and the engine's view of it.
#[derive(Clone)]
struct OpenStore {
    url: StoreUrl,
    both: Both,
    /// With the settings that it was made with.
    revocations: Option<(Settings, Revocations)>,
}

/// A store by its two traits.
#[derive(Clone)]
pub(crate) struct Both {
    pub(crate) revocations: Arc<dyn RevocationStore>,
    pub(crate) used_tokens: Arc<dyn ReplayStore>,
}

/// The settings in a section, to be compared.
#[derive(Clone, Eq, PartialEq)]
struct Settings {
    is_strict: bool,
    allow_missing_jti: bool,
    durations: [Option<Duration>; 3],
}

impl Stores {
    /// Starts with the store of another configuration, for one that replaces it: the same URL means the same
    /// store, so that nothing is read again and what is in memory is kept.
    pub(crate) fn following(other: &Self) -> Self {
        Self(Arc::new(Mutex::new(other.lock().clone())))
    }

    /// Returns the revocations and the store of used tokens of a section. Connects to nothing.
    pub(crate) fn open(
        &self,
        url: StoreUrl,
        section: &Section,
        applying: &Applying<'_>,
    ) -> Result<(Revocations, Arc<dyn ReplayStore>), ConfigError> {
        let mut open = self.lock();
        let mut store = match open.take() {
            Some(store) if store.url == url => store,
            _ => OpenStore { both: Both::open(&url)?, url, revocations: None },
        };
        let settings = Settings::of(section);
        let revocations = match store.revocations.take() {
            Some((of_before, revocations)) if of_before == settings => revocations,
            _ => {
                let revocations = Revocations::new(Arc::clone(&store.both.revocations));
                REVOCATION.apply(revocations, section, applying)
            }
        };
        store.revocations = Some((settings, revocations.clone()));
        let used_tokens = Arc::clone(&store.both.used_tokens);
        *open = Some(store);
        Ok((revocations, used_tokens))
    }

    fn lock(&self) -> MutexGuard<'_, Option<OpenStore>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Settings {
    fn of(section: &Section) -> Self {
        Self {
            is_strict: section.text("mode") == Some("strict"),
            allow_missing_jti: section.flag("allow_missing_jti"),
            durations: ["max_staleness", "poll", "timeout"].map(|key| section.duration(key)),
        }
    }
}

impl Both {
    /// Opens a store. Nothing is connected.
    ///
    /// # Errors
    ///
    /// The store rejects the URL.
    pub(crate) fn open(url: &StoreUrl) -> Result<Self, ConfigError> {
        Ok(match url.scheme {
            Scheme::Memory => Self::of(MemoryStore::new()),
            #[cfg(feature = "sqlite")]
            Scheme::Sqlite => {
                Self::of(portcullis_sql::SqliteStore::open(url.file().unwrap_or(Path::new(""))))
            }
            #[cfg(feature = "postgres")]
            Scheme::Postgres => Self::of(opened(portcullis_sql::PostgresStore::open(&url.text))?),
            #[cfg(feature = "redis")]
            Scheme::Redis => Self::of(opened(portcullis_redis::RedisStore::open(&url.text))?),
            // Rejected when the URL was read.
            #[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "redis")))]
            _ => return Err(ConfigError::Other("the feature of this store is off".into())),
        })
    }

    fn of(store: impl RevocationStore + ReplayStore + 'static) -> Self {
        let store = Arc::new(store);
        Self { revocations: Arc::clone(&store) as _, used_tokens: store }
    }
}

/// Takes the error of a store over. Its text holds no part of the URL.
#[cfg(any(feature = "postgres", feature = "redis"))]
fn opened<S>(store: Result<S, StoreError>) -> Result<S, ConfigError> {
    store.map_err(|error| ConfigError::Other(Box::new(error)))
}
