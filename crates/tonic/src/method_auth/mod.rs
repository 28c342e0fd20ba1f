//! The service behind the verdict: it asks for the policy of the method, and watches over streams.

mod future;
mod service;

pub use future::MethodAuthFuture;
pub use service::MethodAuth;
pub(crate) use service::Streams;
