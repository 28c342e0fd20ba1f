//! Tokens from the token endpoint of an authorization server ([RFC 6749 §3.2]).
//!
//! [RFC 6749 §3.2]: https://www.rfc-editor.org/rfc/rfc6749#section-3.2

mod authentication;
mod client_credentials;
mod error;
mod exchange;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub use authentication::ClientAuthentication;
pub use client_credentials::{ClientCredentials, ClientCredentialsBuilder};
pub use error::TokenRequestError;
pub use exchange::{TokenExchange, TokenExchangeBuilder};
