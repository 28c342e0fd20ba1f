//! Errors of the engine in the words of a configuration: its keys instead of builder methods.

use std::error::Error;

use portcullis::{
    ConfigError,
    error::{
        IssuerError, KeySourceConfigError, LocationError, ProductionError, RequirementError,
        ResourceError,
    },
};

/// Returns what is wrong, and what to do. The second is empty if the first says it.
pub(crate) fn message_and_help(error: &ConfigError) -> (String, String) {
    let in_keys = match error {
        ConfigError::NoIssuer => Some((
            "no issuer is trusted, so every token would be rejected".to_owned(),
            "add an `[[issuer]]` or a `[[static_token]]`",
        )),
        ConfigError::Issuer(error) => of_issuer(error),
        ConfigError::Location(LocationError::NoLocations) => Some((
            "there is no location to extract a token from".to_owned(),
            "add one to `places`, or leave `places` out",
        )),
        ConfigError::Location(LocationError::UntrustedIssuer { issuer })
        | ConfigError::Requirement(RequirementError::UntrustedIssuer { issuer }) => {
            Some(untrusted(issuer))
        }
        ConfigError::Resource(ResourceError::InvalidMetadata { parameter, reason })
            if reason.contains("`issuer(…)`") =>
        {
            let what = reason.split(':').next().unwrap_or_default();
            let message =
                format!("the metadata of the resource cannot hold this `{parameter}`: {what}");
            Some((message, "add it as an `[[issuer]]`, or leave it out"))
        }
        ConfigError::KeySource(KeySourceConfigError::InvalidLocation { reason }) => Some((
            format!("keys can never be fetched from there: {reason}"),
            "use https, or http from this very machine, or say `dangerous_allow_http = true`",
        )),
        ConfigError::Production(error) => of_production(error),
        _ => None,
    };
    match in_keys {
        Some((message, help)) => (message, help.to_owned()),
        None => (with_causes(error), String::new()),
    }
}

fn untrusted(issuer: &str) -> (String, &'static str) {
    let message =
        format!("issuer `{issuer}` is not trusted, so none of its tokens would be accepted");
    (message, "add it as an `[[issuer]]` or `[[static_token]]`, under the same name")
}

fn of_issuer(error: &IssuerError) -> Option<(String, &'static str)> {
    Some(match error {
        IssuerError::Duplicate { issuer } => (
            format!("issuer `{issuer}` is there twice"),
            "add all its keys to one `[[issuer]]`, and give each `[[static_token]]` a name of its own",
        ),
        IssuerError::NoAudience { issuer } => (
            format!(
                "issuer `{issuer}` has no audience, so its tokens for other services would be \
                 accepted"
            ),
            "set `audience` to the `aud` meant for this service, or say `dangerous_any_audience = true`",
        ),
        IssuerError::NoKeys { issuer } => (
            format!("issuer `{issuer}` has no key"),
            "add `discovery`, `jwks_uri`, `jwks_file`, `pem_file`, `secret_file` or `secret_env`",
        ),
        IssuerError::NoKeyForAlgorithms { issuer } => (
            format!(
                "no key of issuer `{issuer}` fits its `algorithms`, so every token would be rejected"
            ),
            "allow an algorithm of one of its keys",
        ),
        IssuerError::NoReplayStore { issuer } => (
            format!(
                "tokens of issuer `{issuer}` may be used once, and nothing remembers which were"
            ),
            "name a store in `revocation.store`, or leave `one_time` out",
        ),
        IssuerError::OneTimeWithoutExpiry { issuer } => (
            format!("tokens of issuer `{issuer}` may be used once, and need not expire"),
            "leave out `one_time` or `dangerous_optional_expiry`",
        ),
        IssuerError::EmptySetting { .. } => {
            ("it holds an empty text".to_owned(), "give a value, or leave it out")
        }
        _ => return None,
    })
}

fn of_production(error: &ProductionError) -> Option<(String, &'static str)> {
    let rejected = "this is for trying out, and rejected in production";
    Some(match error {
        ProductionError::AnyIssuer { name } => (
            format!("{rejected}: `{name}` trusts tokens of any issuer"),
            "have the signer write an `iss`, and trust that",
        ),
        ProductionError::ShortSecret { issuer } => (
            format!(
                "{rejected}: a secret of issuer `{issuer}` is shorter than the hash, so that it can be \
                 guessed from one token"
            ),
            "make one of at least 32 random bytes for HS256, 48 for HS384, 64 for HS512",
        ),
        ProductionError::ShortToken { name } => (
            format!(
                "{rejected}: a token of `{name}` has fewer than 16 bytes, so that it can be guessed"
            ),
            "make one of at least 32 random bytes, such as `openssl rand -hex 32` writes",
        ),
        _ => return None,
    })
}

/// Returns the text of an error with those of its causes.
fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        next = cause.source();
    }
    message
}
