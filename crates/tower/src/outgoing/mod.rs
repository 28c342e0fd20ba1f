//! The layer for calls to other services.

mod error;
mod future;
mod layer;
mod service;

pub use error::AddBearerTokenError;
pub use future::AddBearerTokenFuture;
pub use layer::AddBearerTokenLayer;
pub use service::AddBearerToken;

/// The errors of services that have more than one kind, as tower has it.
type BoxError = Box<dyn std::error::Error + Send + Sync>;
