//! JWK Sets.

use std::{borrow::Cow, error::Error, fs, path::Path};

use serde_json::Value;

use super::{FileError, JwkSetError, KeyError, VerificationKey};
use crate::json::{JsonError, Object};

/// How many keys of a set are used. Issuers publish a handful.
const MAX_KEYS: usize = 100;

/// How many skipped keys are reported.
const MAX_SKIPPED: usize = 1000;

/// The keys of a JWK Set that can be used, and why the others cannot ([RFC 7517 §5]).
///
/// Keys are parsed one by one: one that is unusable is skipped and never spoils the rest. Skipped
/// are keys of an unknown type, too short or not valid, meant for encryption, and any that carry
/// private or secret values. So are keys that repeat a member, because readers disagree on which one
/// counts ([RFC 7517 §4]), and those after the first 100 usable ones. At most 1,000 skipped keys are
/// reported.
///
/// # Examples
///
/// ```
/// use portcullis_jose::JwkSet;
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
/// [RFC 7517 §4]: https://www.rfc-editor.org/rfc/rfc7517#section-4
/// [RFC 7517 §5]: https://www.rfc-editor.org/rfc/rfc7517#section-5
#[derive(Clone, Debug)]
pub struct JwkSet {
    keys: Vec<VerificationKey>,
    skipped: Vec<SkippedKey>,
    /// How many keys come after the first 100 usable ones.
    beyond_limit: usize,
}

impl JwkSet {
    /// Reads the JSON text of a JWK Set.
    ///
    /// # Errors
    ///
    /// [`JwkSetError::Invalid`] if the text is not a JSON object with a list `keys`, or if that
    /// object repeats a member, and [`JwkSetError::NoUsableKey`], with the reason for each key, if none
    /// can be used.
    pub fn from_json(text: &str) -> Result<Self, JwkSetError> {
        match Members::read(text)? {
            Members::Keys(entries) => Self::read_each(&entries, VerificationKey::from_jwk_value),
            Members::Single(_) => Err(JwkSetError::invalid("it is a single JWK")),
        }
    }

    /// Reads a file that holds a JWK Set, or a single JWK, which counts as a set of one.
    ///
    /// # Errors
    ///
    /// [`FileError::Unreadable`] if the file cannot be read, and [`FileError::Unusable`] with an error
    /// of [`from_json`](Self::from_json).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, FileError> {
        read_file(path.as_ref(), |text| Self::from_json(&Self::text_of_set(text)))
    }

    /// Returns the text of a set of one for a text that is a single JWK, as files may hold it, and any other
    /// text unchanged.
    #[must_use]
    pub fn text_of_set(text: &str) -> Cow<'_, str> {
        match Members::read(text) {
            // As it is written: a value would have lost what is wrong with the text.
            Ok(Members::Single(_)) => {
                Cow::Owned(format!("{{\"keys\":[{}]}}", text.trim_start_matches(BYTE_ORDER_MARK)))
            }
            _ => Cow::Borrowed(text),
        }
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

    /// Returns how many keys come after the first 100 usable ones.
    #[must_use]
    pub fn beyond_limit(&self) -> usize {
        self.beyond_limit
    }

    pub(super) fn from_values(values: Vec<Value>) -> Result<Self, JwkSetError> {
        let entries: Vec<_> = values.into_iter().map(Entry::from).collect();
        Self::read_each(&entries, VerificationKey::from_jwk_value)
    }

    pub(super) fn read_each(
        entries: &[Entry],
        read: impl Fn(&Value) -> Result<VerificationKey, KeyError>,
    ) -> Result<Self, JwkSetError> {
        let mut set = Self { keys: Vec::new(), skipped: Vec::new(), beyond_limit: 0 };
        for (index, entry) in entries.iter().enumerate() {
            let key = if set.keys.len() == MAX_KEYS {
                set.beyond_limit = set.beyond_limit.saturating_add(1);
                Err(KeyError::unusable("only the first 100 usable keys of a set are used"))
            } else if entry.repeats_member {
                Err(KeyError::unusable(REPEATED))
            } else {
                read(&entry.value)
            };
            match key {
                Ok(key) => set.keys.push(key),
                Err(error) if set.skipped.len() < MAX_SKIPPED => {
                    set.skipped.push(SkippedKey::new(index, &entry.value, &error));
                }
                Err(_) => {}
            }
        }
        if set.keys.is_empty() {
            let reasons = set.skipped.iter().map(ToString::to_string).collect();
            return Err(JwkSetError::NoUsableKey { reasons });
        }
        Ok(set)
    }
}

const BYTE_ORDER_MARK: char = '\u{feff}';

const REPEATED: &str = "a member name is repeated";

/// What a document has.
pub(super) enum Members {
    Keys(Vec<Entry>),
    /// It has no `keys`, and is a key itself.
    Single(Entry),
}

/// What should be a JWK.
pub(super) struct Entry {
    value: Value,
    repeats_member: bool,
}

impl From<Value> for Entry {
    fn from(value: Value) -> Self {
        Self { value, repeats_member: false }
    }
}

impl Members {
    pub(super) fn read(text: &str) -> Result<Self, JwkSetError> {
        let text = text.trim_start_matches(BYTE_ORDER_MARK);
        let mut document: Value =
            serde_json::from_str(text).map_err(|error| JwkSetError::invalid(error.to_string()))?;
        // `serde_json` takes the last of several members with one name. Other readers take the first,
        // and could be shown other keys.
        let members = Object::parse(text).map_err(|error| match error {
            JsonError::DuplicateMember => JwkSetError::invalid(REPEATED),
            other => JwkSetError::invalid(other.reason()),
        })?;
        match document.get_mut("keys").map(Value::take) {
            Some(Value::Array(keys)) => Ok(Self::Keys(entries(keys, &members))),
            Some(_) => Err(JwkSetError::invalid("`keys` is not a list")),
            None if document.get("kty").is_some() => Ok(Self::Single(document.into())),
            None => Err(JwkSetError::invalid("no member `keys`")),
        }
    }
}

/// Adds to each key whether its text repeats a member.
fn entries(keys: Vec<Value>, members: &Object<'_>) -> Vec<Entry> {
    let mut repeats = Vec::with_capacity(keys.len());
    let visited = members.find("keys").and_then(|list| {
        list.each_element(|jwk| {
            repeats.push(jwk.read_object().is_some_and(|members| members.is_err()));
            Some(())
        })
    });
    debug_assert!(visited.is_some() && repeats.len() == keys.len(), "one text, read twice");
    let entry = |(value, repeats_member)| Entry { value, repeats_member };
    keys.into_iter().zip(repeats).map(entry).collect()
}

/// Reads a file and what it holds; errors name the file.
pub(crate) fn read_file<T, E: Error + Send + Sync + 'static>(
    path: &Path,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, FileError> {
    let text = fs::read_to_string(path).map_err(|error| FileError::unreadable(path, error))?;
    read(&text).map_err(|error| FileError::unusable(path, error))
}

/// A key of a JWK Set that cannot be used.
#[derive(Clone, Debug)]
pub struct SkippedKey {
    index: usize,
    key_id: Option<String>,
    reason: String,
}

impl SkippedKey {
    fn new(index: usize, value: &Value, error: &KeyError) -> Self {
        let key_id = value.get("kid").and_then(Value::as_str).map(ToOwned::to_owned);
        let reason = match error {
            KeyError::Unusable { reason } => reason.clone(),
            KeyError::PrivateKey { found } => format!("it has the private member `{found}`"),
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
