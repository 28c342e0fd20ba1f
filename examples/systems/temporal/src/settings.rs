//! Temporal's environment variables.

use std::{collections::HashMap, error::Error, time::Duration};

use portcullis_tonic::{
    Algorithm, AuthErrorKind, Authenticator, ConfigError, GrantMapping, Issuer, MultipleTokens,
    StaticTokens, TokenLocation, error::GrantMappingError, keys::RefreshPolicy,
};

use crate::go_duration;

/// Environment variables by name.
type Variables = HashMap<String, String>;

/// What the variables say.
#[derive(Debug)]
#[non_exhaustive]
pub struct Settings {
    /// The engine.
    pub auth: Authenticator,
    /// Whether tokens are looked at. If not, everyone is the system's admin.
    pub maps_claims: bool,
    /// Whether rights are asked for.
    pub authorizes: bool,
}

impl Settings {
    /// Reads the variables.
    ///
    /// # Errors
    ///
    /// What is wrong with them, for their operator.
    pub fn read(variables: &Variables) -> Result<Self, Box<dyn Error>> {
        let authorizes = is_default("authorizer", value(variables, "TEMPORAL_AUTH_AUTHORIZER"))?;
        let mapper = value(variables, "TEMPORAL_AUTH_CLAIM_MAPPER");
        let maps_claims = is_default("claim mapper", mapper)?;
        let refresh = refresh(value(variables, "TEMPORAL_JWT_KEY_REFRESH"))?;
        let builder = if maps_claims {
            Authenticator::builder().issuer(issuer(variables, refresh)?)
        } else {
            Authenticator::builder().strategy(StaticTokens::builder("no-op").build()?)
        };
        let auth =
            builder.locations([bearer()]).multiple_tokens(MultipleTokens::First).build().map_err(
                |error| match error {
                    ConfigError::GrantMapping(GrantMappingError::InvalidPattern { .. }) => {
                        format!("TEMPORAL_JWT_PERMISSIONS_REGEX: {error}")
                    }
                    _ => error.to_string(),
                },
            )?;
        Ok(Self { auth, maps_claims, authorizes })
    }
}

/// A field of another scheme, or of none, is a bad token, and not a missing one.
fn bearer() -> TokenLocation {
    let field = TokenLocation::header("authorization");
    TokenLocation::custom("bearer", [field], |values| {
        match values
            .iter()
            .flatten()
            .next()
            .map(|value| value.split_once(' ').unwrap_or((value, "")))
        {
            None | Some(("", "")) => Ok(None),
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => {
                Ok(Some(token.to_owned()))
            }
            Some(_) => Err(AuthErrorKind::MalformedRequest.into()),
        }
    })
}

/// Tells whether a plug-in is the default one, and not the one that does nothing.
fn is_default(plug_in: &str, name: &str) -> Result<bool, String> {
    match &*name.to_lowercase() {
        "" => Ok(false),
        "default" => Ok(true),
        _ => Err(format!("unknown {plug_in}: {name}")),
    }
}

/// Returns the value of a variable, which is empty where there is none.
fn value<'a>(variables: &'a Variables, name: &str) -> &'a str {
    variables.get(name).map_or("", String::as_str)
}

fn refresh(text: &str) -> Result<Duration, String> {
    let name = "TEMPORAL_JWT_KEY_REFRESH";
    match go_duration::parse(text) {
        _ if text.is_empty() => Ok(Duration::from_secs(60)),
        // Never: longer than any program runs.
        Some(Duration::ZERO) => Ok(Duration::MAX),
        Some(refresh) => Ok(refresh),
        None => Err(format!("{name} needs a duration like `1m30s`, not `{text}`")),
    }
}

/// Trusts whatever the keys have signed.
fn issuer(variables: &Variables, refresh: Duration) -> Result<Issuer, String> {
    let mut issuer = Issuer::dangerous_any("temporal")
        .algorithms([Algorithm::RS256, Algorithm::ES256])
        .match_key_ids()
        .last_key_of_id_wins()
        .leeway(Duration::ZERO)
        .dangerous_any_token_type()
        .dangerous_optional_expiry()
        .whole_seconds()
        .dangerous_zero_is_no_date()
        // It may be empty, and not absent.
        .dangerous_optional_subject()
        .required_claims(["sub"])
        .grant_mapping(mapping(variables));
    let names = ["TEMPORAL_JWT_KEY_SOURCE1", "TEMPORAL_JWT_KEY_SOURCE2"];
    let sources = names.map(|name| (name, value(variables, name).trim()));
    if sources.iter().all(|(_, uri)| uri.is_empty()) {
        return Err("set TEMPORAL_JWT_KEY_SOURCE1 for the default claim mapper".to_owned());
    }
    for (name, uri) in sources.into_iter().filter(|(_, uri)| !uri.is_empty()) {
        // Documents do not say how long they are good.
        let added = issuer.jwk_set_at(uri, RefreshPolicy::every(refresh));
        issuer = added.map_err(|error| format!("{name}: {error}"))?;
    }
    // Blank is none, and what is not is compared as it is.
    Ok(match value(variables, "TEMPORAL_JWT_AUDIENCE") {
        blank if blank.trim().is_empty() => issuer.dangerous_any_audience(),
        audience => issuer.audience(audience),
    })
}

fn mapping(variables: &Variables) -> GrantMapping {
    let claim = match value(variables, "TEMPORAL_JWT_PERMISSIONS_CLAIM") {
        "" => "/permissions".to_owned(),
        // A name, and no path.
        name => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
    };
    let mapping = match value(variables, "TEMPORAL_JWT_PERMISSIONS_REGEX") {
        "" => GrantMapping::empty().permissions(claim, ":"),
        pattern => GrantMapping::empty().permissions_matching(claim, pattern),
    };
    mapping.dangerous_ignore_malformed_permissions()
}
