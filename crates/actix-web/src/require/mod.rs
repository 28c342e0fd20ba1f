//! The middleware that checks a policy.

mod route;
mod service;
mod transform;

pub use service::RequireMiddleware;
pub use transform::Require;
