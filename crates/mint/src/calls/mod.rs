//! Which token an outgoing call has, and what its response means for the token. The client middlewares of all
//! frameworks share it.

mod authority;
mod credentials;
mod destinations;
mod error;
mod reissue;
#[cfg(test)]
mod tests;

pub use credentials::{CallCredentials, CallToken};
pub(crate) use destinations::is_loopback;
pub use destinations::{DestinationError, TokenDestinations};
pub use error::AddBearerTokenError;
