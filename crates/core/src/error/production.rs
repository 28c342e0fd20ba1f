//! What an engine for production rejects.

use std::fmt;

/// A setting that is for trying out, in an engine for production.
///
/// The text of each names the setting and the way out.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ProductionError {
    /// An issuer's tokens could be meant for anyone.
    AnyAudience {
        /// The issuer.
        issuer: String,
    },
    /// Tokens of any issuer are trusted.
    AnyIssuer {
        /// What stands for the issuer.
        name: String,
    },
    /// Keys are fetched over plain http from another machine.
    PlainHttp {
        /// The issuer.
        issuer: String,
        /// The source.
        source: String,
    },
    /// A shared secret is shorter than the hash.
    ShortSecret {
        /// The issuer.
        issuer: String,
    },
    /// Keys stay usable for ever.
    UnlimitedStaleness {
        /// The issuer.
        issuer: String,
        /// The source.
        source: String,
    },
    /// A static token is so short that it can be guessed.
    ShortToken {
        /// The name of the set of tokens.
        name: String,
    },
    /// A route lets requests without credentials through.
    OptionalCredentials,
    /// A route lets requests with bad credentials through.
    FailedCredentials,
}

impl fmt::Display for ProductionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is for trying out, and rejected in production: ")?;
        match self {
            Self::AnyAudience { issuer } => write!(
                f,
                "issuer `{issuer}` says `dangerous_any_audience`, so its tokens for other services \
                 are accepted; set `audience` to the `aud` meant for this service instead"
            ),
            Self::AnyIssuer { name } => write!(
                f,
                "`{name}` trusts tokens of any issuer (`dangerous_any`, in files \
                 `dangerous_any_issuer`); have the signer write an `iss`, and trust that"
            ),
            Self::PlainHttp { issuer, source } => write!(
                f,
                "keys of issuer `{issuer}` come from `{source}` over plain http \
                 (`dangerous_allow_http`), where anyone on the way can put in their own; use https, \
                 or fetch them by a program of this machine"
            ),
            Self::ShortSecret { issuer } => write!(
                f,
                "a secret of issuer `{issuer}` is shorter than the hash \
                 (`dangerous_from_short_secret`, in files `dangerous_short_secrets`), so that it \
                 can be guessed from one token; make one of at least 32 random bytes for HS256, 48 \
                 for HS384, 64 for HS512"
            ),
            Self::UnlimitedStaleness { issuer, source } => write!(
                f,
                "keys of issuer `{issuer}` from `{source}` stay usable for ever \
                 (`dangerous_unlimited_staleness`), withdrawn ones too; set `max_stale` to the \
                 longest outage that must be lived through"
            ),
            Self::ShortToken { name } => write!(
                f,
                "a token of `{name}` (`StaticTokens`, in files `[[static_token]]`) has fewer than 16 \
                 bytes, so that it can be guessed; make one of at least 32 random bytes, such as \
                 `openssl rand -hex 32` writes"
            ),
            Self::OptionalCredentials => f.write_str(
                "a route lets requests without credentials through (`optional`); ask for \
                 credentials, or say `optional_credentials` where the engine is configured",
            ),
            Self::FailedCredentials => f.write_str(
                "a route lets requests with bad credentials through (`dangerous_admit_failed`); use \
                 `optional`, with `optional_credentials` where the engine is configured",
            ),
        }
    }
}

impl std::error::Error for ProductionError {}
