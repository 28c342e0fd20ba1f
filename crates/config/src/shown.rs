//! What errors may show: texts as they were written, and never the value of a variable.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use portcullis::{
    ConfigError,
    error::{
        FileError, GrantMappingError, IssuerError, KeySourceConfigError, LocationError,
        ProductionError, RequirementError, ResourceError, VariableError,
    },
};

/// Replaces a text that contains a part of a variable's value.
const HIDDEN: &str = "***";

/// The shortest part of a value that is looked for, in characters. A shorter one says nothing.
const SHORTEST_PART: usize = 3;

/// The longest part of a value that is looked for, in characters.
const LONGEST_PART: usize = 16;

/// The texts of a configuration, as they were written and with the values of variables in them.
#[derive(Clone, Default)]
pub(crate) struct Shown {
    /// How a text was written, by the text with values in it.
    written: BTreeMap<String, String>,
    /// Values of variables and their parts, in lower case. Errors can hold them in another form than they
    /// were given: without a password, say, or percent-encoded.
    parts: BTreeSet<String>,
}

impl Shown {
    /// Remembers a text, and the values of the variables in it.
    pub(crate) fn add(&mut self, written: &str, expanded: &str, values: &[String]) {
        if !values.is_empty() || !self.written.contains_key(expanded) {
            self.written.insert(expanded.to_owned(), written.to_owned());
        }
        for value in values.iter().filter(|value| !value.is_empty()) {
            let value = value.to_lowercase();
            // Short ones, because an error can hold the beginning of a long one.
            let words = value.split(|char: char| !char.is_alphanumeric());
            let parts = words.flat_map(|word| {
                let chars: Vec<_> = word.chars().collect();
                chars.chunks(LONGEST_PART).map(String::from_iter).collect::<Vec<_>>()
            });
            let before = self.parts.len();
            self.parts.extend(parts.filter(|part| part.chars().count() >= SHORTEST_PART));
            if self.parts.len() == before {
                self.parts.insert(value);
            }
        }
    }

    /// Returns whether a text holds a part of a variable's value.
    pub(crate) fn is_secret(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.parts.iter().any(|part| text.contains(part.as_str()))
    }

    /// Returns a text as it was written, if it is one of the configuration; otherwise as it is, unless it
    /// holds a part of a variable's value.
    fn text(&self, text: String) -> String {
        match self.written.get(&text) {
            Some(written) => written.clone(),
            None if self.is_secret(&text) => HIDDEN.to_owned(),
            None => text,
        }
    }

    fn path(&self, path: PathBuf, folder: &Path) -> PathBuf {
        let named = path.strip_prefix(folder).unwrap_or(&path).to_str();
        match named.and_then(|named| self.written.get(named)) {
            Some(written) => PathBuf::from(written),
            None if self.is_secret(&path.to_string_lossy()) => PathBuf::from(HIDDEN),
            None => path,
        }
    }

    /// Takes the values of variables out of an error. File names are relative to the folder.
    pub(crate) fn error(&self, error: ConfigError, folder: &Path) -> ConfigError {
        use ConfigError as E;

        if self.parts.is_empty() {
            return error;
        }
        let text = |hidden: String| self.text(hidden);
        match error {
            E::Issuer(error) => self.issuer(error).into(),
            E::Location(error) => self.location(error).into(),
            E::Requirement(RequirementError::UntrustedIssuer { issuer }) => {
                RequirementError::UntrustedIssuer { issuer: text(issuer) }.into()
            }
            E::GrantMapping(error) => self.grant_mapping(error).into(),
            E::Resource(error) => self.resource(error).into(),
            E::KeySource(error) => self.key_source(error).into(),
            E::Variable(VariableError::Missing { variable }) => {
                VariableError::Missing { variable: text(variable) }.into()
            }
            E::Production(error) => self.production(error).into(),
            E::KeysWouldBeLost(not_ready) => E::KeysWouldBeLost(not_ready.with_texts(text)),
            E::RevocationsNotLoaded(not_ready) => {
                E::RevocationsNotLoaded(not_ready.with_texts(text))
            }
            E::File(error) => self.file(error, folder).into(),
            other => other,
        }
    }

    fn issuer(&self, error: IssuerError) -> IssuerError {
        use IssuerError as E;

        let text = |hidden: String| self.text(hidden);
        match error {
            E::NoName => E::NoName,
            E::Duplicate { issuer } => E::Duplicate { issuer: text(issuer) },
            E::NoAudience { issuer } => E::NoAudience { issuer: text(issuer) },
            E::NoKeys { issuer } => E::NoKeys { issuer: text(issuer) },
            E::NoKeyForAlgorithms { issuer } => E::NoKeyForAlgorithms { issuer: text(issuer) },
            E::EmptySetting { issuer, setting } => {
                E::EmptySetting { issuer: text(issuer), setting }
            }
            E::NoReplayStore { issuer } => E::NoReplayStore { issuer: text(issuer) },
            E::OneTimeWithoutExpiry { issuer } => E::OneTimeWithoutExpiry { issuer: text(issuer) },
            E::RequiredClaim(error) => E::RequiredClaim(error.with_path(text)),
            other => other,
        }
    }

    fn location(&self, error: LocationError) -> LocationError {
        use LocationError as E;

        let text = |hidden: String| self.text(hidden);
        match error {
            E::NoLocations => E::NoLocations,
            E::Duplicate { name } => E::Duplicate { name: text(name) },
            E::InvalidName { name } => E::InvalidName { name: text(name) },
            E::BoundSource { name } => E::BoundSource { name: text(name) },
            E::UntrustedIssuer { issuer } => E::UntrustedIssuer { issuer: text(issuer) },
            other => other,
        }
    }

    fn grant_mapping(&self, error: GrantMappingError) -> GrantMappingError {
        use GrantMappingError as E;

        let text = |hidden: String| self.text(hidden);
        match error {
            E::InvalidClaimPath(error) => E::InvalidClaimPath(error.with_path(text)),
            E::InvalidPattern { pattern, reason } => {
                E::InvalidPattern { pattern: text(pattern), reason: text(reason) }
            }
            other => other,
        }
    }

    fn resource(&self, error: ResourceError) -> ResourceError {
        use ResourceError as E;

        match error {
            E::InvalidIdentifier { resource, reason } => {
                E::InvalidIdentifier { resource: self.text(resource), reason }
            }
            E::InvalidMetadata { parameter, reason } => {
                E::InvalidMetadata { parameter, reason: self.text(reason) }
            }
            other => other,
        }
    }

    fn key_source(&self, error: KeySourceConfigError) -> KeySourceConfigError {
        use KeySourceConfigError as E;

        match error {
            E::InvalidLocation { reason } => E::InvalidLocation { reason: self.text(reason) },
            E::RemoteFile { uri } => E::RemoteFile { uri: self.text(uri) },
            other => other,
        }
    }

    fn file(&self, error: FileError, folder: &Path) -> FileError {
        match error {
            FileError::Unreadable { path, source } => {
                FileError::unreadable(self.path(path, folder), source)
            }
            // The content of a file is not that of a variable.
            FileError::Unusable { path, source } => {
                let path = self.path(path, folder);
                match source.downcast::<ProductionError>() {
                    Ok(error) => FileError::unusable(path, self.production(*error)),
                    Err(other) => FileError::unusable(path, other),
                }
            }
            other => other,
        }
    }

    fn production(&self, error: ProductionError) -> ProductionError {
        use ProductionError as E;

        let text = |hidden: String| self.text(hidden);
        match error {
            E::AnyAudience { issuer } => E::AnyAudience { issuer: text(issuer) },
            E::AnyIssuer { name } => E::AnyIssuer { name: text(name) },
            E::PlainHttp { issuer, source } => {
                E::PlainHttp { issuer: text(issuer), source: text(source) }
            }
            E::ShortSecret { issuer } => E::ShortSecret { issuer: text(issuer) },
            E::UnlimitedStaleness { issuer, source } => {
                E::UnlimitedStaleness { issuer: text(issuer), source: text(source) }
            }
            E::ShortToken { name } => E::ShortToken { name: text(name) },
            other => other,
        }
    }
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shown(***)")
    }
}
