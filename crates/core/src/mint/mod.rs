//! Tokens that a service signs itself: for its own workers, for cookies, for tests.
//!
//! A [`SigningKey`] knows how to sign, a [`Minter`] what to. What a minter gives back has the token's
//! id and its end beside the token, which is what revocation and reissue go by.

mod error;
mod minter;
mod pair;
mod public;
mod signing_key;
#[cfg(test)]
mod tests;

pub use error::MintError;
pub use minter::{MintedToken, Minter};
pub use signing_key::SigningKey;
