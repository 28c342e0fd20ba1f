//! From environment variables to what judges callers.

use std::time::Duration;

use example_program::{Variables, told};
use portcullis_axum::{
    Algorithm, Authenticator, Clock, ConfigError, GrantMapping, Identity, Issuer, Place,
    RefreshPolicy, RemoteJwkSet, Requirement, StaticTokens, StaticTokensBuilder, TokenFile,
    TokenFormat,
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

/// What judges the callers of each protocol: one engine, with one set of keys and tokens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Judges {
    /// Reads `Bearer` in any letter case, and knows the token of the page.
    pub http: Authenticator,
    /// Reads `Bearer` letter by letter, and does not.
    pub grpc: Authenticator,
    /// Those of services, where there is nothing else to know a caller by.
    only: Option<StaticTokens>,
}

impl Judges {
    /// Builds them from Krishiv's variables.
    ///
    /// # Errors
    ///
    /// What is wrong with them, for their operator.
    pub fn new(variables: &Variables, clock: impl Clock + 'static) -> Result<Self, String> {
        let production = variables.is_on("KRISHIV_PRODUCTION")?;
        let (oidc, tokens) = (oidc(variables, production)?, service_tokens(variables)?);
        if oidc.is_none() && tokens.is_none() {
            let either = "set KRISHIV_OIDC_JWKS_URI or KRISHIV_COORDINATOR_BEARER_TOKEN, or both";
            return Err(either.to_owned());
        }
        let only = tokens.clone().filter(|_| oidc.is_none());
        let (has_oidc, has_tokens) = (oidc.is_some(), tokens.is_some());
        let mut builder = Authenticator::builder().clock(clock).places([place(Place::bearer())]);
        // In front of the issuer: they need no key server.
        for known in [tokens, page_token(variables)?].into_iter().flatten() {
            builder = builder.strategy(known);
        }
        if let Some(issuer) = oidc {
            builder = builder.issuer(issuer);
        }
        if production {
            builder = builder.production().dangerous_any_issuer_in_production();
        }
        let http = builder.build().map_err(|error| about_oidc(&error))?;
        let header = place(Place::header("authorization").exact_scheme("Bearer"));
        let known = [has_oidc.then_some("oidc"), has_tokens.then_some("coordinator")];
        let known = Requirement::any(known.into_iter().flatten().map(Requirement::issuer));
        let grpc = http.clone().reading([header]).and_then(|grpc| grpc.requiring(known));
        Ok(Self { http, grpc: grpc.map_err(|error| error.to_string())?, only })
    }

    /// Tells whether there is nothing that a token could be.
    pub(crate) fn know_nobody(&self) -> bool {
        self.only.as_ref().is_some_and(StaticTokens::is_empty)
    }
}

fn place(place: Place) -> Place {
    place.trimmed().empty_is_absent()
}

fn oidc(variables: &Variables, production: bool) -> Result<Option<Issuer>, String> {
    let Some(uri) = variables.text("KRISHIV_OIDC_JWKS_URI") else { return Ok(None) };
    let refresh = variables.seconds("KRISHIV_OIDC_JWKS_REFRESH_SECS")?;
    let refresh = refresh.unwrap_or(Duration::from_secs(600));
    let policy = RefreshPolicy::every(refresh);
    let claims = variables.text("KRISHIV_OIDC_ROLE_CLAIM").unwrap_or(ROLE_CLAIMS.to_owned());
    // Other claims mean nothing here, whatever their type.
    let mapping = GrantMapping::default().scope([""; 0]).groups([""; 0]);
    // Krishiv has no setting for the issuer, and asks for no `kid`.
    let issuer = Issuer::dangerous_any("oidc")
        .algorithms(ALGORITHMS)
        .try_all_keys()
        .key_source(RemoteJwkSet::new(uri).refresh_policy(policy))
        .grant_mapping(mapping.roles(claims.split(',').map(str::trim)));
    match variables.verbatim("KRISHIV_OIDC_AUDIENCE") {
        Some(audience) => Ok(Some(issuer.audience(audience))),
        None if production => Err("KRISHIV_PRODUCTION needs KRISHIV_OIDC_AUDIENCE".to_owned()),
        None => Ok(Some(issuer.dangerous_any_audience())),
    }
}

fn about_oidc(error: &ConfigError) -> String {
    let variable = match error {
        ConfigError::InvalidClaimPath { .. } => "KRISHIV_OIDC_ROLE_CLAIM",
        ConfigError::EmptySetting { .. } => "KRISHIV_OIDC_AUDIENCE",
        _ => "KRISHIV_OIDC_JWKS_URI",
    };
    format!("{variable}: {error}")
}

/// The tokens of services, which may do everything.
fn service_tokens(variables: &Variables) -> Result<Option<StaticTokens>, String> {
    if variables.text(RELOAD).is_some_and(|text| text.parse::<u64>().is_err()) {
        tracing::warn!("{RELOAD} is no number of seconds: tokens are not read again");
    }
    let caller = Identity::new("coordinator-control-plane").roles([ADMIN]);
    let builder = StaticTokens::builder("coordinator").identity(caller);
    let one = ("KRISHIV_COORDINATOR_BEARER_TOKEN", TokenFormat::Whole);
    known(variables, builder, &[one, ("KRISHIV_COORDINATOR_BEARER_TOKENS", TokenFormat::List)])
}

/// The token of the page, whose bearer reads.
fn page_token(variables: &Variables) -> Result<Option<StaticTokens>, String> {
    let builder = StaticTokens::builder("ui").identity(Identity::new("ui").roles([READER]));
    known(variables, builder, &[("KRISHIV_UI_TOKEN", TokenFormat::Whole)])
}

/// Reads tokens from variables and from the files that others name; `None` if there can never be any.
fn known(
    variables: &Variables,
    builder: StaticTokensBuilder,
    names: &[(&str, TokenFormat)],
) -> Result<Option<StaticTokens>, String> {
    let seconds = variables.text(RELOAD).map_or(Ok(30), |text| text.parse());
    let mut builder = match seconds {
        Ok(seconds @ 1..) => builder.reload_every(Duration::from_secs(seconds)),
        Ok(0) | Err(_) => builder.read_once(),
    };
    let mut may_come = false;
    for &(name, format) in names {
        let text = variables.text(name).unwrap_or_default();
        may_come |= text.contains(|letter: char| letter != ',' && !letter.is_whitespace());
        builder = builder.text_of_format(text, format);
        if let Some(path) = variables.text(&format!("{name}_FILE")) {
            let file = TokenFile::new(path).format(format);
            builder =
                builder.file(if format == TokenFormat::List { file.optional() } else { file });
            may_come = true;
        }
    }
    let tokens = may_come.then(|| builder.build());
    tokens.transpose().map_err(|error| told(&error))
}
