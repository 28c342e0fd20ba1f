//! From environment variables to what judges callers.

use std::{collections::HashMap, error::Error, num::NonZeroU32, path::PathBuf, time::Duration};

use portcullis_axum::{
    Algorithm, Authenticator, ConfigError, GrantMapping, Issuer, Requirement, StaticTokens,
    TokenLocation,
    clock::Clock,
    error::{GrantMappingError, IssuerError, ProductionError},
    keys::{RefreshPolicy, RemoteJwkSet},
    strategy::{Identity, StaticTokensBuilder, TokenFile, TokenFormat},
};

use crate::roles::{ADMIN, READER};

/// Where tokens name their role, unless configured otherwise.
const ROLE_CLAIMS: &str = "krishiv_role,https://krishiv/roles,groups";

/// Those of RSA, P-256, P-384 and Ed25519.
const ALGORITHMS: [Algorithm; 9] = {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA]
};

const RELOAD: &str = "KRISHIV_COORDINATOR_AUTH_RELOAD_INTERVAL_SECS";

/// Environment variables by name.
type Variables = HashMap<String, String>;

/// What judges the callers of each protocol: one engine, with one set of keys and tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Judges {
    /// Reads `Bearer` in any letter case, and knows the token of the page.
    pub http: Authenticator,
    /// Reads `Bearer` letter by letter, and does not.
    pub grpc: Authenticator,
    /// The tokens of services, where there is nothing else to know a caller by.
    pub(crate) only: Option<StaticTokens>,
}

impl Judges {
    /// Builds them from Krishiv's variables.
    ///
    /// # Errors
    ///
    /// What is wrong with them, for their operator.
    pub fn new(variables: &Variables, clock: impl Clock + 'static) -> Result<Self, Box<dyn Error>> {
        let production = is_on(variables, "KRISHIV_PRODUCTION")?;
        let (oidc, services) = (oidc(variables, production)?, of_services(variables)?);
        if oidc.is_none() && services.is_none() {
            let either = "set KRISHIV_OIDC_JWKS_URI or KRISHIV_COORDINATOR_BEARER_TOKEN, or both";
            return Err(either.into());
        }
        let only = services.clone().filter(|_| oidc.is_none());
        let known = [oidc.as_ref().map(|_| "oidc"), services.as_ref().map(|_| "coordinator")];
        let known = Requirement::any(known.into_iter().flatten().map(Requirement::issuer));
        let builder = Authenticator::builder()
            .clock(clock)
            .locations([trimmed(TokenLocation::bearer())])
            // In front of the issuer: they need no key server.
            .strategies(services)
            .strategies(of_page(variables)?)
            .issuers(oidc)
            .dangerous_any_issuer_in_production();
        let builder = if production { builder.production() } else { builder };
        let http = builder.build().map_err(|error| about_variable(&error))?;
        let exact = trimmed(TokenLocation::bearer().exact_scheme("Bearer"));
        let grpc = http.clone().with_locations([exact])?.with_requirement(known)?;
        Ok(Self { http, grpc, only })
    }
}

/// Krishiv trims tokens, and an empty one counts as missing.
fn trimmed(location: TokenLocation) -> TokenLocation {
    TokenLocation::custom("bearer", [location], |values| {
        let tokens = values.iter().flatten().map(|token| token.trim_ascii());
        Ok(tokens.filter(|token| !token.is_empty()).map(ToOwned::to_owned).next())
    })
}

fn oidc(variables: &Variables, production: bool) -> Result<Option<Issuer>, String> {
    let Some(uri) = text(variables, "KRISHIV_OIDC_JWKS_URI") else { return Ok(None) };
    let refresh = seconds(variables, "KRISHIV_OIDC_JWKS_REFRESH_SECS")?;
    let policy = RefreshPolicy::every(refresh.unwrap_or(Duration::from_secs(600)));
    let claims = text(variables, "KRISHIV_OIDC_ROLE_CLAIM").unwrap_or(ROLE_CLAIMS);
    // Krishiv has no setting for the issuer, and asks for no `kid`.
    let issuer = Issuer::dangerous_any("oidc")
        .algorithms(ALGORITHMS)
        .try_all_keys()
        .key_source(RemoteJwkSet::new(uri).refresh_policy(policy))
        .grant_mapping(GrantMapping::empty().roles(claims.split(',').map(str::trim)));
    match variables.get("KRISHIV_OIDC_AUDIENCE") {
        Some(audience) => Ok(Some(issuer.audience(audience))),
        None if production => Err("KRISHIV_PRODUCTION needs KRISHIV_OIDC_AUDIENCE".to_owned()),
        None => Ok(Some(issuer.dangerous_any_audience())),
    }
}

fn about_variable(error: &ConfigError) -> String {
    let variable = match error {
        ConfigError::Production(ProductionError::ShortToken { name }) if name == "ui" => {
            "KRISHIV_UI_TOKEN"
        }
        ConfigError::Production(ProductionError::ShortToken { .. }) => {
            "KRISHIV_COORDINATOR_BEARER_TOKEN"
        }
        ConfigError::GrantMapping(GrantMappingError::InvalidClaimPath(_)) => {
            "KRISHIV_OIDC_ROLE_CLAIM"
        }
        ConfigError::Issuer(IssuerError::EmptySetting { .. }) => "KRISHIV_OIDC_AUDIENCE",
        _ => "KRISHIV_OIDC_JWKS_URI",
    };
    format!("{variable}: {error}")
}

/// The tokens of services, which may do everything.
fn of_services(variables: &Variables) -> Result<Option<StaticTokens>, ConfigError> {
    if text(variables, RELOAD).is_some_and(|text| text.parse::<u64>().is_err()) {
        tracing::warn!("{RELOAD} is no number of seconds: tokens are not read again");
    }
    let caller = Identity::new("coordinator-control-plane").roles([ADMIN]);
    let (one, more) = ("KRISHIV_COORDINATOR_BEARER_TOKEN", "KRISHIV_COORDINATOR_BEARER_TOKENS");
    let list = |path| TokenFile::new(path).format(TokenFormat::List).optional();
    one_token(variables, one, StaticTokens::builder("coordinator").identity(caller))
        .text_of_format(text(variables, more).unwrap_or_default(), TokenFormat::List)
        .files(file(variables, more).map(list))
        .build_if_any()
}

/// The token of the page, whose bearer reads.
fn of_page(variables: &Variables) -> Result<Option<StaticTokens>, ConfigError> {
    let page = StaticTokens::builder("ui").identity(Identity::new("ui").roles([READER]));
    one_token(variables, "KRISHIV_UI_TOKEN", page).build_if_any()
}

/// Adds the token that a variable holds, and that of the file which the variable beside it names.
fn one_token(variables: &Variables, name: &str, set: StaticTokensBuilder) -> StaticTokensBuilder {
    let set = match text(variables, RELOAD).map_or(Ok(30), |text| text.parse()) {
        Ok(seconds @ 1..) => set.reload_every(Duration::from_secs(seconds)),
        Ok(0) | Err(_) => set.read_once(),
    };
    let whole = |path| TokenFile::new(path).format(TokenFormat::Whole);
    set.text_of_format(text(variables, name).unwrap_or_default(), TokenFormat::Whole)
        .files(file(variables, name).map(whole))
}

/// A value without the space around it. A blank one counts as unset.
fn text<'a>(variables: &'a Variables, name: &str) -> Option<&'a str> {
    variables.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// The file that `…_FILE` names, next to a variable that has the text itself.
fn file(variables: &Variables, name: &str) -> Option<PathBuf> {
    text(variables, &format!("{name}_FILE")).map(PathBuf::from)
}

/// A value that is neither yes nor no is an error: a wrong guess would switch checks off.
fn is_on(variables: &Variables, name: &str) -> Result<bool, String> {
    match text(variables, name) {
        Some("1" | "true" | "yes") => Ok(true),
        None | Some("0" | "false" | "no") => Ok(false),
        Some(_) => Err(format!("{name} needs `1`, `true` or `yes`, or `0`, `false` or `no`")),
    }
}

/// A number of seconds, at least one.
fn seconds(variables: &Variables, name: &str) -> Result<Option<Duration>, String> {
    let Some(text) = text(variables, name) else { return Ok(None) };
    match text.parse::<NonZeroU32>() {
        Ok(seconds) => Ok(Some(Duration::from_secs(seconds.get().into()))),
        Err(_) => Err(format!("{name} needs a number of seconds, not `{text}`")),
    }
}
