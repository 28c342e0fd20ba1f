//! The layer that asks for rights.

mod layer;
mod service;

pub use layer::RequireLayer;
pub use service::Require;
