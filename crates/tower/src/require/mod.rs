//! The layer that checks a policy.

mod layer;
mod service;

pub use layer::RequireLayer;
pub use service::Require;
