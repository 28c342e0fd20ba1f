//! The layer that authenticates requests.

mod layer;
mod service;

pub use layer::JwtAuthLayer;
pub use service::JwtAuth;
