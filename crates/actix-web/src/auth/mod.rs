//! The middleware that judges requests.

mod future;
mod service;
mod transform;

pub use future::JwtAuthFuture;
pub use service::JwtAuthMiddleware;
pub use transform::JwtAuth;
