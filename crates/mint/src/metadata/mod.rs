//! What verifiers fetch from a service that issues tokens: its keys, and the metadata that name them.

mod conditional;
mod discovery;
mod error;
mod jwk_set;
mod response;
mod url;

pub use discovery::DiscoveryEndpoint;
pub use error::MetadataError;
pub use jwk_set::JwkSetEndpoint;
