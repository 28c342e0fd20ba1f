//! The layer that judges requests.

mod future;
mod layer;
mod service;

pub use future::JwtAuthFuture;
pub use layer::JwtAuthLayer;
pub use service::JwtAuth;
