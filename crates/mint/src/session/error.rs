//! Why sessions cannot be used, started or renewed.

use std::{error::Error, fmt, time::Duration};

use portcullis::{AuthError, revocation::EndpointError};

use crate::MintError;

/// Sessions that cannot be used, or a session that cannot be started. The text holds no claim and no token.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionError {
    /// Browsers would ignore or misread the cookie, for example because the token is too long.
    Cookie(EndpointError),
    /// The engine does not read tokens from the cookie.
    CookieNotRead {
        /// The name of the cookie, with its prefix.
        name: String,
    },
    /// The minter has no issuer.
    NoIssuer,
    /// The engine has no store of used tokens, through which replicas agree.
    NoReplayStore,
    /// The user authenticated longer ago than a session may last.
    TooOld {
        /// The longest age of a session.
        limit: Duration,
    },
    /// A token cannot be made.
    Mint(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cookie(error) => error.fmt(f),
            Self::CookieNotRead { name } => write!(
                f,
                "the engine does not read the cookie `{name}`, so that no session would be accepted: add \
                 `cookie.location()` of the same cookie to `locations(…)`"
            ),
            Self::NoIssuer => f.write_str(
                "the minter has no issuer, by which the service knows its own sessions: call `issuer(…)`, with \
                 the name of an issuer that the engine trusts",
            ),
            Self::NoReplayStore => f.write_str(
                "replicas agree on renewals through the store of used tokens, and the engine has none: add one \
                 with `replay_store(…)`",
            ),
            Self::TooOld { limit } => write!(
                f,
                "the user authenticated (`auth_time`) more than {limit:?} ago, the longest age of a session: let \
                 the user authenticate again, or raise `max_session_age(…)`"
            ),
            Self::Mint(error) => error.fmt(f),
        }
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Cookie(error) => error.source(),
            Self::Mint(error) => error.source(),
            _ => None,
        }
    }
}

impl From<EndpointError> for SessionError {
    fn from(error: EndpointError) -> Self {
        Self::Cookie(error)
    }
}

impl From<MintError> for SessionError {
    fn from(error: MintError) -> Self {
        Self::Mint(Box::new(error))
    }
}

/// Why a session was not renewed, or renewed more than once.
#[derive(Debug)]
pub(super) enum Failure {
    /// A claim of the token cannot be read.
    Claims(AuthError),
    /// It is not known whether the token is still valid.
    Unchecked(AuthError),
    /// The function of the application has failed.
    Hook(Box<dyn Error + Send + Sync>),
    HookPanicked,
    HookTimedOut,
    /// The function of the application returned claims that are not a JSON object.
    NoObject,
    /// The store through which replicas agree has failed. The session is renewed all the same.
    NotShared(AuthError),
    /// The new token or its cookie could not be made.
    Token(SessionError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claims(_) => "its claims cannot be read",
            Self::Unchecked(_) => "it is not known whether it was revoked",
            Self::Hook(_) => "the function of the application failed",
            Self::HookPanicked => "the function of the application panicked",
            Self::HookTimedOut => "the function of the application did not return in time",
            Self::NoObject => "the claims of the application are not a JSON object",
            Self::NotShared(_) => "replicas could not agree, so that each renews it",
            Self::Token(_) => "no new token could be made",
        })
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Claims(error) | Self::Unchecked(error) | Self::NotShared(error) => Some(error),
            Self::Hook(error) => Some(&**error),
            Self::Token(error) => Some(error),
            Self::HookPanicked | Self::HookTimedOut | Self::NoObject => None,
        }
    }
}
