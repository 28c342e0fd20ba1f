//! The error of one rejected request.

use std::{error::Error, fmt, sync::Arc, time::Duration};

#[cfg(feature = "tracing")]
use super::OneLine;
use super::StepUp;
use crate::AuthErrorKind;

/// A rejected request: a kind for programs, a cause for logs, and nothing of the token.
///
/// What a caller is told is made from the kind alone, by
/// [`Challenge::from`](crate::adapter::Challenge#impl-From<%26AuthError>-for-Challenge).
/// Cloning never allocates.
#[derive(Clone, Debug)]
pub struct AuthError {
    kind: AuthErrorKind,
    cause: Option<Cause>,
    missing_scope: Option<Arc<str>>,
    step_up: Option<Arc<StepUp>>,
    #[cfg(feature = "tracing")]
    fingerprint: Option<Arc<str>>,
}

impl AuthError {
    /// Creates an error of this kind whose cause is another error, for logs.
    #[must_use]
    pub fn with_source(
        kind: AuthErrorKind,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let cause = Cause::Error(Arc::from(source.into()));
        Self::new(kind, Some(cause), None)
    }

    /// Creates an error of kind [`AuthErrorKind::InsufficientScope`] that names the scope needed,
    /// as one or more scope tokens with spaces between.
    #[must_use]
    pub fn insufficient_scope(scope: impl Into<Arc<str>>) -> Self {
        Self::new(AuthErrorKind::InsufficientScope, None, Some(scope.into()))
    }

    /// Creates an error of kind [`AuthErrorKind::ReauthenticationRequired`] that says what kind of
    /// login is needed ([RFC 9470 §3]): one of these authentication context classes, with spaces
    /// between, or one that is no longer ago than this, or both.
    ///
    /// [RFC 9470 §3]: https://www.rfc-editor.org/rfc/rfc9470#section-3
    #[must_use]
    pub fn reauthentication_required(acr_values: Option<&str>, max_age: Option<Duration>) -> Self {
        Self::stepping_up(Arc::new(StepUp { acr_values: acr_values.map(Arc::from), max_age }))
    }

    pub(crate) fn stepping_up(step_up: Arc<StepUp>) -> Self {
        Self { step_up: Some(step_up), ..AuthErrorKind::ReauthenticationRequired.into() }
    }

    const fn new(
        kind: AuthErrorKind,
        cause: Option<Cause>,
        missing_scope: Option<Arc<str>>,
    ) -> Self {
        Self {
            kind,
            cause,
            missing_scope,
            step_up: None,
            #[cfg(feature = "tracing")]
            fingerprint: None,
        }
    }

    /// Names the token in logs, by a hash over the whole of it: made only where someone listens.
    #[cfg(feature = "tracing")]
    pub(crate) fn about(self, token: &crate::BearerToken<'_>) -> Self {
        if tracing::enabled!(target: "portcullis::rejection", tracing::Level::DEBUG) {
            return Self { fingerprint: Some(token.fingerprint().into()), ..self };
        }
        self
    }

    /// Nobody listens.
    #[cfg(not(feature = "tracing"))]
    pub(crate) fn about(self, _: &crate::BearerToken<'_>) -> Self {
        self
    }

    /// Tells log and metrics that a request was rejected: one event, target `portcullis::rejection`, level
    /// debug, with the fields `code`, `token` (a [fingerprint](crate::adapter::BearerToken::fingerprint))
    /// and `cause`, in one line whatever it tells. An [internal error](AuthErrorKind::InternalError) is told as an error too, target
    /// `portcullis`.
    ///
    /// Adapters call it once for each request that they reject. Without the feature `tracing` it
    /// does nothing.
    pub fn report(&self) {
        crate::metrics::rejected(self.kind.code());
        if self.kind == AuthErrorKind::InternalError {
            self.report_fault();
        }
        #[cfg(feature = "tracing")]
        tracing::debug!(
            target: "portcullis::rejection",
            code = self.kind.code(),
            token = self.fingerprint.as_deref(),
            cause = self.source().map(OneLine).map(tracing::field::display),
            "request rejected"
        );
    }

    /// Tells the log of a fault of the application.
    #[cfg_attr(
        not(feature = "tracing"),
        expect(clippy::unused_self, reason = "without a log there is nothing to tell")
    )]
    pub(crate) fn report_fault(&self) {
        #[cfg(feature = "tracing")]
        tracing::error!(
            target: "portcullis",
            cause = self.source().map(OneLine).map(tracing::field::display),
            "the application has a fault"
        );
    }

    /// Creates an error with a fixed reason, without allocating.
    pub(crate) const fn because(kind: AuthErrorKind, reason: &'static str) -> Self {
        Self::new(kind, Some(Cause::Reason(Reason(reason))), None)
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> AuthErrorKind {
        self.kind
    }

    pub(crate) fn missing_scope_shared(&self) -> Option<Arc<str>> {
        self.missing_scope.clone()
    }

    pub(crate) fn step_up(&self) -> Option<&Arc<StepUp>> {
        self.step_up.as_ref()
    }

    /// Returns the authentication context classes of which the login needs one, with spaces between
    /// ([RFC 9470 §3]).
    ///
    /// [RFC 9470 §3]: https://www.rfc-editor.org/rfc/rfc9470#section-3
    #[must_use]
    pub fn acr_values(&self) -> Option<&str> {
        self.step_up.as_ref()?.acr_values.as_deref()
    }

    /// Returns how long ago the login may be ([RFC 9470 §3]).
    ///
    /// [RFC 9470 §3]: https://www.rfc-editor.org/rfc/rfc9470#section-3
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        self.step_up.as_ref()?.max_age
    }

    /// Returns the scope that the handler needs, where its rule is made of scopes.
    #[must_use]
    pub fn missing_scope(&self) -> Option<&str> {
        self.missing_scope.as_deref()
    }
}

impl From<AuthErrorKind> for AuthError {
    fn from(kind: AuthErrorKind) -> Self {
        Self::new(kind, None, None)
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl Error for AuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self.cause.as_ref()? {
            Cause::Reason(reason) => Some(reason),
            Cause::Error(error) => Some(error.as_ref()),
        }
    }
}

#[derive(Clone, Debug)]
enum Cause {
    Reason(Reason),
    Error(Arc<dyn Error + Send + Sync>),
}

/// A fixed text as an error.
#[derive(Clone, Copy, Debug)]
struct Reason(&'static str);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Reason {}
