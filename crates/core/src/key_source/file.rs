//! Files of keys, read again when they change.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, TryLockError},
    time::Duration,
};

use aws_lc_rs::digest::{SHA256, digest};
use tokio::runtime::Handle;

use super::{KeyDocument, KeySource, KeySourceError, Loaded, RefreshPolicy, Validators};
use crate::{BoxFuture, ConfigError, VerificationKey};

/// How often a file is looked at. Its content is compared, so that it does not matter how it was
/// replaced: written in place, renamed over, or behind a symbolic link that moved.
const LOOK_EVERY: Duration = Duration::from_millis(2500);

/// The longest file, in bytes.
const MAX_LEN: u64 = 256 * 1024;

/// A JWK Set in a file that may change while the service runs.
#[derive(Clone, Debug)]
#[must_use]
pub struct JwkSetFile(KeyFile);

/// A public key or certificate in PEM, in a file that may change while the service runs.
#[derive(Clone, Debug)]
#[must_use]
pub struct PemFile(KeyFile);

#[derive(Debug)]
struct KeyFile {
    path: PathBuf,
    label: String,
    policy: RefreshPolicy,
    /// Held while a thread reads the file.
    reading: Arc<Mutex<()>>,
}

impl Clone for KeyFile {
    fn clone(&self) -> Self {
        let (path, label, policy) = (self.path.clone(), self.label.clone(), self.policy.clone());
        Self { path, label, policy, reading: Arc::default() }
    }
}

impl JwkSetFile {
    /// The file at this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(KeyFile::new(path.into()))
    }

    /// How often to look. Default: every 2 seconds, and the keys stay usable while the file cannot
    /// be read.
    pub fn refresh_policy(self, policy: RefreshPolicy) -> Self {
        Self(KeyFile { policy, ..self.0 })
    }
}

impl PemFile {
    /// The file at this path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(KeyFile::new(path.into()))
    }

    /// How often to look. Default: every 2 seconds, and the keys stay usable while the file cannot
    /// be read.
    pub fn refresh_policy(self, policy: RefreshPolicy) -> Self {
        Self(KeyFile { policy, ..self.0 })
    }
}

impl KeyFile {
    fn new(path: PathBuf) -> Self {
        let label = path.display().to_string();
        let policy = RefreshPolicy::default().min_refresh(LOOK_EVERY).refresh(LOOK_EVERY);
        Self { path, label, policy, reading: Arc::default() }
    }

    /// Reads the file in a thread where that may take its time: a file of a network may, and this
    /// runs among the requests of the application.
    async fn read(&self) -> Result<String, KeySourceError> {
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
        read: impl Fn(&str) -> Result<KeyDocument, ConfigError>,
    ) -> Result<Loaded, KeySourceError> {
        let text = self.read().await?;
        let hash = digest(&SHA256, text.as_bytes());
        let tag = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let validators = Validators { etag: Some(tag), last_modified: None };
        if known == Some(&validators) {
            return Ok(Loaded::NotModified(None));
        }
        let document = read(&text).map_err(|error| KeySourceError::new(error.to_string()))?;
        Ok(Loaded::Document(document.validators(Some(validators))))
    }
}

fn read_limited(path: &Path) -> Result<String, KeySourceError> {
    let failed = |error| KeySourceError::with_source("the file cannot be read", error);
    // Looked at first, because opening a pipe waits for its other end.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(KeySourceError::new("it is no regular file"));
    }
    // Limited while it is read, because it may grow, or have a length of zero as those of /proc do.
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_LEN + 1).read_to_string(&mut text).map_err(failed)?;
    if u64::try_from(text.len()).is_ok_and(|len| len <= MAX_LEN) {
        return Ok(text);
    }
    Err(KeySourceError::new(format!("the file is longer than {MAX_LEN} bytes")))
}

impl KeySource for JwkSetFile {
    fn label(&self) -> &str {
        &self.0.label
    }

    fn load<'a>(
        &'a self,
        known: Option<&'a Validators>,
    ) -> BoxFuture<'a, Result<Loaded, KeySourceError>> {
        Box::pin(self.0.load(known, KeyDocument::from_json))
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
        let read = |text: &str| VerificationKey::from_pem(text).map(|key| KeyDocument::new([key]));
        Box::pin(self.0.load(known, read))
    }

    fn refresh_policy(&self) -> RefreshPolicy {
        self.0.policy.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
