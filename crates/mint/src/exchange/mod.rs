//! Token exchange ([RFC 8693]): an endpoint at which a service gets a token of its own for a token that it has
//! received.
//!
//! [`TokenExchangeEndpoint`] is what the adapters serve.
//!
//! [RFC 8693]: https://www.rfc-editor.org/rfc/rfc8693

mod builder;
mod claims;
mod client;
mod client_assertions;
mod client_secrets;
mod delegation;
mod endpoint;
mod error;
mod issuance;
mod log;
mod parameters;
mod rate_limit;
mod refusal;
mod request;

use std::time::Duration;

pub use builder::TokenExchangeBuilder;
pub use claims::ExchangedClaims;
pub use client::{ClientAuthentication, ClientError, PresentedCredentials};
pub use client_assertions::ClientAssertions;
pub use client_secrets::ClientSecrets;
pub use endpoint::TokenExchangeEndpoint;
pub use error::ExchangeConfigError;
pub use rate_limit::{RateLimit, RateLimitRequest};
pub use refusal::ExchangeRefusal;
pub use request::{ExchangePolicy, ExchangeRequest};

use endpoint::Settings;

/// The claim of exchanged tokens, by which reissue and sessions know that a token must not outlive its source.
pub(crate) const EXCHANGED: &str = "exchanged";

/// How long an exchanged token is valid at least: a shorter one would expire on its way.
const MIN_LIFETIME: Duration = Duration::from_secs(5);
