//! The engine behind Portcullis: it proves who calls a web service and what they may do.
//!
//! A request goes through ten stages, each of which takes the proof of the one before:
//!
//! | stage | question |
//! |---|---|
//! | extract | where is the token? |
//! | peek | what does it claim to be? |
//! | select | whose is it? |
//! | lookup | with which key? |
//! | verify | is the signature right? |
//! | validate | are the claims right? |
//! | check | is it still good? |
//! | map | who is it, and what may they do? |
//! | authorize | may they use this handler? |
//! | respond | what do we tell them? |
//!
//! This crate knows no web framework: an application uses an adapter, such as `portcullis-axum`,
//! which re-exports what it needs from here. What it does not do: it shows no login page, keeps no
//! users and is no authorization server.
//!
//! # Examples
//!
//! ```
//! use portcullis::{Authenticator, Issuer, VerificationKey};
//!
//! # let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
//! let auth = Authenticator::builder()
//!     .issuer(Issuer::new("https://idp.example.com").key(VerificationKey::from_pem(pem)?))
//!     .audience("https://api.example.com")
//!     .build()?;
//!
//! let rejected = auth.authenticate_token_now("eyJhbGciOiJub25lIn0.e30.").unwrap_err();
//! assert_eq!(rejected.kind().code(), "algorithm_not_allowed");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `tracing` | yes | one event for each rejection, target `portcullis::rejection`, level debug |
//! | `remote` | no | keys from JWK Set URLs and OpenID Connect discovery, over HTTP |
//! | `metrics` | no | counters of rejections and of fetches of keys, through the crate `metrics` |
//! | `regex` | no | permissions found by regular expressions |
//! | `explain` | no | the trace of one token, stage by stage, for operators |
//! | `fips` | no | the FIPS-validated module of AWS-LC for all cryptography |

mod anonymous;
mod authenticated;
mod authenticator;
mod bounded_map;
mod challenge;
mod claims;
mod context;
mod endpoint;
mod engine;
mod expiry;
mod file;
mod flights;
mod grant_source;
mod hooks;
mod key_source;
mod location;
mod maybe_pending;
mod metrics;
#[cfg(doctest)]
mod mistakes;
mod pipeline;
mod principal;
mod rejection;
mod request;
mod requirement;
mod scope;
#[cfg(test)]
#[cfg(feature = "tracing")]
mod test_log;

// The public interface is:
pub mod adapter;
pub mod clock;
pub mod error;
#[cfg(feature = "explain")]
pub mod explain;
pub mod future;
pub mod grant;
pub mod issuer;
pub mod keys;
pub mod policy;
pub mod resource_metadata;
pub mod revocation;
pub mod strategy;

/// What `portcullis-config` shares with the engine: how files are read and when a change counts as complete.
#[doc(hidden)]
pub mod for_config {
    pub use crate::{
        file::{Content, SETTLED, Settling, Stamp, Warnings, read, read_text},
        pipeline::is_origin,
        strategy::{CUT_OFF_SETTLED, is_one_token},
    };
}

/// What `portcullis-mint` shares with the engine: requests to token endpoints.
#[cfg(feature = "remote")]
#[doc(hidden)]
pub mod for_mint {
    pub use crate::key_source::{TokenEndpoint, TokenEndpointRequest, retry_after, retry_after_of};
}

#[doc(hidden)]
pub mod interleave;

pub use portcullis_jose as jose;

pub use authenticator::{Authenticator, AuthenticatorBuilder, ReloadableAuthenticator};
pub use context::AuthContext;
pub use error::{AuthError, AuthErrorKind, ConfigError};
pub use grant::{Grant, GrantMapping};
pub use issuer::Issuer;
pub use jose::{Algorithm, JwkSet, NumericDate, VerificationKey};
pub use location::{MultipleTokens, TokenLocation};
pub use policy::Policy;
pub use principal::{Actor, Principal};
pub use rejection::Rejection;
pub use requirement::Requirement;
pub use strategy::StaticTokens;

// What the modules of this crate take from each other by one name. Its public place is a module above.
pub(crate) use adapter::{
    Admission, Anonymous, Authenticated, BearerToken, Challenge, ChallengeSettings, HiddenTokens,
    RequestView, Verdict,
};
pub(crate) use clock::{Clock, SystemClock};
pub(crate) use error::{LayerError, ProductionError};
pub(crate) use future::{BoxFuture, MaybePending};
pub(crate) use grant::{ResolverConfig, Scope};
pub(crate) use issuer::{TokenProfile, TokenType};
#[cfg(feature = "remote")]
pub(crate) use keys::{JwkSetFile, RefreshPolicy, RemoteJwkSet};
pub(crate) use keys::{KeyInfo, KeySource, KeyStatus, KeyTransport, NotReady, SkippedKey};
pub(crate) use portcullis_jose::{json, jws};
pub(crate) use resource_metadata::{ProtectedResource, ResourceMetadata};
pub(crate) use strategy::{Attempt, Credential, Identity, Strategy};

pub(crate) use error::{
    ClaimPathError, FileError, GrantMappingError, IssuerError, JwkSetError, KeyError,
    KeySourceConfigError, LocationError, OriginError, RequirementError, ResourceError,
    StaticTokenError, VariableError,
};
