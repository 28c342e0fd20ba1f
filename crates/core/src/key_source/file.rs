//! Files of keys, read again when they change.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, TryLockError},
    time::Duration,
};

use tokio::runtime::Handle;

use super::{KeyDocument, KeySource, KeySourceError, Loaded, RefreshPolicy, Validators};
use crate::Algorithm;
use crate::{
    BoxFuture, FileError, JwkSet, KeyError, NumericDate, VerificationKey,
    file::{self, Content},
};

/// How often a file is looked at. Its content is compared, so that it does not matter how it was
/// replaced: written in place, renamed over, or behind a symbolic link that moved.
const LOOK_EVERY: Duration = Duration::from_millis(2500);

/// A JWK Set, or a single JWK, in a file that may change while the service runs.
#[derive(Clone, Debug)]
#[must_use]
pub struct JwkSetFile(KeyFile);

/// A public key or certificate in PEM, in a file that may change while the service runs.
#[derive(Clone, Debug)]
#[must_use]
pub struct PemFile(KeyFile);

/// A shared secret, in a file that may change while the service runs: its bytes, less one final newline.
///
/// Half of a secret is a secret, so a change is adopted only after two looks, at least a second apart, have
/// found the same content.
#[derive(Debug)]
#[must_use]
pub struct SecretFile {
    file: KeyFile,
    keys: SecretKeys,
    /// The path and the settings: the same bytes make other keys by other settings.
    identity: String,
}

/// Makes the keys of a secret.
#[derive(Clone, Debug)]
struct SecretKeys {
    algorithms: Vec<Algorithm>,
    /// Whether the secret may be shorter than the hash.
    short: bool,
}

#[derive(Debug)]
struct KeyFile {
    path: PathBuf,
    label: String,
    policy: RefreshPolicy,
    /// What it held when the program started.
    first: Option<KeyDocument>,
    /// Held while a thread reads the file.
    reading: Arc<Mutex<()>>,
}

/// What is wrong with the content of a file: a [`KeyError`] or a [`JwkSetError`](crate::JwkSetError).
type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Clone for KeyFile {
    fn clone(&self) -> Self {
        let (path, label, policy) = (self.path.clone(), self.label.clone(), self.policy.clone());
        Self { path, label, policy, first: self.first.clone(), reading: Arc::default() }
    }
}

impl JwkSetFile {
    /// The file at this path. It is read when keys are first needed.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(KeyFile::new(path.into()))
    }

    /// The file at this path, read now too, so that its keys are there from the first request on and
    /// a mistake in it shows at the start.
    ///
    /// # Errors
    ///
    /// [`FileError::Unreadable`] if it cannot be read, and [`FileError::Unusable`] if it holds no usable
    /// key.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self, FileError> {
        Ok(Self(KeyFile::read_first(path.into(), set_document)?))
    }

    /// How often to look. Default: every 2 seconds, and the keys stay usable while the file cannot
    /// be read.
    pub fn refresh_policy(self, policy: RefreshPolicy) -> Self {
        Self(KeyFile { policy, ..self.0 })
    }
}

impl PemFile {
    /// The file at this path. It is read when keys are first needed.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(KeyFile::new(path.into()))
    }

    /// The file at this path, read now too, so that its keys are there from the first request on and
    /// a mistake in it shows at the start.
    ///
    /// # Errors
    ///
    /// [`FileError::Unreadable`] if it cannot be read, and [`FileError::Unusable`] if it holds no usable
    /// key.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self, FileError> {
        Ok(Self(KeyFile::read_first(path.into(), pem_document)?))
    }

    /// How often to look. Default: every 2 seconds, and the keys stay usable while the file cannot
    /// be read.
    pub fn refresh_policy(self, policy: RefreshPolicy) -> Self {
        Self(KeyFile { policy, ..self.0 })
    }
}

impl SecretFile {
    /// Reads the file now, so that a mistake in it shows at the start. The secret makes one key for each of
    /// the HMAC algorithms.
    ///
    /// # Errors
    ///
    /// [`FileError::Unreadable`] if it cannot be read, and [`FileError::Unusable`] if the secret is shorter than
    /// the hash ([RFC 7518 §3.2]), is a public key, or if an algorithm is not an HMAC.
    ///
    /// [RFC 7518 §3.2]: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
    pub fn read<I: IntoIterator<Item = Algorithm>>(
        path: impl Into<PathBuf>,
        algorithms: I,
    ) -> Result<Self, FileError> {
        Self::read_keys(
            path.into(),
            SecretKeys { algorithms: Vec::from_iter(algorithms), short: false },
        )
    }

    /// As [`read`](Self::read), and accepts a secret that is shorter than the hash.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), apart from the length.
    ///
    /// # Security
    ///
    /// Anyone who has one token can guess a short secret, and sign tokens of their own with it.
    pub fn dangerous_read_short<I: IntoIterator<Item = Algorithm>>(
        path: impl Into<PathBuf>,
        algorithms: I,
    ) -> Result<Self, FileError> {
        Self::read_keys(
            path.into(),
            SecretKeys { algorithms: Vec::from_iter(algorithms), short: true },
        )
    }

    fn read_keys(path: PathBuf, keys: SecretKeys) -> Result<Self, FileError> {
        let file = KeyFile::read_first(path, |secret| keys.document(secret))?;
        // What was long is not replaced by what is short: production has accepted it as long.
        let is_short =
            file.first.iter().flat_map(|first| &*first.keys).any(VerificationKey::is_short);
        let keys = SecretKeys { short: keys.short && is_short, ..keys };
        let identity = format!("{} {:?} {}", file.label, keys.algorithms, keys.short);
        Ok(Self { file, keys, identity })
    }

    /// Returns the keys that the file held when it was read.
    pub fn keys(&self) -> impl Iterator<Item = &VerificationKey> {
        self.file.first.iter().flat_map(|first| &*first.keys)
    }

    /// How often to look. Default: every 2.5 seconds, and the keys stay usable while the file cannot
    /// be read.
    pub fn refresh_policy(self, policy: RefreshPolicy) -> Self {
        Self { file: KeyFile { policy, ..self.file }, ..self }
    }
}

impl SecretKeys {
    /// Makes a key for each algorithm of a secret.
    fn of(&self, secret: &[u8]) -> Result<Vec<VerificationKey>, KeyError> {
        let key = |&algorithm| match self.short {
            true => VerificationKey::dangerous_from_short_secret(secret, algorithm),
            false => VerificationKey::from_secret(secret, algorithm),
        };
        self.algorithms.iter().map(key).collect()
    }

    /// Reads a file: the bytes as they are, less one final newline, which editors add.
    fn document(&self, secret: &[u8]) -> Result<KeyDocument, BoxError> {
        let secret = secret.strip_suffix(b"\n").unwrap_or(secret);
        Ok(KeyDocument::new(self.of(secret)?).settling())
    }
}

impl KeyFile {
    fn new(path: PathBuf) -> Self {
        let label = path.display().to_string();
        let policy = RefreshPolicy::default().min_refresh(LOOK_EVERY).refresh(LOOK_EVERY);
        Self { path, label, policy, first: None, reading: Arc::default() }
    }

    fn read_first(
        path: PathBuf,
        read: impl Fn(&[u8]) -> Result<KeyDocument, BoxError>,
    ) -> Result<Self, FileError> {
        let content = file::read(&path)?;
        let document = read(&content.data);
        let first = document
            .map_err(|error| FileError::unusable(&path, error))?
            .validators(Some(validators(&content)));
        Ok(Self { first: Some(first), ..Self::new(path) })
    }

    /// Returns what was read first. It was good when the engine was built, whatever its clock says:
    /// no date of a seed is later than that.
    fn seed(&self) -> Option<(KeyDocument, NumericDate)> {
        self.first.clone().map(|document| (document, NumericDate::from_seconds(i64::MAX)))
    }

    /// Reads the file in a thread where that may take its time: a file of a network may, and this
    /// runs among the requests of the application.
    async fn read(&self) -> Result<Content<Vec<u8>>, KeySourceError> {
        let (path, reading) = (self.path.clone(), Arc::clone(&self.reading));
        let read = move || {
            // A thread that hangs cannot be ended, and must not be joined by more and more of them.
            let held = reading.try_lock();
            if matches!(held, Err(TryLockError::WouldBlock)) {
                return Err(KeySourceError::new("the file is still being read"));
            }
            read_limited(&path)
        };
        match Handle::try_current() {
            Ok(runtime) => runtime.spawn_blocking(read).await.unwrap_or_else(|error| {
                Err(KeySourceError::with_source("the file was not read", error))
            }),
            // Somebody asks the source without an engine.
            Err(_) => read(),
        }
    }

    async fn load(
        &self,
        known: Option<&Validators>,
        read: impl Fn(&[u8]) -> Result<KeyDocument, BoxError>,
    ) -> Result<Loaded, KeySourceError> {
        let content = self.read().await?;
        let validators = validators(&content);
        if known.is_some_and(|known| known.etag == validators.etag) {
            return Ok(Loaded::NotModified(None));
        }
        let document =
            read(&content.data).map_err(|error| KeySourceError::new(error.to_string()))?;
        Ok(Loaded::Document(document.validators(Some(validators))))
    }
}

/// Returns what distinguishes one content of a file from another, and one look at it from another.
fn validators(content: &Content<Vec<u8>>) -> Validators {
    let stamp = &content.stamp;
    Validators { etag: Some(stamp.hex()), last_modified: Some(stamp.version()) }
}

fn text(data: &[u8]) -> Result<&str, KeyError> {
    let reason = "it is not UTF-8".to_owned();
    std::str::from_utf8(data).map_err(|_| KeyError::Unusable { reason })
}

fn set_document(data: &[u8]) -> Result<KeyDocument, BoxError> {
    Ok(KeyDocument::from_json(&JwkSet::text_of_set(text(data)?))?)
}

fn pem_document(data: &[u8]) -> Result<KeyDocument, BoxError> {
    Ok(KeyDocument::new([VerificationKey::from_pem(text(data)?)?]))
}

fn read_limited(path: &Path) -> Result<Content<Vec<u8>>, KeySourceError> {
    file::read(path).map_err(|error| match error {
        FileError::Unreadable { source, .. } if source.kind() == ErrorKind::Other => {
            KeySourceError::new(source.to_string())
        }
        FileError::Unreadable { source, .. } => {
            KeySourceError::with_source("the file cannot be read", source)
        }
        other => KeySourceError::new(other.to_string()),
    })
}

impl KeySource for JwkSetFile {
    fn label(&self) -> &str {
        &self.0.label
    }

    fn load<'a>(
        &'a self,
        known: Option<&'a Validators>,
    ) -> BoxFuture<'a, Result<Loaded, KeySourceError>> {
        Box::pin(self.0.load(known, set_document))
    }

    fn seed(&self) -> Option<(KeyDocument, NumericDate)> {
        self.0.seed()
    }

    fn refresh_policy(&self) -> RefreshPolicy {
        self.0.policy.clone()
    }
}

impl KeySource for PemFile {
    fn label(&self) -> &str {
        &self.0.label
    }

    fn load<'a>(
        &'a self,
        known: Option<&'a Validators>,
    ) -> BoxFuture<'a, Result<Loaded, KeySourceError>> {
        Box::pin(self.0.load(known, pem_document))
    }

    fn seed(&self) -> Option<(KeyDocument, NumericDate)> {
        self.0.seed()
    }

    fn refresh_policy(&self) -> RefreshPolicy {
        self.0.policy.clone()
    }
}

impl KeySource for SecretFile {
    fn label(&self) -> &str {
        &self.file.label
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    fn load<'a>(
        &'a self,
        known: Option<&'a Validators>,
    ) -> BoxFuture<'a, Result<Loaded, KeySourceError>> {
        Box::pin(self.file.load(known, |secret| self.keys.document(secret)))
    }

    fn seed(&self) -> Option<(KeyDocument, NumericDate)> {
        self.file.seed()
    }

    fn refresh_policy(&self) -> RefreshPolicy {
        self.file.policy.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    #[cfg(feature = "remote")]
    use crate::KeySourceConfigError;

    #[test]
    fn a_file_that_is_read_at_the_start_has_its_keys_at_once() {
        let folder = std::env::temp_dir().join(format!("portcullis-file-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("keys.json");
        fs::write(&path, r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#).unwrap();
        let issuer = crate::Issuer::new("a").key_source(JwkSetFile::read(&path).unwrap());
        let auth = crate::Authenticator::builder().issuer(issuer).audience("b").build().unwrap();
        assert!(auth.health().is_ok());
        fs::write(&path, "{}").unwrap();
        let error = JwkSetFile::read(&path).unwrap_err().to_string();
        assert_eq!(error, format!("cannot use `{}`", path.display()));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[cfg(feature = "remote")]
    #[test]
    fn a_set_may_be_at_a_uri_of_either_kind() {
        let at = |uri| crate::Issuer::new("a").jwk_set_at(uri, RefreshPolicy::default());
        for uri in ["file:///keys.json", "file://localhost/keys.json", "https://idp.test/keys"] {
            let shown = format!("{:?}", at(uri).unwrap());
            assert_eq!(shown.contains("JwkSetFile"), uri.starts_with("file"), "{shown}");
            assert_eq!(shown.contains("RemoteJwkSet"), uri.starts_with("https"), "{shown}");
        }
        for uri in ["file://elsewhere/keys.json", "FILE://elsewhere/keys.json"] {
            let expected = format!("file URI with remote host is not supported: {uri}");
            assert_eq!(at(uri).unwrap_err().to_string(), expected);
        }
        for uri in ["", "keys.json", "/keys.json", "http://idp.test/keys", "ftp://idp.test/keys"] {
            let error = at(uri).unwrap_err();
            assert!(matches!(error, KeySourceConfigError::InvalidLocation { .. }), "{error}");
        }
    }

    #[test]
    fn a_file_that_hangs_holds_one_thread_and_not_more() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let error = |file: &JwkSetFile| {
            runtime.block_on(file.load(None)).map(|_| ()).unwrap_err().to_string()
        };
        let file = JwkSetFile::new("/dev/null");
        let hangs = file.0.reading.lock().unwrap();
        assert_eq!(error(&file), "the file is still being read");
        // Another source of the same file reads for itself.
        assert_eq!(error(&file.clone()), "it is no regular file");
        drop(hangs);
        assert_eq!(error(&file), "it is no regular file");
    }
}
