//! Windmill's settings and routes.

mod answer;
mod identity;
mod scopes;

use std::time::Duration;

use axum::{
    Json, Router,
    extract::Path,
    http::StatusCode,
    response::Response,
    routing::{MethodRouter, get, post},
};
use portcullis_axum::{
    Algorithm, AuthErrorKind, Authenticator, Caller, Granted, Issuer, JwtAuthLayer, MultipleTokens,
    RequireLayer, TokenLocation, VerificationKey,
    keys::{RefreshPolicy, RemoteJwkSet},
    policy::{self, allow_if, path_parameter},
};
use serde_json::{Value, json};

pub use self::identity::Identity;
use self::scopes::SCOPES;

/// How long the keys of a JWK Set are fresh.
const REFRESH: Duration = Duration::from_secs(15 * 60);

const PREFIX: &str = "jwt_ext_";

/// Builds the engine from the values of `JWT_EXT_PUBLIC_KEY` and `JWT_EXT_JWKS_URL`.
///
/// # Errors
///
/// What is wrong with them, for their operator.
pub fn authenticator(
    pem: Option<&str>,
    url: Option<&str>,
) -> Result<Authenticator<Identity>, String> {
    if pem.is_none() && url.is_none() {
        return Err("set JWT_EXT_PUBLIC_KEY or JWT_EXT_JWKS_URL, or both".to_owned());
    }
    // Tokens have neither issuer, audience nor subject.
    let mut issuer =
        Issuer::dangerous_any("windmill").dangerous_any_audience().dangerous_optional_subject();
    if let Some(pem) = pem {
        let key = VerificationKey::from_pem(pem).and_then(|key| key.algorithm(Algorithm::RS256));
        issuer = issuer.key(key.map_err(|error| format!("JWT_EXT_PUBLIC_KEY: {error}"))?);
    }
    if let Some(url) = url {
        let keys = RemoteJwkSet::new(url).refresh_policy(RefreshPolicy::every(REFRESH));
        // The PEM is for tokens without a key id then.
        issuer = issuer.match_key_ids().key_source(keys);
    }
    let header = TokenLocation::header("authorization").exact_scheme("Bearer");
    let locations = [header, TokenLocation::cookie("token"), TokenLocation::query("token")];
    Authenticator::builder()
        .issuer(issuer)
        .locations(locations.map(with_prefix))
        .multiple_tokens(MultipleTokens::First)
        .with_grant::<Identity>()
        .build()
        .map_err(|error| format!("JWT_EXT_JWKS_URL: {error}"))
}

/// Every token has the prefix. One without it is a bad token, and not a missing one.
fn with_prefix(location: TokenLocation) -> TokenLocation {
    let custom = TokenLocation::custom("prefixed token", [location], |values| match values {
        [Some(token)] if token.starts_with(PREFIX) => Ok(Some((*token).to_owned())),
        _ => Err(AuthErrorKind::MalformedToken.into()),
    });
    custom.prefix(PREFIX).dangerous_repeated_prefix()
}

/// Builds the API.
pub fn app(auth: Authenticator<Identity>) -> Router {
    let within = |start: &str, parameter| SCOPES.covers_path(start, path_parameter(parameter));
    let member = path_parameter("ws").check(|ws, _, caller: &Identity| caller.is_member(ws));
    let owner = path_parameter("name").check(|name, _, caller: &Identity| caller.owns(name));
    let reader =
        path_parameter("path").check(|path, _, caller: &Identity| caller.may("read", path));
    let admin = policy::check(|_, caller: &Identity| {
        allow_if(caller.is_admin, || format!("Require Admin privileges for {}", caller.username))
    });
    let creator = policy::check(|_, caller: &Identity| {
        let reason = "Permission denied: Operators cannot create scripts for security reasons";
        allow_if(!caller.is_operator, || reason)
    });
    let named = within("folders:write:", "name").or(within("folders:write:f/", "name"));
    let read = SCOPES.covers("scripts:read").and(within("scripts:read:", "path"));
    let run = SCOPES.covers("jobs:run:scripts").and(within("jobs:run:scripts:", "path"));
    let add = SCOPES.covers("users:write").and(admin);
    let update = SCOPES.covers("folders:write").and(named).and(owner);
    let create = SCOPES.covers("scripts:write").and(creator);
    let created = |text| post(move || async move { (StatusCode::CREATED, text) });
    let script = get(async |Path((_, path)): Path<(String, String)>| Json(json!({"path": path})));
    // Every fault of a token has the same status.
    let judge = JwtAuthLayer::new(auth)
        .map_challenge(|challenge, _| challenge.with_client_status(401))
        .response_for_rejection(answer::respond);
    let guarded = |methods: MethodRouter, policy| {
        let asks = RequireLayer::new(member.clone().and(policy));
        let asks = asks.response_for_rejection(answer::respond);
        // A method that is added after the layers is open.
        methods.route_layer(asks).layer(judge.clone()).options(async || ())
    };
    let workspace = Router::new()
        .route("/users/whoami", guarded(get(whoami), SCOPES.covers("users:read")))
        .route("/users/add", guarded(created("user added"), add))
        .route("/scripts/get/p/{*path}", guarded(script, read.and(reader.clone())))
        .route("/scripts/create", guarded(post(create_script), create))
        .route("/jobs/run/p/{*path}", guarded(created("job started"), run.and(reader)))
        .route("/folders/update/{name}", guarded(post(async || "folder updated"), update));
    Router::new().nest("/api/w/{ws}", workspace).route("/healthz", get(async || "ok"))
}

async fn whoami(Path(ws): Path<String>, Granted(caller): Granted<Identity>) -> Json<Value> {
    Json(json!({
        "email": caller.email, "username": caller.username, "is_admin": caller.is_admin,
        "operator": caller.is_operator, "groups": caller.groups, "folders": caller.folders,
        "workspace_id": ws, "scopes": caller.scopes,
    }))
}

#[derive(serde::Deserialize)]
struct NewScript {
    path: String,
}

async fn create_script(
    caller: Caller,
    Granted(identity): Granted<Identity>,
    Json(NewScript { path }): Json<NewScript>,
) -> Result<(StatusCode, String), Response> {
    let checked = SCOPES.check(&identity, &format!("scripts:write:{path}"));
    match checked.and_then(|()| identity.may("write", &path)) {
        Ok(()) => Ok((StatusCode::CREATED, path)),
        Err(error) => Err(answer::respond(&caller.reject(error))),
    }
}
