//! What do we tell them? ([RFC 6750 §3])
//!
//! The only place that knows statuses and error codes, and the only way from an error to the wire.
//!
//! [RFC 6750 §3]: https://www.rfc-editor.org/rfc/rfc6750#section-3

use std::{sync::Arc, time::Duration};

use crate::{AuthError, AuthErrorKind, Challenge, ChallengeSettings, LayerError};

/// When a caller may try again after a rejection that was no fault of its token.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl From<&AuthError> for Challenge {
    fn from(error: &AuthError) -> Self {
        Self::new(error, Arc::default())
    }
}

impl Challenge {
    /// Creates the challenge of an error, which names the realm and the metadata URL of these settings.
    pub(crate) fn new(error: &AuthError, settings: Arc<ChallengeSettings>) -> Self {
        let kind = error.kind();
        let (status, code) = status_and_code(kind);
        Self {
            code: kind.code(),
            status,
            error: code,
            description: code.map(|_| kind.description()),
            asks: status < 500
                && !matches!(
                    kind,
                    AuthErrorKind::ClaimNotIncluded | AuthErrorKind::CrossSiteRequest
                ),
            scope: error.missing_scope_shared(),
            step_up: error.step_up().map(Arc::clone),
            retry_after: (status == 503).then_some(RETRY_AFTER),
            settings,
            grpc_status: None,
        }
    }
}

impl From<&LayerError> for Challenge {
    /// The caller learns nothing of how the application is put together.
    fn from(_: &LayerError) -> Self {
        Self {
            code: "internal_error",
            status: 500,
            error: None,
            description: None,
            asks: false,
            scope: None,
            step_up: None,
            retry_after: None,
            settings: Arc::default(),
            grpc_status: None,
        }
    }
}

/// Returns whether a request was rejected because of its token, and would be rejected again with the same token.
/// If the token could not be judged, the answer is no.
pub(crate) fn is_fault_of_token(kind: AuthErrorKind) -> bool {
    match status_and_code(kind) {
        (401, code) => code == Some("invalid_token") || kind == AuthErrorKind::NoCredentials,
        (status, _) => status == 400,
    }
}

/// The rows of RFC 6750 §3.1 and RFC 9470 §3. Without credentials there is no code: the caller may
/// not know yet that it needs any.
fn status_and_code(kind: AuthErrorKind) -> (u16, Option<&'static str>) {
    match kind {
        // The token was not judged, and must not be called invalid.
        AuthErrorKind::NoCredentials | AuthErrorKind::IssuerNotLookedUp => (401, None),
        AuthErrorKind::MalformedRequest
        | AuthErrorKind::MultipleTokens
        | AuthErrorKind::TokenTooLarge => (400, Some("invalid_request")),
        AuthErrorKind::InsufficientScope
        | AuthErrorKind::InsufficientRole
        | AuthErrorKind::NotPermitted => (403, Some("insufficient_scope")),
        // Neither another token of the same caller nor another login helps.
        AuthErrorKind::ClaimNotIncluded | AuthErrorKind::CrossSiteRequest => (403, None),
        AuthErrorKind::ReauthenticationRequired => (401, Some("insufficient_user_authentication")),
        AuthErrorKind::KeysUnavailable
        | AuthErrorKind::StoreUnavailable
        | AuthErrorKind::ResolverUnavailable => (503, None),
        AuthErrorKind::InternalError => (500, None),
        AuthErrorKind::MalformedToken
        | AuthErrorKind::UnsupportedCriticalHeader
        | AuthErrorKind::AlgorithmNotAllowed
        | AuthErrorKind::UntrustedIssuer
        | AuthErrorKind::UnknownKey
        | AuthErrorKind::AmbiguousKey
        | AuthErrorKind::SignatureMismatch
        | AuthErrorKind::WrongType
        | AuthErrorKind::TokenExpired
        | AuthErrorKind::TokenNotYetValid
        | AuthErrorKind::IssuedInFuture
        | AuthErrorKind::TokenTooOld
        | AuthErrorKind::LifetimeTooLong
        | AuthErrorKind::MissingClaim
        | AuthErrorKind::MalformedClaim
        | AuthErrorKind::WrongAudience
        | AuthErrorKind::WrongSubject
        | AuthErrorKind::TokenRevoked
        | AuthErrorKind::TokenReplayed
        | AuthErrorKind::WrongBinding
        | AuthErrorKind::SubjectUnknown
        | AuthErrorKind::SubjectDisabled
        | AuthErrorKind::ActorDisabled => (401, Some("invalid_token")),
    }
}
