//! Protected resource metadata: what a service publishes about itself ([RFC 9728]).
//!
//! [RFC 9728]: https://www.rfc-editor.org/rfc/rfc9728

mod document;
mod error;
mod identifier;
mod protected_resource;
mod response;
#[cfg(test)]
mod tests;

pub use document::ResourceMetadata;
pub use error::ResourceError;
pub use protected_resource::ProtectedResource;
