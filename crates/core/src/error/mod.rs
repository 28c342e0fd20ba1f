//! What goes wrong: at start ([`ConfigError`]) and with one request ([`AuthError`]).

mod auth;
mod config;
mod kind;
mod layer;
#[cfg(feature = "tracing")]
mod one_line;
mod production;
mod step_up;

pub use auth::AuthError;
pub use config::ConfigError;
pub use kind::AuthErrorKind;
pub use layer::LayerError;
#[cfg(feature = "tracing")]
pub(crate) use one_line::OneLine;
pub use production::ProductionError;
pub(crate) use step_up::StepUp;
