//! Configures Portcullis by a file or a text: TOML or JSON.
//!
//! A configuration is checked as a whole before anything is built of it, and all mistakes are reported at once,
//! each with its file, line, column and key. [`Config`] builds an engine that never changes, and [`ConfigFile`]
//! one that follows its file.
//!
//! Each section has one table of its keys, which the check, the JSON Schema and the documentation are made from. Each key has
//! a builder method with the same meaning.
//!
//! # Examples
//!
//! ```no_run
//! use portcullis_config::Config;
//!
//! let auth = Config::from_file("portcullis.toml")?.builder()?.build()?;
//! # drop(auth);
//! # Ok::<(), portcullis::ConfigError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `tracing` | yes | a warning for each reload that fails, target `portcullis` |
//! | `regex` | no | permissions found by regular expressions |
//! | `fips` | no | the FIPS-validated module of AWS-LC for all cryptography |
//! | `sqlite` | no | revocations in a SQLite file |
//! | `postgres` | no | revocations in PostgreSQL |
//! | `redis` | no | revocations in Redis or Valkey |

mod apply;
mod check;
mod cookies;
mod diagnose;
mod error;
mod extract;
mod file;
mod grant;
mod issuer;
mod issuer_keys;
mod messages;
mod mistakes;
mod nearest;
mod node;
mod resource;
mod revocation;
mod roles;
mod root;
mod schema;
mod section;
mod shown;
mod static_token;
mod store_url;
mod stores;
mod table;
#[cfg(test)]
mod tests;
mod values;

use std::{
    env, fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use portcullis::{
    Authenticator, AuthenticatorBuilder, ConfigError, policy::RoleHierarchy, strategy::TokenFormat,
};
use serde::{Deserialize, Deserializer, de::Error as _};

use self::{
    apply::Applying,
    check::{Checker, Places, Variables},
    diagnose::Base,
    mistakes::{Mistake, Mistakes},
    node::{Node, SyntaxError},
    roles::ROLES,
    root::ROOT,
    section::Section,
    shown::Shown,
    stores::Stores,
};
pub use self::{
    error::{SettingError, SettingErrors},
    file::ConfigFile,
    store_url::StoreUrl,
};

/// The settings of an engine, read from TOML or JSON.
///
/// - In texts, `${NAME}` stands for an environment variable, and `$${` for a plain `${`. Errors show texts as
///   they are written, and no part of what a variable holds.
/// - Durations and sizes are words, such as `10m` and `16KiB`.
/// - File names are relative to the configuration file.
///
/// It can be part of an application's own configuration too: it is [`Deserialize`], and expands
/// variables there as well.
///
/// # Examples
///
/// ```
/// use portcullis_config::{Config, SettingErrors};
///
/// let config = Config::from_toml(
///     r#"
///     [[issuer]]
///     issuer = "https://idp.example.com"
///     audience = ["orders"]
///     discovery = true
///     leeway = "30s"
///     "#,
/// )?;
/// let auth = config.builder()?.build()?;
/// # drop(auth);
///
/// let error = Config::from_toml("[[issuer]]\nissuer = 'a'\nleway = '30s'\ntype = 1").unwrap_err();
/// let [leway, types] = SettingErrors::of(&error).unwrap().errors() else { panic!() };
/// assert_eq!((leway.key(), leway.line()), ("issuer[0].leway", Some(3)));
/// assert!(leway.help().unwrap().starts_with(r#"did you mean "leeway"?"#));
/// assert_eq!((types.key(), types.message()), ("issuer[0].type", "found 1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Config {
    root: Section,
    file: Option<PathBuf>,
    places: Places,
    shown: Shown,
    files_are_fixed: bool,
    stores: Stores,
}

impl Config {
    /// Reads TOML. File names are relative to the current folder.
    ///
    /// # Errors
    ///
    /// [`SettingErrors`], in [`ConfigError::Other`].
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Ok(Source::default().read(Node::from_toml(text))?)
    }

    /// Reads JSON. File names are relative to the current folder. Errors have a line only where the text is
    /// not valid JSON, and a key otherwise.
    ///
    /// # Errors
    ///
    /// [`SettingErrors`], in [`ConfigError::Other`].
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        Ok(Source::default().read(Node::from_json(text))?)
    }

    /// Reads a file: JSON if its name ends in `.json`, and otherwise TOML. File names inside are relative to
    /// it.
    ///
    /// # Errors
    ///
    /// [`ConfigError::File`] if it cannot be read, and [`SettingErrors`], in [`ConfigError::Other`].
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::of_file(path, &portcullis::for_config::read_text(path)?.data)
    }

    /// Reads the text of a file.
    fn of_file(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let is_json =
            path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let node = if is_json { Node::from_json(text) } else { Node::from_toml(text) };
        let source = Source { file: Some(path), ..Source::default() };
        Ok(source.read(node)?)
    }

    /// Reads files of keys once, when the engine is built, for programs that do their work and end.
    /// Default: they are watched, which needs a tokio runtime, and a key that is not among theirs is
    /// not called unknown before they were looked at again.
    #[must_use]
    pub fn fixed_files(self) -> Self {
        Self { files_are_fixed: true, ..self }
    }

    /// Returns a builder with all settings in it, so that an application can go on in code: with its own type
    /// of grant, or a strategy of its own. Files of keys and tokens are read now.
    ///
    /// # Errors
    ///
    /// [`SettingErrors`], in [`ConfigError::Other`]: all keys whose values cannot be used. The same holds for
    /// [`AuthenticatorBuilder::build`].
    pub fn builder(&self) -> Result<AuthenticatorBuilder, ConfigError> {
        let applying = Applying::new(self);
        let builder = ROOT.apply(Authenticator::builder(), &self.root, &applying);
        let mut mistakes = applying.into_mistakes();
        if !mistakes.is_empty() {
            self.diagnose(&|| self.base(), &mut mistakes);
            return Err(self.locate(mistakes).into());
        }
        let config = Arc::new(self.clone());
        Ok(builder.map_error(move |error, base| config.rejected(error, base)))
    }

    /// Returns the order of roles, for policies: `ranks().role_at_least("writer")`.
    pub fn ranks(&self) -> RoleHierarchy {
        let none = Section::default();
        let roles = self.root.section("roles").unwrap_or(&none);
        let ranks = RoleHierarchy::new(roles.texts("rank").iter().map(String::as_str));
        ROLES.apply(ranks, roles, &Applying::new(self))
    }

    /// Returns the file that the settings came from.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Returns whether the file asks for an engine for production.
    #[must_use]
    pub fn is_for_production(&self) -> bool {
        self.root.flag("production")
    }

    /// Returns the names of the issuers.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.root.sections("issuer").iter().map(issuer::name)
    }

    /// Returns the names of the sets of static tokens.
    pub fn static_tokens(&self) -> impl Iterator<Item = &str> {
        self.root.sections("static_token").iter().filter_map(|tokens| tokens.text("name"))
    }

    /// Returns the longest token, in bytes. `None`: the default of the engine.
    #[must_use]
    pub fn max_token_len(&self) -> Option<usize> {
        self.root.size("max_token_len")
    }
}

impl Config {
    /// Returns the folder that file names are relative to.
    fn folder(&self) -> &Path {
        self.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""))
    }

    /// Returns the files that are usable also when they are cut short, with the format of those of tokens:
    /// half of a secret is a secret, and half of a token is a token. Half of a JWK Set or of a PEM file is
    /// neither.
    fn files_of_secrets(&self) -> impl Iterator<Item = (PathBuf, Option<TokenFormat>)> {
        let tokens = self.root.sections("static_token").iter().flat_map(|section| {
            let format = static_token::format(section);
            section.texts("token_file").iter().map(move |file| (file, Some(format)))
        });
        let secrets = self.root.sections("issuer").iter();
        let secrets = secrets.flat_map(|issuer| issuer.texts("secret_file"));
        let files = tokens.chain(secrets.map(|file| (file, None)));
        files.map(|(file, format)| (self.folder().join(file), format))
    }

    /// Says which keys an error of the engine is about, and adds the other mistakes.
    fn rejected(&self, error: ConfigError, base: Base<'_>) -> ConfigError {
        let base = || self.with_audience_of_resource(base());
        let mut mistakes = Mistakes::default();
        self.diagnose(&base, &mut mistakes);
        let (message, help) = self.explain(error);
        if !mistakes.contain(&message) {
            mistakes.add("", message, help);
        }
        self.locate(mistakes).into()
    }

    /// Returns an error in the words of the configuration, without values of variables.
    fn explain(&self, error: ConfigError) -> (String, String) {
        messages::message_and_help(&self.hidden(error))
    }

    /// Takes the values of variables out of an error.
    fn hidden(&self, error: ConfigError) -> ConfigError {
        self.shown.error(error, self.folder())
    }

    /// Finds the places of mistakes, and puts these in the order of the file.
    fn locate(&self, mistakes: Mistakes) -> SettingErrors {
        let mut errors: Vec<_> = mistakes
            .into_vec()
            .into_iter()
            .map(|Mistake { key, message, help }| {
                let (order, position) = self.place(&key).unwrap_or((usize::MAX, None));
                let file = self.file.as_deref();
                (order, SettingError::new(file, position, key, &message, &help))
            })
            .collect();
        errors.sort_by_key(|(order, _)| *order);
        SettingErrors::new(errors.into_iter().map(|(_, error)| error).collect())
    }

    /// Returns where a key is, or what it is part of.
    fn place(&self, key: &str) -> Option<(usize, Option<error::Position>)> {
        let mut key = key;
        loop {
            if let Some(place) = self.places.get(key) {
                return Some(*place);
            }
            let end = key.rfind(['.', '['])?;
            key = key.get(..end)?;
        }
    }
}

/// Where a configuration comes from.
struct Source<'s> {
    file: Option<&'s Path>,
    variables: Variables<'s>,
}

impl Default for Source<'_> {
    fn default() -> Self {
        Self { file: None, variables: &|name| env::var(name).ok() }
    }
}

impl Source<'_> {
    fn read(&self, node: Result<Node, SyntaxError>) -> Result<Config, SettingErrors> {
        let node = node.map_err(|SyntaxError { message, position }| {
            let error = SettingError::new(self.file, position, String::new(), &message, "");
            SettingErrors::new(vec![error])
        })?;
        let mut checker = Checker::new(self.variables);
        let root = checker.section(&node, &ROOT, "").unwrap_or_default();
        let Checker { places, shown, mut mistakes, .. } = checker;
        let file = self.file.map(Path::to_owned);
        let stores = Stores::default();
        let config = Config { root, file, places, shown, files_are_fixed: false, stores };
        if mistakes.is_empty() {
            return Ok(config);
        }
        // What is right is tried out now, because `builder()` will not be called.
        config.diagnose(&|| config.base(), &mut mistakes);
        Err(config.locate(mistakes))
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        Source::default().read(Ok(node)).map_err(D::Error::custom)
    }
}

/// Shows no setting, because texts may hold secrets and values of variables.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Reads a duration as the configuration has it, such as `60s`, `10m` or `1h30m`.
///
/// # Errors
///
/// What is wrong, and what would be right.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    values::duration(text)
}
