//! Errors of configuration: they stop a program at its start, and say what to change.

use std::{error::Error, fmt};

use crate::{
    FileError, GrantMappingError, IssuerError, JwkSetError, KeyError, LocationError, OriginError,
    ProductionError, RequirementError, ResourceError, StaticTokenError, VariableError,
};
use crate::{KeySourceConfigError, NotReady};

/// A configuration that cannot be used.
///
/// It wraps the error of the part that is wrong, so that `?` works on each of them. The text says what
/// to change, and holds no secret.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// No issuer and no strategy was added.
    NoIssuer,
    /// A text that challenges contain has characters that a challenge cannot hold.
    InvalidChallengeText {
        /// The setting.
        setting: &'static str,
    },
    /// An issuer is wrong.
    Issuer(IssuerError),
    /// A token location is wrong.
    Location(LocationError),
    /// An origin is wrong.
    Origin(OriginError),
    /// A requirement of a route is wrong.
    Requirement(RequirementError),
    /// A grant mapping is wrong.
    GrantMapping(GrantMappingError),
    /// The protected resource or its metadata are wrong.
    Resource(ResourceError),
    /// A key is wrong.
    Key(KeyError),
    /// A JWK Set is wrong.
    JwkSet(JwkSetError),
    /// A source of keys is wrong.
    KeySource(KeySourceConfigError),
    /// A static token is wrong.
    StaticToken(StaticTokenError),
    /// An environment variable is missing or wrong.
    Variable(VariableError),
    /// A file cannot be read, or its content cannot be used.
    File(FileError),
    /// A setting for development is on, and the engine is for production.
    Production(ProductionError),
    /// An error of another crate that configures the engine, such as the mistakes in a configuration file.
    Other(Box<dyn Error + Send + Sync>),
    /// A reload would leave an issuer that has keys without any.
    KeysWouldBeLost(NotReady),
    /// A reload would begin without knowing what was revoked.
    RevocationsNotLoaded(NotReady),
}

impl ConfigError {
    /// Returns the error that this one wraps: it speaks for itself.
    fn wrapped(&self) -> Option<&(dyn Error + 'static)> {
        Some(match self {
            Self::Issuer(error) => error,
            Self::Location(error) => error,
            Self::Origin(error) => error,
            Self::Requirement(error) => error,
            Self::GrantMapping(error) => error,
            Self::Resource(error) => error,
            Self::Key(error) => error,
            Self::JwkSet(error) => error,
            Self::KeySource(error) => error,
            Self::StaticToken(error) => error,
            Self::Variable(error) => error,
            Self::File(error) => error,
            Self::Production(error) => error,
            Self::Other(error) => &**error,
            Self::NoIssuer | Self::InvalidChallengeText { .. } => return None,
            Self::KeysWouldBeLost(_) | Self::RevocationsNotLoaded(_) => return None,
        })
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIssuer => f.write_str(
                "no issuer is trusted, so every token would be rejected: add one with `issuer(…)`",
            ),
            Self::InvalidChallengeText { setting } => write!(
                f,
                "`{setting}` must be visible ASCII and spaces, 256 characters at most, to arrive \
                 in a challenge as it is"
            ),
            Self::KeysWouldBeLost(not_ready) => write!(
                f,
                "issuer `{}` has keys now and would have none, so the engine was not replaced: \
                 correct where its keys come from, or wait until they can be fetched",
                not_ready.issuer().unwrap_or_default()
            ),
            Self::RevocationsNotLoaded(not_ready) => write!(
                f,
                "{not_ready}, so the engine was not replaced: correct the setting of the store, or wait \
                 until it can be reached"
            ),
            other => other.wrapped().map_or(Ok(()), |error| fmt::Display::fmt(error, f)),
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::KeysWouldBeLost(not_ready) | Self::RevocationsNotLoaded(not_ready) => {
                Some(not_ready)
            }
            // The wrapped error is this very error, with a source of its own.
            other => other.wrapped()?.source(),
        }
    }
}

macro_rules! wraps {
    ($($(#[$cfg:meta])* $variant:ident($error:ty);)*) => {
        $($(#[$cfg])* impl From<$error> for ConfigError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })*
    };
}

wraps! {
    Issuer(IssuerError);
    Location(LocationError);
    Origin(OriginError);
    Requirement(RequirementError);
    GrantMapping(GrantMappingError);
    Resource(ResourceError);
    Key(KeyError);
    JwkSet(JwkSetError);
    KeySource(KeySourceConfigError);
    StaticToken(StaticTokenError);
    Variable(VariableError);
    File(FileError);
    Production(ProductionError);
}
