//! The layer that renews sessions in a cookie.

mod future;
mod layer;
mod service;

pub use future::SessionsFuture;
pub use layer::SessionLayer;
pub use service::Sessions;
