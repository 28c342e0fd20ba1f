//! The layer for calls to other services, whose failures are statuses.

mod future;
mod layer;
mod replay;
mod service;

pub use future::AddBearerTokenFuture;
pub use layer::AddBearerTokenLayer;
pub use replay::{RecordMessages, RecordedCall};
pub use service::AddBearerToken;
