//! The middleware that renews sessions in a cookie.

mod service;
mod transform;

pub use service::SessionMiddleware;
pub use transform::SessionAuth;
