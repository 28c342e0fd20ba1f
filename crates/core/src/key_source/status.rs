//! What operators see of a source.

use crate::{Algorithm, NumericDate, SkippedKey, VerificationKey};

/// The state of one source of keys, at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyStatus {
    /// The issuer that the keys are for.
    pub issuer: String,
    /// The source: its URL or file.
    pub source: String,
    /// Whether the keys can be used: they came once, and are not too old.
    pub usable: bool,
    /// When the source last answered with keys.
    pub last_success: Option<NumericDate>,
    /// Why the last attempt failed, if it did, with what is behind it: 1 KiB at most.
    pub last_error: Option<String>,
    /// How many attempts in a row have failed.
    pub failures: u32,
    /// When the source is asked next.
    pub next_due: NumericDate,
    /// The keys.
    pub keys: Vec<KeyInfo>,
    /// The keys that were skipped, and why.
    pub skipped: Vec<SkippedKey>,
    /// The document as it came, to start with after a restart.
    pub json: Option<String>,
}

/// One key of a source.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyInfo {
    /// The key id.
    pub key_id: Option<String>,
    /// The type: its `kty`, such as `RSA` ([RFC 7517 §4.1]). Every key has algorithms, and they are
    /// all of one type.
    ///
    /// [RFC 7517 §4.1]: https://www.rfc-editor.org/rfc/rfc7517#section-4.1
    pub key_type: Option<&'static str>,
    /// The algorithms that it may be used with.
    pub algorithms: Vec<Algorithm>,
    /// The thumbprint ([RFC 7638]), where the key came as a JWK.
    ///
    /// [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
    pub thumbprint: Option<String>,
}

impl From<&VerificationKey> for KeyInfo {
    fn from(key: &VerificationKey) -> Self {
        Self {
            key_id: key.id().map(ToOwned::to_owned),
            key_type: key.algorithms().next().map(Algorithm::key_type),
            algorithms: key.algorithms().collect(),
            thumbprint: key.thumbprint().map(ToOwned::to_owned),
        }
    }
}
