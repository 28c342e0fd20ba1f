//! Tokens from the token endpoint of an authorization server ([RFC 6749 §3.2]).
//!
//! [RFC 6749 §3.2]: https://www.rfc-editor.org/rfc/rfc6749#section-3.2

mod client_credentials;
mod error;
mod exchange_client;
mod oauth_client;
mod request;
mod response;

pub use client_credentials::{ClientCredentialsSource, ClientCredentialsSourceBuilder};
pub use error::TokenRequestError;
pub use exchange_client::{TokenExchangeClient, TokenExchangeClientBuilder};
pub use oauth_client::OAuthClient;
