//! JWK Sets.

use std::{borrow::Cow, fs, path::Path};

use serde_json::Value;

use super::VerificationKey;
use crate::ConfigError;

/// How many keys a set may have. Issuers publish a handful.
const MAX_KEYS: usize = 100;

/// The keys of a JWK Set that can be used, and why the others cannot ([RFC 7517 §5]).
///
/// Keys are parsed one by one: one that is unusable is skipped and never spoils the rest. Skipped
/// are keys of an unknown type, too short or not valid, meant for encryption, and any that carry
/// private or secret values.
///
/// # Examples
///
/// ```
/// use portcullis::JwkSet;
///
/// let set = JwkSet::from_json(
///     r#"{"keys":[
///         {"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///         {"kty":"OKP","crv":"X25519","kid":"2","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
///     ]}"#,
/// )?;
/// assert_eq!(set.keys().len(), 1);
/// assert_eq!(set.skipped()[0].index(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [RFC 7517 §5]: https://www.rfc-editor.org/rfc/rfc7517#section-5
#[derive(Clone, Debug)]
pub struct JwkSet {
    keys: Vec<VerificationKey>,
    skipped: Vec<SkippedKey>,
}

impl JwkSet {
    /// Reads the JSON text of a JWK Set.
    ///
    /// # Errors
    ///
    /// [`ConfigError::InvalidJwkSet`] if the text is not a JSON object with a list `keys`, and
    /// [`ConfigError::NoUsableKey`], with the reason for each key, if none can be used.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        match Members::read(text)? {
            Members::Keys(keys) => Self::from_values(&keys),
            Members::Single(_) => {
                let reason = "it is a single JWK".to_owned();
                Err(ConfigError::InvalidJwkSet { reason })
            }
        }
    }

    /// Reads a file that holds a JWK Set, or a single JWK, which counts as a set of one.
    ///
    /// # Errors
    ///
    /// [`ConfigError::File`] if the file cannot be read, and [`ConfigError::InFile`] with an error
    /// of [`from_json`](Self::from_json).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        read_file(path.as_ref(), |text| Self::from_json(&as_set(text)))
    }

    /// Returns the keys that can be used, in the order of the document.
    #[must_use]
    pub fn keys(&self) -> &[VerificationKey] {
        &self.keys
    }

    /// Returns the keys that were skipped.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    pub(super) fn from_values(values: &[Value]) -> Result<Self, ConfigError> {
        Self::read_each(values, VerificationKey::from_jwk_value)
    }

    pub(super) fn read_each(
        values: &[Value],
        read: impl Fn(&Value) -> Result<VerificationKey, ConfigError>,
    ) -> Result<Self, ConfigError> {
        if values.len() > MAX_KEYS {
            let reason = format!("{} keys, and at most {MAX_KEYS} are read", values.len());
            return Err(ConfigError::InvalidJwkSet { reason });
        }
        let mut set = Self { keys: Vec::new(), skipped: Vec::new() };
        for (index, value) in values.iter().enumerate() {
            match read(value) {
                Ok(key) => set.keys.push(key),
                Err(error) => set.skipped.push(SkippedKey::new(index, value, &error)),
            }
        }
        if set.keys.is_empty() {
            let reasons = set.skipped.iter().map(ToString::to_string).collect();
            return Err(ConfigError::NoUsableKey { reasons });
        }
        Ok(set)
    }
}

/// Makes a set of one of a text that is a single JWK, as files may hold it.
pub(crate) fn as_set(text: &str) -> Cow<'_, str> {
    match Members::read(text) {
        Ok(Members::Single(jwk)) => Cow::Owned(format!("{{\"keys\":[{jwk}]}}")),
        _ => Cow::Borrowed(text),
    }
}

/// What a document has.
pub(super) enum Members {
    Keys(Vec<Value>),
    /// It has no `keys`, and is a key itself.
    Single(Value),
}

impl Members {
    pub(super) fn read(text: &str) -> Result<Self, ConfigError> {
        let invalid = |reason: &str| ConfigError::InvalidJwkSet { reason: reason.to_owned() };
        let mut document: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| invalid(&error.to_string()))?;
        match document.get_mut("keys").map(Value::take) {
            Some(Value::Array(keys)) => Ok(Self::Keys(keys)),
            Some(_) => Err(invalid("`keys` is not a list")),
            None if document.get("kty").is_some() => Ok(Self::Single(document)),
            None => Err(invalid("no member `keys`")),
        }
    }
}

/// Reads a file and what it holds; errors name the file.
pub(super) fn read_file<T>(
    path: &Path,
    read: impl FnOnce(&str) -> Result<T, ConfigError>,
) -> Result<T, ConfigError> {
    let text = fs::read_to_string(path)
        .map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
    read(&text)
        .map_err(|source| ConfigError::InFile { path: path.to_owned(), source: Box::new(source) })
}

/// A key of a JWK Set that cannot be used.
#[derive(Clone, Debug)]
pub struct SkippedKey {
    index: usize,
    key_id: Option<String>,
    reason: String,
}

impl SkippedKey {
    fn new(index: usize, value: &Value, error: &ConfigError) -> Self {
        let key_id = value.get("kid").and_then(Value::as_str).map(ToOwned::to_owned);
        let reason = match error {
            ConfigError::UnusableKey { reason } => reason.clone(),
            ConfigError::PrivateKey { found } => format!("it has the private member `{found}`"),
            other => other.to_string(),
        };
        Self { index, key_id, reason }
    }

    /// Returns the position in the document's list, from zero.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Returns the `kid`, if it is a string.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Returns why the key cannot be used.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl std::fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "key {}", self.index)?;
        if let Some(key_id) = &self.key_id {
            write!(f, " (kid {key_id:?})")?;
        }
        write!(f, ": {}", self.reason)
    }
}
