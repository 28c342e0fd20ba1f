//! Tokens that a service signs itself: for its own workers, for cookies, for tests.
//!
//! A [`SigningKey`](crate::SigningKey) knows how to sign, a [`Minter`] what to. What a minter gives back has the token's
//! id and its end beside the token, which is what revocation and reissue go by.
//!
//! A [`RenewingToken`] is for calls of this service to others: it has a token at hand, which a minter or
//! another [`TokenSource`] brings, and renews it ahead of its end. [`TokenDestinations`] says where such
//! a token may go.

mod destinations;
mod error;
mod minter;
mod renewing;
#[cfg(test)]
mod tests;

pub use destinations::{DestinationError, TokenDestinations};
pub use error::MintError;
pub use minter::{MintedToken, Minter};
pub use renewing::{IssuedToken, RenewingToken, RenewingTokenBuilder, TokenError, TokenSource};
