//! The URL of a store: which kind it is, and what is wrong with it. No message has a part of the URL, because
//! it may hold a password.

use std::{env, fmt, path::Path, str::FromStr, sync::Arc};

use portcullis::{ConfigError, revocation::RevocationStore};

use crate::{stores::Both, values};

/// The kinds of stores, as errors list them.
pub(crate) const EXPECTED: &str =
    "expected `memory:`, `sqlite:FILE`, `postgres://…` or `redis://…`";

/// The URL of a store of revocations and used tokens, for programs that work on the store of a service.
///
/// | URL | store |
/// |---|---|
/// | `memory:` | in the memory of this process |
/// | `sqlite:revoked.db`, `sqlite:///var/lib/orders/revoked.db` | a SQLite file; needs the feature `sqlite` |
/// | `postgres://…`, `postgresql://…` | PostgreSQL; needs the feature `postgres` |
/// | `redis://…`, `rediss://…` | Redis or Valkey; needs the feature `redis` |
///
/// In the text that it is parsed from, `${NAME}` stands for an environment variable, as in a configuration.
/// It may hold a password: no error and no `Debug` shows a part of it.
///
/// # Examples
///
/// ```
/// use portcullis_config::StoreUrl;
///
/// assert!("memory:".parse::<StoreUrl>()?.is_in_memory());
/// let error = "mysql://root:secret@localhost".parse::<StoreUrl>().unwrap_err();
/// assert!(error.starts_with("no store has this scheme"));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct StoreUrl {
    pub(crate) scheme: Scheme,
    pub(crate) text: String,
}

/// A kind of store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scheme {
    Memory,
    Sqlite,
    Postgres,
    Redis,
}

impl StoreUrl {
    /// Returns the URL, if a store can be opened by it.
    ///
    /// # Errors
    ///
    /// What is wrong, and what would be right.
    pub(crate) fn new(text: &str) -> Result<Self, (String, String)> {
        let wrong = |message: &str, help: &str| Err((message.to_owned(), help.to_owned()));
        let Some((scheme, rest)) = text.split_once(':') else {
            return wrong("it is not the URL of a store", EXPECTED);
        };
        let scheme = match &*scheme.to_ascii_lowercase() {
            "memory" => Scheme::Memory,
            "sqlite" => Scheme::Sqlite,
            "postgres" | "postgresql" => Scheme::Postgres,
            "redis" | "rediss" => Scheme::Redis,
            _ => return wrong("no store has this scheme", EXPECTED),
        };
        match scheme {
            Scheme::Memory if rest.is_empty() => {}
            Scheme::Memory => return wrong("a store in memory has no name", "write `memory:`"),
            Scheme::Sqlite => check_file(rest)?,
            Scheme::Postgres | Scheme::Redis => {
                if !rest.strip_prefix("//").is_some_and(|rest| !rest.is_empty()) {
                    return wrong("it names no server", EXPECTED);
                }
            }
        }
        if let Some(feature) = scheme.missing_feature() {
            let message = format!("this program was built without the feature `{feature}`");
            let help = format!("enable the feature `{feature}` of the Portcullis crate in use");
            return Err((message, help));
        }
        Ok(Self { scheme, text: text.to_owned() })
    }

    /// Returns whether the store is in the memory of the process that opens it.
    #[must_use]
    pub fn is_in_memory(&self) -> bool {
        self.scheme == Scheme::Memory
    }

    /// Returns the file of a store in SQLite.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self.scheme {
            Scheme::Sqlite => {
                let (_, rest) = self.text.split_once(':')?;
                Some(Path::new(rest.strip_prefix("//").unwrap_or(rest)))
            }
            _ => None,
        }
    }

    /// Opens the store. Nothing is connected or created before the store is used.
    ///
    /// # Errors
    ///
    /// The URL cannot be used by its kind of store.
    pub fn revocation_store(&self) -> Result<Arc<dyn RevocationStore>, ConfigError> {
        Ok(Both::open(self)?.revocations)
    }

    /// Makes the file of a store in SQLite relative to a folder.
    pub(crate) fn in_folder(self, folder: &Path) -> Self {
        match self.file().map(|file| folder.join(file)) {
            Some(file) => Self { text: format!("sqlite:{}", file.display()), ..self },
            None => self,
        }
    }
}

/// Checks what follows `sqlite:`: the path of a file, or `//` and an absolute path.
fn check_file(rest: &str) -> Result<(), (String, String)> {
    let help = "write `sqlite:revoked.db` for a file in this folder, or \
                `sqlite:///var/lib/orders/revoked.db`";
    let wrong = |message: &str| Err((message.to_owned(), help.to_owned()));
    match rest.strip_prefix("//") {
        Some(path) if !path.starts_with('/') => wrong("the path after `sqlite://` is not absolute"),
        _ if rest.trim_matches('/').is_empty() => wrong("it names no file"),
        _ if rest.contains(":memory:") => wrong("a database in memory is not kept"),
        _ => Ok(()),
    }
}

impl Scheme {
    /// Returns the feature that this build lacks for the kind.
    fn missing_feature(self) -> Option<&'static str> {
        let (feature, is_enabled) = match self {
            Self::Memory => return None,
            Self::Sqlite => ("sqlite", cfg!(feature = "sqlite")),
            Self::Postgres => ("postgres", cfg!(feature = "postgres")),
            Self::Redis => ("redis", cfg!(feature = "redis")),
        };
        (!is_enabled).then_some(feature)
    }
}

impl FromStr for StoreUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let joined = |(message, help): (String, String)| format!("{message}; {help}");
        let text = values::expand(text, &|name| env::var(name).ok()).map_err(joined)?;
        Self::new(&text).map_err(joined)
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreUrl").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}
