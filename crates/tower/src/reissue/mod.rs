//! The layer that gives callers a new token before theirs expires.

mod future;
mod layer;
mod service;

pub use future::ReissueFuture;
pub use layer::ReissueLayer;
pub use service::Reissue;
