//! The layer for calls to other services, whose failures are statuses.

mod future;
mod layer;
mod service;

pub use future::AddBearerTokenFuture;
pub use layer::AddBearerTokenLayer;
pub use service::AddBearerToken;
