//! Requests without a caller.

use std::sync::Arc;

use crate::{AuthError, AuthErrorKind, ChallengeSettings};

/// There is no caller, and the layer has let the request through: it came without credentials through an
/// optional layer, or with invalid ones through a layer or a route that
/// [admits these too](crate::adapter::Admission::DangerousFailed).
///
/// [`AuthContext::anonymous`](crate::AuthContext::anonymous) returns it.
#[derive(Clone, Debug)]
pub struct Anonymous {
    settings: Arc<ChallengeSettings>,
    failure: Option<AuthError>,
    /// Whether the response removes the cookie with the invalid credentials.
    is_cookie_removed: bool,
}

impl Anonymous {
    /// A request that presented no credentials, or whose credentials were not looked at.
    pub(crate) fn new(settings: Arc<ChallengeSettings>) -> Self {
        Self { settings, failure: None, is_cookie_removed: false }
    }

    /// A request whose verdict was this error. Missing credentials are no failure.
    pub(crate) fn because(settings: Arc<ChallengeSettings>, error: AuthError) -> Self {
        let failure = Some(error).filter(|error| error.kind() != AuthErrorKind::NoCredentials);
        Self { settings, failure, is_cookie_removed: false }
    }

    /// A request whose invalid cookie the response removes: the next request of the client will have none.
    pub(crate) fn without_cookie(settings: Arc<ChallengeSettings>, error: AuthError) -> Self {
        Self { is_cookie_removed: true, ..Self::because(settings, error) }
    }

    /// Returns whether the request counts as one without credentials.
    pub(crate) fn is_without_credentials(&self) -> bool {
        self.failure.is_none() || self.is_cookie_removed
    }

    /// Returns what was wrong with the credentials, if there were any.
    #[must_use]
    pub fn failure(&self) -> Option<&AuthError> {
        self.failure.as_ref()
    }

    /// Returns what a challenge to this caller names.
    #[must_use]
    pub fn challenge_settings(&self) -> &Arc<ChallengeSettings> {
        &self.settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AuthContext, LayerError};

    #[test]
    fn a_handler_that_requires_a_caller_gets_the_reason_why_there_is_none() {
        let settings = Arc::<ChallengeSettings>::default();
        let because = |error| Anonymous::because(Arc::clone(&settings), error).into();
        for (context, expected) in [
            (
                Some(Anonymous::new(Arc::clone(&settings)).into()),
                Some(AuthErrorKind::NoCredentials),
            ),
            (
                Some(AuthContext::passed_preflight(Arc::clone(&settings))),
                Some(AuthErrorKind::NoCredentials),
            ),
            (
                Some(because(AuthErrorKind::NoCredentials.into())),
                Some(AuthErrorKind::NoCredentials),
            ),
            (Some(because(AuthErrorKind::TokenExpired.into())), Some(AuthErrorKind::TokenExpired)),
            (None, None),
        ] {
            let rejection = AuthContext::required_caller(context.as_ref()).unwrap_err();
            assert_eq!(rejection.error().map(AuthError::kind), expected);
            let fault = expected.is_none().then_some(LayerError::Missing);
            assert_eq!(rejection.layer_error(), fault);
        }
    }

    #[test]
    fn invalid_credentials_do_not_count_as_none() {
        let because = |kind: AuthErrorKind| {
            AuthContext::from(Anonymous::because(Arc::default(), kind.into()))
        };
        assert!(because(AuthErrorKind::NoCredentials).is_without_credentials());
        assert!(!because(AuthErrorKind::TokenExpired).is_without_credentials());
    }
}
