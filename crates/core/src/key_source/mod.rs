//! Keys that change while the service runs.
//!
//! A [`KeySource`] brings keys; the engine asks it on a schedule of its own, keeps what it brought,
//! and goes on with that through an outage. Requests read an immutable set behind one atomic
//! pointer: they never wait for a fetch while the key that they need is there.

#[cfg(feature = "remote")]
mod address;
mod bucket;
mod cached;
mod document;
mod driver;
mod error;
#[cfg(feature = "remote")]
mod fetch;
mod file;
mod issuer_keys;
mod missing_keys;
#[cfg(feature = "remote")]
mod public_url;
#[cfg(feature = "remote")]
mod remote;
mod schedule;
mod seen;
mod status;
mod tasks;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::{BoxFuture, NumericDate};

use cached::CachedSource;
pub(crate) use cached::{FetchEnd, FetchOver, Requested, any_over};
pub use document::{KeyDocument, Loaded, Validators};
pub use error::{KeySourceConfigError, KeySourceError};
#[cfg(feature = "remote")]
pub use fetch::{Fetch, FetchError, FetchRequest, FetchResponse, HttpFetch};
pub use file::{JwkSetFile, PemFile, SecretFile};
pub(crate) use issuer_keys::IssuerKeys;
pub(crate) use missing_keys::{Asked, MissingKey, OtherKeys};
#[cfg(feature = "remote")]
pub use remote::{RemoteJwkSet, TokenEndpoint, TokenEndpointRequest, retry_after, retry_after_of};
use schedule::KeyIdUse;
pub use schedule::RefreshPolicy;
pub use status::{KeyInfo, KeyStatus};
pub(crate) use tasks::SourceTasks;

/// A place that keys come from.
///
/// It only brings them: when it is asked, and what happens if it fails, is the engine's part. It is
/// never asked twice at once. A panic in it counts as a failure.
pub trait KeySource: fmt::Debug + Send + Sync {
    /// Returns the name that logs, metrics, errors and the status show, such as a URL. It must hold no
    /// secret.
    fn label(&self) -> &str;

    /// Returns what tells this source from others when a new engine takes its keys over from an old one.
    /// It is never shown. Default: the label.
    fn identity(&self) -> &str {
        self.label()
    }

    /// Brings the keys. `known` is what tells whether they have changed since the last time.
    fn load<'a>(
        &'a self,
        known: Option<&'a Validators>,
    ) -> BoxFuture<'a, Result<Loaded, KeySourceError>>;

    /// Checks what can be checked without asking anybody, such as the form of a URL, when an engine is
    /// built with the source. Default: nothing.
    ///
    /// # Errors
    ///
    /// A [`KeySourceConfigError`].
    fn check(&self) -> Result<(), KeySourceConfigError> {
        Ok(())
    }

    /// Returns keys to start with, and when they were good: such as those of a file that an earlier
    /// run has [exported](KeyStatus::json).
    fn seed(&self) -> Option<(KeyDocument, NumericDate)> {
        None
    }

    /// Returns how often to ask.
    fn refresh_policy(&self) -> RefreshPolicy {
        RefreshPolicy::default()
    }

    /// Returns how keys come here, which an engine for
    /// [production](crate::AuthenticatorBuilder::production) looks at. Default: protected.
    fn transport(&self) -> KeyTransport {
        KeyTransport::Protected
    }
}

/// How keys come here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyTransport {
    /// Nobody on the way can put other keys in: by https, or from a file.
    Protected,
    /// By plain http, from this very machine.
    Loopback,
    /// By plain http, from another machine.
    PlainHttp,
}
