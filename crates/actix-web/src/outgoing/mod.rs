//! Tokens for the calls of awc, the client of actix-web.

mod middleware;
mod service;

pub use middleware::AddBearerToken;
pub use service::AddBearerTokenMiddleware;
