//! The middleware that authenticates requests.

mod service;
mod transform;

pub use service::JwtAuthMiddleware;
pub use transform::JwtAuth;
