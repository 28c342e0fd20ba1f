//! The configuration as data: TOML or JSON, checked as a whole before anything is built of it.
//!
//! Each key has a builder method with the same meaning. Unknown keys, values of another kind and
//! environment variables that are not set are errors, which name file, line, key and what is allowed.

mod build;
mod check;
mod error;
mod file;
mod grant;
mod keys;
mod kind;
mod nearest;
mod node;
mod read;
mod schema;
mod settings;
mod shown;
#[cfg(test)]
mod tests;
mod tool;
mod values;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Deserializer, de::Error as _};

pub use self::tool::parse_duration;
use self::{
    check::{Checker, Positions, Variables},
    error::Position,
    node::{Node, SyntaxError},
    shown::Shown,
};
pub use self::{
    error::SettingError,
    file::ConfigFile,
    settings::{
        ExtractSettings, GrantSettings, IssuerSettings, KeySettings, LocationKind,
        LocationSettings, PermissionForm, PermissionSettings, ResourceSettings, RoleSettings,
        RuleSettings, StaticTokenSettings,
    },
};
use portcullis::{ConfigError, TokenFormat, policy::RoleHierarchy};

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
/// use portcullis_config::Config;
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
/// assert_eq!(config.issuers[0].audiences, ["orders"]);
///
/// let error = Config::from_toml("[[issuer]]\nissuer = 'a'\nleway = '30s'").unwrap_err();
/// assert!(error.to_string().starts_with(
///     r#"line 3, column 1: `issuer[0].leway`: unknown key; did you mean "leeway"?"#
/// ));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Whether settings that are for trying out are rejected.
    pub production: bool,
    /// Whether routes may let requests without credentials through in production.
    pub optional_credentials: bool,
    /// Whether an issuer that stands in for all others may do so in production.
    pub any_issuer_in_production: bool,
    /// Who the service is in `aud`, for issuers that do not say.
    pub audience: Vec<String>,
    /// The realm that challenges name.
    pub realm: Option<String>,
    /// The URL of the metadata that challenges name.
    pub resource_metadata: Option<String>,
    /// The longest token, in bytes.
    pub max_token_len: Option<usize>,
    /// The longest time that a strategy may take for one token.
    pub strategy_timeout: Option<Duration>,
    /// Where in a request the token is.
    pub extract: ExtractSettings,
    /// What clients know the service as.
    pub resource: Option<ResourceSettings>,
    /// The issuers that are trusted.
    pub issuers: Vec<IssuerSettings>,
    /// The order of roles.
    pub roles: RoleSettings,
    /// Tokens that are known beforehand.
    pub static_tokens: Vec<StaticTokenSettings>,
    file: Option<PathBuf>,
    positions: Positions,
    shown: Shown,
    files_are_fixed: bool,
}

impl Config {
    /// Reads TOML. File names are relative to the current folder.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Setting`].
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Ok(Source::default().read(Node::from_toml(text))?)
    }

    /// Reads JSON. File names are relative to the current folder. Errors tell lines where the text is
    /// not even JSON, and keys alone where it is.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Setting`].
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        Ok(Source::default().read(Node::from_json(text))?)
    }

    /// Reads a file: JSON if its name ends in `.json`, and else TOML. File names inside are relative to
    /// it.
    ///
    /// # Errors
    ///
    /// [`ConfigError::File`] if it cannot be read, and [`ConfigError::Setting`].
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

    /// Returns the files that are usable also when they are cut short, with the format of those of tokens:
    /// half of a secret is a secret, and half of a token is a token. Half of a JWK Set or of a PEM file is
    /// neither.
    fn files_of_secrets(&self) -> impl Iterator<Item = (&Path, Option<TokenFormat>)> {
        let tokens = self.static_tokens.iter().flat_map(|tokens| {
            tokens.files.iter().map(move |file| (file.as_path(), Some(tokens.format)))
        });
        let secrets = self.issuers.iter().flat_map(|issuer| &issuer.keys.secret_files);
        tokens.chain(secrets.map(|file| (file.as_path(), None)))
    }

    /// Returns the file that the settings came from.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Reads files of keys once, when the engine is built, for programs that do their work and end.
    /// Default: they are watched, which needs a tokio runtime, and a key that is not among theirs is
    /// not called unknown before they were looked at again.
    #[must_use]
    pub fn fixed_files(self) -> Self {
        Self { files_are_fixed: true, ..self }
    }

    /// Returns the order of roles, for policies: `ranks().role_at_least("writer")`.
    pub fn ranks(&self) -> RoleHierarchy {
        let ranks = RoleHierarchy::new(self.roles.rank.iter().map(String::as_str));
        if self.roles.ignore_ascii_case { ranks.ignoring_ascii_case() } else { ranks }
    }

    /// Returns where a key stands, or what it is part of.
    fn position(&self, key: &str) -> Option<Position> {
        let mut key = key;
        loop {
            if let Some(position) = self.positions.get(key) {
                return Some(*position);
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
        Self { file: None, variables: &|name| std::env::var(name).ok() }
    }
}

impl Source<'_> {
    fn read(&self, node: Result<Node, SyntaxError>) -> Result<Config, SettingError> {
        let node = node.map_err(|SyntaxError { message, position }| {
            SettingError::new("", message).at(position).in_file(self.file)
        })?;
        let (positions, shown) = (Positions::new(), Shown::default());
        let mut checker = Checker { variables: self.variables, positions, shown };
        let section = checker.section(&node, keys::ROOT, "");
        let section = section.map_err(|error| error.in_file(self.file))?;
        let mut config = Config::empty(self.file, checker.positions, checker.shown);
        match config.fill(section) {
            Ok(()) => Ok(config),
            Err(error) => {
                let position = config.position(error.key());
                Err(error.at(position).in_file(self.file))
            }
        }
    }
}

impl Config {
    fn empty(file: Option<&Path>, positions: Positions, shown: Shown) -> Self {
        Self {
            production: false,
            optional_credentials: false,
            any_issuer_in_production: false,
            audience: Vec::new(),
            realm: None,
            resource_metadata: None,
            max_token_len: None,
            strategy_timeout: None,
            extract: ExtractSettings::default(),
            resource: None,
            issuers: Vec::new(),
            roles: RoleSettings::default(),
            static_tokens: Vec::new(),
            file: file.map(Path::to_owned),
            positions,
            shown,
            files_are_fixed: false,
        }
    }

    /// Returns the folder that file names are relative to.
    fn folder(&self) -> &Path {
        self.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""))
    }

    fn fill(&mut self, mut section: check::Section) -> Result<(), SettingError> {
        let folder = self.folder().to_owned();
        self.production = section.flag("production");
        self.optional_credentials = section.flag("optional_credentials");
        self.any_issuer_in_production = section.flag("dangerous_any_issuer_in_production");
        self.audience = section.texts("audience").unwrap_or_default();
        self.realm = section.text("realm");
        self.resource_metadata = section.text("resource_metadata");
        self.max_token_len = section.size("max_token_len");
        self.strategy_timeout = section.duration("strategy_timeout");
        if let Some(extract) = section.section("extract") {
            self.extract = read::extract(extract)?;
        }
        self.resource = section.section("resource").map(read::resource);
        for (index, issuer) in section.sections("issuer").into_iter().enumerate() {
            let path = format!("issuer[{index}]");
            self.issuers.push(read::issuer(issuer, &path, &folder)?);
        }
        if let Some(roles) = section.section("roles") {
            self.roles = read::roles(roles)?;
        }
        for (index, tokens) in section.sections("static_token").into_iter().enumerate() {
            let path = format!("static_token[{index}]");
            self.static_tokens.push(read::static_token(tokens, &path, &folder)?);
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        Source::default().read(Ok(node)).map_err(D::Error::custom)
    }
}
