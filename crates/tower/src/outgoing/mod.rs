//! The layer for calls to other services.

mod future;
mod layer;
mod replay;
mod service;

pub use future::AddBearerTokenFuture;
pub use layer::AddBearerTokenLayer;
pub use portcullis_mint::AddBearerTokenError;
pub use replay::{CloneRequest, NoReplay, Replay};
pub use service::AddBearerToken;

/// The errors of services that have more than one kind, as tower has it.
type BoxError = Box<dyn std::error::Error + Send + Sync>;
