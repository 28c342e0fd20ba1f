//! A rejected request, as plain data.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    Anonymous, AuthError, AuthErrorKind, Challenge, ChallengeSettings, LayerError,
    adapter::ChallengeMap,
};

/// A rejected request: what an adapter makes the response from.
///
/// Status, header fields and body are plain data, so that every framework renders the same response.
/// An application that answers in its own form reads the rest: [`kind`](Self::kind) and
/// [`reason`](Self::reason), which may have more than the client may see.
///
/// A rejection is counted and logged once, when its response is made: a handler may look for a caller
/// and go on without one.
#[derive(Clone, Debug)]
pub struct Rejection {
    challenge: Challenge,
    cause: Cause,
    is_head: bool,
    cache_control: Option<&'static str>,
    /// Clones share it, so that one rejection counts once.
    is_reported: Arc<AtomicBool>,
}

#[derive(Clone, Debug)]
enum Cause {
    Error(AuthError),
    Layer(LayerError),
}

impl Rejection {
    /// The type of the default [body](Self::body): `application/problem+json` ([RFC 9457]).
    ///
    /// [RFC 9457]: https://www.rfc-editor.org/rfc/rfc9457
    pub const CONTENT_TYPE: &'static str = "application/problem+json";

    /// Creates the rejection of a caller. The settings are those of the
    /// [caller](crate::Principal::challenge_settings) or of the
    /// [engine](crate::Authenticator::challenge_settings).
    #[must_use]
    pub fn new(error: AuthError, settings: Arc<ChallengeSettings>) -> Self {
        Self::from_cause(Challenge::new(&error, settings), Cause::Error(error))
    }

    /// Creates the rejection of a request that has no caller.
    pub(crate) fn of_anonymous(anonymous: &Anonymous) -> Self {
        let error = anonymous.failure().cloned();
        let error = error.unwrap_or_else(|| AuthErrorKind::NoCredentials.into());
        Self::new(error, Arc::clone(anonymous.challenge_settings()))
    }

    fn from_cause(challenge: Challenge, cause: Cause) -> Self {
        let is_reported = Arc::default();
        Self { challenge, cause, is_head: false, cache_control: None, is_reported }
    }

    /// Returns the rejection of a request with this method. Default: not `HEAD`.
    #[must_use]
    pub fn for_method(self, method: &str) -> Self {
        self.for_head(method == "HEAD")
    }

    pub(crate) fn for_head(self, is_head: bool) -> Self {
        Self { is_head, ..self }
    }

    pub(crate) fn with_cache_control(self, cache_control: Option<&'static str>) -> Self {
        Self { cache_control, ..self }
    }

    /// Changes the challenge by the function of a layer. A fault of the application stays as it is.
    #[must_use]
    pub fn map_challenge(self, map: &ChallengeMap) -> Self {
        match &self.cause {
            Cause::Error(error) => Self { challenge: map.apply(self.challenge, error), ..self },
            Cause::Layer(_) => self,
        }
    }

    /// Returns what the client may see.
    #[must_use]
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// Returns the HTTP status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.challenge.status()
    }

    /// Returns the header fields of the response, with names in lower case: `www-authenticate`,
    /// `retry-after` and `cache-control`, as far as the rejection has them. Each value is visible ASCII.
    pub fn header_fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let retry_after = self.challenge.retry_after().map(|wait| wait.as_secs().to_string());
        let fields = [
            ("www-authenticate", self.challenge.www_authenticate()),
            ("retry-after", retry_after),
            ("cache-control", self.cache_control.map(ToOwned::to_owned)),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// Returns the default body, of the type [`CONTENT_TYPE`](Self::CONTENT_TYPE). The response to a
    /// [`HEAD`](Self::is_head) request has its length at most.
    #[must_use]
    pub fn body(&self) -> String {
        self.challenge.problem_json()
    }

    /// Returns whether the request was a `HEAD`, whose response has no body.
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.is_head
    }

    /// Returns the error, which has more than the client may see; `None` for a fault of the application.
    #[must_use]
    pub fn error(&self) -> Option<&AuthError> {
        match &self.cause {
            Cause::Error(error) => Some(error),
            Cause::Layer(_) => None,
        }
    }

    /// Returns the [kind](AuthError::kind) of the error. That of a fault of the application is
    /// [`InternalError`](AuthErrorKind::InternalError).
    #[must_use]
    pub fn kind(&self) -> AuthErrorKind {
        self.error().map_or(AuthErrorKind::InternalError, AuthError::kind)
    }

    /// Returns the [source](Error::source) of the error, such as the reason that a rule of the
    /// application gave. Send it to the client only if the application meant it for them.
    #[must_use]
    pub fn reason(&self) -> Option<&(dyn Error + 'static)> {
        self.error()?.source()
    }

    /// Returns the fault of the application, if that is the reason.
    #[must_use]
    pub fn layer_error(&self) -> Option<LayerError> {
        match &self.cause {
            Cause::Error(_) => None,
            Cause::Layer(error) => Some(*error),
        }
    }

    /// Counts and logs the rejection, [once](AuthError::report) however often this is called. Adapters
    /// call it when they make the response. A fault of the application is logged where it is found.
    pub fn report(&self) {
        if let Cause::Error(error) = &self.cause
            && !self.is_reported.swap(true, Ordering::Relaxed)
        {
            error.report();
        }
    }
}

impl From<LayerError> for Rejection {
    /// The client learns nothing of how the application is put together.
    fn from(error: LayerError) -> Self {
        Self::from_cause((&error).into(), Cause::Layer(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_has_the_fields_of_its_challenge() {
        let fields = |rejection: &Rejection| rejection.header_fields().collect::<Vec<_>>();
        let rejection = Rejection::new(AuthErrorKind::NoCredentials.into(), Arc::default());
        assert_eq!(fields(&rejection), [("www-authenticate", "Bearer".to_owned())]);
        let rejection = Rejection::new(AuthErrorKind::KeysUnavailable.into(), Arc::default())
            .with_cache_control(Some("no-store"));
        let expected = [("retry-after", "5".to_owned()), ("cache-control", "no-store".to_owned())];
        assert_eq!(fields(&rejection), expected);
        assert_eq!((rejection.status(), rejection.is_head()), (503, false));
        assert!(rejection.for_method("HEAD").is_head());
        let rejection = Rejection::from(LayerError::Missing);
        assert_eq!((rejection.status(), fields(&rejection)), (500, Vec::new()));
        assert_eq!(rejection.kind(), AuthErrorKind::InternalError);
        let map = ChallengeMap::new(|challenge, _| challenge.with_status(403));
        assert_eq!(rejection.map_challenge(&map).status(), 500);
    }

    #[cfg(feature = "tracing")]
    #[test]
    fn a_rejection_and_its_clones_are_reported_once() {
        let rejection = Rejection::new(AuthErrorKind::TokenExpired.into(), Arc::default());
        let clone = rejection.clone().map_challenge(&ChallengeMap::default());
        let events = crate::test_log::told("portcullis::rejection", tracing::Level::DEBUG, || {
            rejection.report();
            rejection.report();
            clone.report();
        });
        assert_eq!(events.len(), 1, "{events:?}");
    }
}
