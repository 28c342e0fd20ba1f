//! What goes wrong: at start ([`ConfigError`]) and with one request ([`AuthError`]).
//!
//! [`ConfigError`] wraps the error of the part that is wrong: a key, an issuer, a token location, a file.

mod auth;
mod config;
mod jws;
mod kind;
mod layer;
#[cfg(feature = "tracing")]
mod one_line;
mod production;
mod step_up;
mod variable;

pub use auth::AuthError;
pub use config::ConfigError;
pub use kind::AuthErrorKind;
pub use layer::LayerError;
#[cfg(feature = "tracing")]
pub(crate) use one_line::OneLine;
pub use production::ProductionError;
pub(crate) use step_up::StepUp;
pub use variable::VariableError;

pub use portcullis_jose::{FileError, JwkSetError, KeyError};

pub use crate::{
    claims::ClaimPathError, grant::GrantMappingError, issuer::IssuerError,
    key_source::KeySourceConfigError, location::LocationError, pipeline::OriginError,
    requirement::RequirementError, resource_metadata::ResourceError, strategy::StaticTokenError,
};
