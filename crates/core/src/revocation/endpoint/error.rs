//! Why an endpoint cannot be used.

use std::{error::Error, fmt};

use crate::ConfigError;

/// An endpoint that cannot be used. The text says what to change.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum EndpointError {
    /// The engine has no revocations.
    NoRevocations,
    /// The engine has no store of used tokens, which back-channel logout needs.
    NoReplayStore,
    /// Back-channel logout has no client id, or an empty one.
    NoClientId,
    /// A browser would ignore or misread the cookie.
    InvalidCookie {
        /// The attribute, `name`, or `value`.
        attribute: &'static str,
    },
    /// The URI to redirect to cannot be in a header field.
    InvalidRedirect,
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRevocations => {
                "the endpoint revokes tokens, and the engine has no revocations: add a store with \
                 `revocations(…)`"
            }
            Self::NoReplayStore => {
                "back-channel logout accepts each logout token once, and the engine cannot know which were \
                 used: add a store with `replay_store(…)`"
            }
            Self::NoClientId => {
                "back-channel logout has no client id, or an empty one: give the id that this application \
                 has at the issuer, which logout tokens name as `aud`"
            }
            Self::InvalidRedirect => {
                "the URI to redirect to is empty or has other characters than visible ASCII: percent-encode it"
            }
            Self::InvalidCookie { attribute } => {
                return write!(
                    f,
                    "the `{attribute}` of a cookie is one that browsers ignore or misread: a name is a \
                     token of HTTP, a path starts with `/`, neither has a `;`, a value has no space, `\"`, `,`, \
                     `;` or `\\`, name and value have at most 4096 bytes, a cookie `__Secure-…` is secure, \
                     and a cookie `__Host-…` also has the path `/` and no domain"
                );
            }
        })
    }
}

impl Error for EndpointError {}

impl From<EndpointError> for ConfigError {
    fn from(error: EndpointError) -> Self {
        Self::Other(Box::new(error))
    }
}
