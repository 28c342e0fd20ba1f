//! Settings of the store.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use portcullis::revocation::StoreError;
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

use crate::{
    RedisStore,
    error::unusable,
    link::{Link, Target},
    notify::{self, Notifier},
    store::key,
};

/// When the answer to a command is overdue and the connection is made again.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);
const DEFAULT_PREFIX: &str = "portcullis";

/// Settings of a [`RedisStore`].
#[must_use]
pub struct RedisStoreBuilder {
    url: Box<str>,
    prefix: Box<str>,
    password_file: Option<PathBuf>,
    replicas: u32,
}

impl RedisStoreBuilder {
    pub(crate) fn new(url: &str) -> Self {
        Self { url: url.into(), prefix: DEFAULT_PREFIX.into(), password_file: None, replicas: 0 }
    }

    /// Sets what the names of all keys start with, in braces: `{prefix}:log`. Default: `portcullis`.
    ///
    /// Services with the same prefix share their revocations and used tokens.
    pub fn key_prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Reads the password from a file, without the line break at its end. The file is read for each new
    /// connection, so that the password can be replaced.
    pub fn password_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.password_file = Some(path.into());
        self
    }

    /// Sets how many replicas of Redis must acknowledge each revocation and each use of a token, by `WAIT`,
    /// within one second. Default: 0.
    ///
    /// If fewer acknowledge, the call fails although the primary server has the data. A failover can still
    /// lose data that was acknowledged: `WAIT` does not make Redis consistent, it makes a loss less likely.
    pub fn wait_for_replicas(mut self, replicas: u32) -> Self {
        self.replicas = replicas;
        self
    }

    /// Creates the store, without connecting.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Unusable`](portcullis::revocation::StoreErrorKind::Unusable) if the URL or the
    /// prefix is invalid, or if the URL needs the feature `tls` and the crate is built without it.
    pub fn build(self) -> Result<RedisStore, StoreError> {
        check_prefix(&self.prefix)?;
        let info = parse_url(&self.url)?;
        let target = Arc::new(Target { info, password_file: self.password_file });
        let link = || Link::new(Arc::clone(&target), RESPONSE_TIMEOUT);
        let notifying = Link::new(Arc::clone(&target), notify::RESPONSE_TIMEOUT);
        let notifier = Notifier::new(notifying, key(&self.prefix, "log"));
        Ok(RedisStore::new(&self.prefix, self.replicas, link(), link(), notifier))
    }
}

/// Braces in a prefix would change which part of a key selects its slot in a cluster.
fn check_prefix(prefix: &str) -> Result<(), StoreError> {
    let is_valid = !prefix.is_empty() && prefix.len() <= 128 && !prefix.contains(['{', '}']);
    if is_valid {
        return Ok(());
    }
    Err(unusable("a key prefix of Redis has 1 to 128 bytes and no braces"))
}

/// Reads the URL. Its text is not repeated in the error: it may have a password.
fn parse_url(url: &str) -> Result<ConnectionInfo, StoreError> {
    prepare_tls(url)?;
    let info = url.into_connection_info().map_err(|_| {
        unusable("the URL of Redis is invalid; help: `redis://user:password@host:port/database`")
    })?;
    if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
        return Err(unusable(
            "the URL of Redis turns off the verification of certificates; help: remove `#insecure`",
        ));
    }
    Ok(info)
}

fn prepare_tls(url: &str) -> Result<(), StoreError> {
    if !["rediss:", "valkeys:"].iter().any(|scheme| url.starts_with(scheme)) {
        return Ok(());
    }
    #[cfg(not(feature = "tls"))]
    return Err(unusable("a `rediss://` URL of Redis needs the feature `tls` of portcullis-redis"));
    #[cfg(feature = "tls")]
    {
        // `redis` uses the cryptography that is the default of the process. The application's choice is
        // kept. An error means that another thread was faster.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        }
        Ok(())
    }
}

impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("url", &"***")
            .field("key_prefix", &self.prefix)
            .field("password_file", &self.password_file)
            .field("wait_for_replicas", &self.replicas)
            .finish()
    }
}
