//! Why an endpoint cannot be built.

use std::{error::Error, fmt};

use portcullis::ConfigError;

/// A token exchange endpoint that cannot be built. The text says what to change.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ExchangeConfigError {
    /// The application has not said how clients are authenticated.
    NoClientAuthentication,
    /// There is neither an audience that may be requested nor a hook.
    NoAudience,
    /// An audience is empty.
    EmptyAudience,
    /// The minter has no issuer.
    NoIssuer,
    /// Tokens are to be used once, and the engine has no store of used tokens.
    NoReplayStore,
    /// The engine trusts several issuers, or has a strategy that may know several, and no hook decides whose subjects
    /// are which.
    SeveralIssuers,
    /// The lifetime of tokens is shorter than five seconds, or longer than their key is published.
    InvalidLifetime,
    /// A client has an empty id or secret.
    EmptyClient,
}

impl fmt::Display for ExchangeConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoClientAuthentication => {
                "token exchange has no client authentication: set `client_authentication(…)`, or decline it with \
                 `dangerous_without_client_authentication()`"
            }
            Self::NoAudience => {
                "token exchange has no audience to issue tokens for: add one with `audience(…)`, or set \
                 `authorize(…)`"
            }
            Self::EmptyAudience => "an audience of token exchange is empty: give the name of the service",
            Self::NoIssuer => {
                "token exchange issues tokens without `iss`, which no service would accept: set `issuer(…)` of \
                 the minter"
            }
            Self::NoReplayStore => {
                "token exchange accepts each token once, and the engine cannot know which were used: add a store \
                 with `replay_store(…)`"
            }
            Self::SeveralIssuers => {
                "the engine trusts several issuers or has a strategy, so that subjects may be equal, and all exchanged tokens have one \
                 issuer: set `authorize(…)`, and give each subject a name of your own with `subject(…)`"
            }
            Self::InvalidLifetime => {
                "exchanged tokens would live shorter than 5 seconds, or longer than their key is published: set \
                 `lifetime(…)` of the minter to no more than `max_lifetime(…)` of its signing keys"
            }
            Self::EmptyClient => "a client has an empty id or an empty secret",
        })
    }
}

impl Error for ExchangeConfigError {}

impl From<ExchangeConfigError> for ConfigError {
    fn from(error: ExchangeConfigError) -> Self {
        Self::Other(Box::new(error))
    }
}
