//! The layer that asks for rights.

mod future;
mod layer;
mod service;

pub use future::RequireFuture;
pub use layer::RequireLayer;
pub use service::Require;
