//! Temporal's environment variables.

use std::time::Duration;

use portcullis_tonic::{
    Algorithm, Authenticator, ConfigError, GrantMapping, Issuer, JwkSetFile, KeySource, Place,
    RefreshPolicy, RemoteJwkSet, SeveralTokens, StaticTokens,
};
use url::Url;

/// Longer than any program runs.
const NEVER: Duration = Duration::MAX;

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
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let set = |name: &str| variable(name).unwrap_or_default();
        let authorizes = is_default("authorizer", &set("TEMPORAL_AUTH_AUTHORIZER"))?;
        let maps_claims = is_default("claim mapper", &set("TEMPORAL_AUTH_CLAIM_MAPPER"))?;
        let refresh = match &*set("TEMPORAL_JWT_KEY_REFRESH") {
            "" => Duration::from_secs(60),
            text => go_duration(text)
                .ok_or_else(|| format!("TEMPORAL_JWT_KEY_REFRESH: invalid duration `{text}`"))?,
        };
        let builder = if maps_claims {
            Authenticator::builder().issuer(issuer(&set, refresh)?)
        } else {
            let nobody = StaticTokens::builder("no-op").build();
            Authenticator::builder().strategy(nobody.map_err(|error| error.to_string())?)
        };
        let auth = builder
            .places([Place::header("authorization").required_scheme("Bearer")])
            .several_tokens(SeveralTokens::First)
            .build()
            .map_err(|error| match error {
                ConfigError::InvalidPattern { .. } => {
                    format!("TEMPORAL_JWT_PERMISSIONS_REGEX: {error}")
                }
                _ => error.to_string(),
            })?;
        Ok(Self { auth, maps_claims, authorizes })
    }
}

/// Tells whether a plug-in is the default one, and not the one that does nothing.
fn is_default(plug_in: &str, name: &str) -> Result<bool, String> {
    match &*name.to_lowercase() {
        "" => Ok(false),
        "default" => Ok(true),
        _ => Err(format!("unknown {plug_in}: {name}")),
    }
}

/// Trusts whatever the keys have signed.
fn issuer(set: &dyn Fn(&str) -> String, refresh: Duration) -> Result<Issuer, String> {
    let mut issuer = Issuer::dangerous_any("temporal")
        .algorithms([Algorithm::RS256, Algorithm::ES256])
        .match_key_ids()
        .last_key_of_id_wins()
        .leeway(Duration::ZERO)
        .dangerous_any_token_type()
        .dangerous_optional_expiry()
        .dangerous_zero_is_no_date()
        // It may be empty, and not absent.
        .dangerous_optional_subject()
        .required_claims(["sub"])
        .grant_mapping(mapping(set));
    let names = ["TEMPORAL_JWT_KEY_SOURCE1", "TEMPORAL_JWT_KEY_SOURCE2"];
    let sources: Vec<_> = names.into_iter().filter(|name| !set(name).trim().is_empty()).collect();
    if sources.is_empty() {
        return Err("set TEMPORAL_JWT_KEY_SOURCE1 for the default claim mapper".to_owned());
    }
    for name in sources {
        let added = key_source(issuer, set(name).trim(), refresh);
        issuer = added.map_err(|error| format!("{name}: {error}"))?;
    }
    let audience = set("TEMPORAL_JWT_AUDIENCE");
    Ok(if audience.trim().is_empty() {
        issuer.dangerous_any_audience()
    } else {
        issuer.audience(audience)
    })
}

fn key_source(issuer: Issuer, uri: &str, refresh: Duration) -> Result<Issuer, String> {
    // Documents do not say how long they are good.
    let policy = RefreshPolicy::every(refresh);
    match Url::parse(uri) {
        Ok(url) if url.scheme() == "file" => {
            let path = url.to_file_path();
            let path =
                path.map_err(|()| format!("file URI with remote host is not supported: {uri}"))?;
            Ok(issuer.key_source(JwkSetFile::new(path).refresh_policy(policy)))
        }
        _ => {
            let source = RemoteJwkSet::new(uri).refresh_policy(policy);
            source.check().map_err(|error| error.to_string())?;
            Ok(issuer.key_source(source))
        }
    }
}

fn mapping(set: &dyn Fn(&str) -> String) -> GrantMapping {
    let claim = match &*set("TEMPORAL_JWT_PERMISSIONS_CLAIM") {
        "" => "/permissions".to_owned(),
        // A name, and no path.
        name => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
    };
    let none: [&str; 0] = [];
    let mapping = GrantMapping::default().scope(none).roles(none).groups(none);
    let mapping = match &*set("TEMPORAL_JWT_PERMISSIONS_REGEX") {
        "" => mapping.permissions(claim, ":"),
        pattern => mapping.permissions_matching(claim, pattern),
    };
    mapping.levels_in_lower_case().dangerous_ignore_malformed_permissions()
}

/// Reads a duration as Go writes it, such as `1m30s`. One that is not positive means never.
fn go_duration(text: &str) -> Option<Duration> {
    let is_number = |character: char| character.is_ascii_digit() || character == '.';
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Some(NEVER);
    }
    let mut seconds = 0.0;
    loop {
        let (number, unit) = rest.split_at_checked(rest.find(|c| !is_number(c))?)?;
        let (unit, next) = unit.split_at_checked(unit.find(is_number).unwrap_or(unit.len()))?;
        let unit = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * unit;
        if next.is_empty() {
            break;
        }
        rest = next;
    }
    let is_positive = seconds > 0.0 && !text.starts_with('-');
    if is_positive { Duration::try_from_secs_f64(seconds).ok() } else { Some(NEVER) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s1_1_durations_are_those_of_go() {
        for (text, millis) in [
            ("1m", 60_000),
            ("1h30m", 5_400_000),
            ("1m0.5s", 60_500),
            (".5s", 500),
            ("5.s", 5_000),
            ("+100ms", 100),
            ("1000us", 1),
            ("1000\u{b5}s1000\u{3bc}s", 2),
            ("1000000ns", 1),
            ("1m1m", 120_000),
        ] {
            assert_eq!(go_duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for never in ["0", "0s", "-0", "+0", "-1m", "-1h0s", "0h0m"] {
            assert_eq!(go_duration(never), Some(NEVER), "{never}");
        }
        for wrong in [
            "",
            "-",
            "+",
            "1",
            "60",
            "m",
            ".",
            ".s",
            "1.2.3s",
            "1 m",
            " 1m",
            "1m ",
            "1d",
            "1M",
            "--1s",
            "1m-1s",
            "1s0",
            "1m0",
            "00",
            "inf",
            "1e3s",
            "\u{661}s",
            "99999999999999999999h",
        ] {
            assert_eq!(go_duration(wrong), None, "{wrong}");
        }
    }
}
