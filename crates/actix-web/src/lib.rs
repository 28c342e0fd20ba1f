//! Proves who calls an actix-web service and what they may do.

mod auth;
mod caller;
mod extract;
mod refusal;
mod require;

// The public interface is:
pub use auth::JwtAuth;
pub use caller::{Caller, Granted, OtherCallers};
pub use extract::{CallerRejection, Claims, Optional};
pub use portcullis::{
    Actor, Admission, Algorithm, Anonymous, AuthError, AuthErrorKind, Authenticated, Authenticator,
    AuthenticatorBuilder, BearerToken, Challenge, ChallengeMap, ChallengeSettings, Clock,
    ConfigError, Grant, GrantBuilder, GrantMapping, HiddenTokens, Issuer, JwkSet, LayerError,
    NumericDate, Place, Policy, Principal, RequestView, Requirement, Scope, SeveralTokens,
    SkippedKey, SystemClock, TokenProfile, TokenType, UnknownAlgorithm, Verdict, VerdictHook,
    VerificationKey, policy,
};
#[cfg(feature = "remote")]
pub use portcullis::{
    Fetch, HttpFetch, JwkSetFile, KeySource, KeyStatus, NotReady, PemFile, RefreshPolicy,
    RemoteJwkSet,
};
pub use refusal::{ProblemJson, Refusal, ResponseForRefusal};
pub use require::Require;

// Named, because they are in the signatures of others; nobody writes them.
#[doc(hidden)]
pub use auth::{JwtAuthFuture, JwtAuthMiddleware};
#[doc(hidden)]
pub use require::{RequireFuture, RequireMiddleware};
