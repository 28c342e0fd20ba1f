//! Requests without a caller: what a layer leaves in them, and what becomes of whoever asks for one.

use std::sync::Arc;

use crate::{AuthError, AuthErrorKind, ChallengeSettings, LayerError, Principal};

/// There is no caller, and the layer has let the request through: it came without credentials, past an
/// optional layer, or with bad ones, past one that
/// [lets these through too](crate::Admission::DangerousFailed).
///
/// Adapters leave it in the extensions of the request.
#[derive(Clone, Debug)]
pub struct Anonymous {
    settings: Arc<ChallengeSettings>,
    failure: Option<AuthError>,
}

impl Anonymous {
    /// A request that nothing is known of.
    #[must_use]
    pub fn new(settings: Arc<ChallengeSettings>) -> Self {
        Self { settings, failure: None }
    }

    /// A request whose verdict was this error. That there are no credentials is no failure.
    #[must_use]
    pub fn because(settings: Arc<ChallengeSettings>, error: AuthError) -> Self {
        let failure = Some(error).filter(|error| error.kind() != AuthErrorKind::NoCredentials);
        Self { settings, failure }
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

/// Why a handler or a policy that asks for a caller gets none.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "an adapter must handle both")]
pub enum NoCaller {
    /// A refusal: the caller should present credentials, or better ones.
    Refused(AuthError, Arc<ChallengeSettings>),
    /// A fault of the application.
    Layer(LayerError),
}

impl NoCaller {
    /// There is none in the request, but perhaps word that a layer has let it through.
    #[must_use]
    pub fn because(anonymous: Option<&Anonymous>) -> Self {
        let Some(anonymous) = anonymous else { return Self::Layer(LayerError::Missing) };
        let error = anonymous.failure.clone();
        let error = error.unwrap_or_else(|| AuthErrorKind::NoCredentials.into());
        Self::Refused(error, Arc::clone(&anonymous.settings))
    }

    /// There is one, but its engine makes no grants of the type that is asked for.
    #[must_use]
    pub fn of_other_grant<G>(caller: &Principal) -> Self {
        let (wanted, made) = (std::any::type_name::<G>(), caller.grant_type_name());
        Self::Layer(LayerError::OtherGrant { wanted, made })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_for_a_caller_is_told_why_there_is_none() {
        let settings = Arc::<ChallengeSettings>::default();
        let expired = || AuthError::from(AuthErrorKind::TokenExpired);
        for (anonymous, expected) in [
            (Some(Anonymous::new(Arc::clone(&settings))), Some(AuthErrorKind::NoCredentials)),
            (
                Some(Anonymous::because(
                    Arc::clone(&settings),
                    AuthErrorKind::NoCredentials.into(),
                )),
                Some(AuthErrorKind::NoCredentials),
            ),
            (
                Some(Anonymous::because(Arc::clone(&settings), expired())),
                Some(AuthErrorKind::TokenExpired),
            ),
            (None, None),
        ] {
            match (NoCaller::because(anonymous.as_ref()), expected) {
                (NoCaller::Refused(error, _), Some(expected)) => assert_eq!(error.kind(), expected),
                (NoCaller::Layer(error), None) => assert_eq!(error, LayerError::Missing),
                (other, expected) => panic!("{other:?}, not {expected:?}"),
            }
        }
        let nothing = Anonymous::because(settings, AuthErrorKind::NoCredentials.into());
        assert!(nothing.failure().is_none());
    }
}
