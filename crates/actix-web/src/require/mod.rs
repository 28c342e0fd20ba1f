//! The middleware that asks for rights.

mod future;
mod route;
mod service;
mod transform;

pub use future::RequireFuture;
pub use service::RequireMiddleware;
pub use transform::Require;
