//! Tokens that a service signs itself: for its own workers, for cookies, for tests.
//!
//! A [`SigningKey`](portcullis_jose::SigningKey) signs, and a [`Minter`] writes the claims. A [`MintedToken`]
//! has its token id and expiry with it, which revocation and reissue need. [`SigningKeys`] replace each other, and
//! publish their public halves as a JWK Set. The replicas of a service share them by a [`SigningKeyStore`].
//!
//! [`JwkSetEndpoint`] and [`DiscoveryEndpoint`] publish the keys for other services. A [`Reissuer`] gives callers a new
//! token before theirs expires. The adapters have what serves them.
//!
//! A [`RenewingToken`] is for calls of this service to others. It caches a token, which a minter or another
//! [`TokenSource`] returns, and renews it before it expires. [`TokenDestinations`] restricts where the token
//! may be sent. The adapters have a client layer that adds the token to each call.
//!
//! # Examples
//!
//! ```
//! use portcullis_jose::{Algorithm, SigningKey};
//! use portcullis_mint::Minter;
//! use serde_json::json;
//!
//! let minter = Minter::new(SigningKey::generate(Algorithm::ES256)?).issuer("workers");
//! let minted = minter.mint(&json!({"sub": "worker-7", "aud": "orders"}))?;
//! assert_eq!(minted.token().split('.').count(), 3);
//! # Ok::<(), portcullis_mint::MintError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `tracing` | yes | one event for each renewal that fails, level warn, and for each [`exchange`], target `portcullis::tokens`; events of shared signing keys, target `portcullis::signing_keys` |
//! | `metrics` | no | counters and gauges of renewals, through the crate `metrics` |
//! | `remote` | no | `ClientCredentialsSource` and `TokenExchangeClient`: tokens from an authorization server |
//! | `reqwest-middleware` | no | `AddBearerToken`: a middleware that adds tokens to the calls of a `reqwest` client |
//! | `fips` | no | the FIPS-validated module of AWS-LC for all cryptography |

mod calls;
mod error;
pub mod exchange;
mod metadata;
mod minter;
mod reissue;
mod renewing;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_middleware;
pub mod session;
mod signing_keys;
#[cfg(test)]
mod tests;
#[cfg(feature = "remote")]
mod token_endpoint;

pub use calls::{
    AddBearerTokenError, CallCredentials, CallToken, DestinationError, TokenDestinations,
};
pub use error::MintError;
pub use metadata::{DiscoveryEndpoint, JwkSetEndpoint, MetadataError};
pub use minter::{MintedToken, Minter};
pub use reissue::{ReissueError, Reissuer};
pub use renewing::{IssuedToken, RenewingToken, RenewingTokenBuilder, TokenError, TokenSource};
#[cfg(feature = "reqwest-middleware")]
pub use reqwest_middleware::AddBearerToken;
pub use signing_keys::{
    KeyEncryptionKey, KeyTimes, PublishedKeys, SharedSigningKeysBuilder, SigningKeyStore,
    SigningKeyStoreError, SigningKeys, SigningKeysBuilder, SigningKeysError, StoredKey, StoredKeys,
};
#[cfg(feature = "remote")]
pub use token_endpoint::{
    ClientCredentialsSource, ClientCredentialsSourceBuilder, OAuthClient, TokenExchangeClient,
    TokenExchangeClientBuilder, TokenRequestError,
};
