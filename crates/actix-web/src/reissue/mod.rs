//! The middleware that gives callers a new token before theirs expires.

mod future;
mod transform;

pub use future::ReissueFuture;
pub use transform::{Reissue, ReissueMiddleware};
