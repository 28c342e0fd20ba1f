//! Windmill's settings and routes.

mod answer;
mod identity;
mod scopes;

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use portcullis_axum::{
    Algorithm, AuthError, AuthErrorKind, Authenticator, Caller, Granted, Issuer, JwtAuthLayer,
    Place, Policy, RefreshPolicy, Refusal, RemoteJwkSet, RequireLayer, SeveralTokens,
    VerificationKey, policy::path_parameter,
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

pub use identity::Identity;
use scopes::Scopes;

/// How long the keys of a JWK Set are fresh.
const REFRESH: Duration = Duration::from_secs(15 * 60);

/// The environment variables.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Settings {
    /// `JWT_EXT_PUBLIC_KEY`: the text of a PEM.
    pub public_key: Option<String>,
    /// `JWT_EXT_JWKS_URL`.
    pub jwk_set_url: Option<String>,
}

impl Settings {
    /// Reads the variables. An empty one is not set.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let read = |name| variable(name).filter(|text| !text.trim().is_empty());
        Self { public_key: read("JWT_EXT_PUBLIC_KEY"), jwk_set_url: read("JWT_EXT_JWKS_URL") }
    }
}

/// Builds the engine.
///
/// # Errors
///
/// What is wrong with the settings, for their operator.
pub fn authenticator(settings: &Settings) -> Result<Authenticator<Identity>, String> {
    // Tokens have neither issuer, audience nor subject.
    let mut issuer =
        Issuer::dangerous_any("windmill").dangerous_any_audience().dangerous_optional_subject();
    if let Some(pem) = &settings.public_key {
        let key = VerificationKey::from_pem(pem).and_then(|key| key.algorithm(Algorithm::RS256));
        issuer = issuer.key(key.map_err(|error| format!("JWT_EXT_PUBLIC_KEY: {error}"))?);
    }
    if let Some(url) = &settings.jwk_set_url {
        let policy = RefreshPolicy::default().refresh(REFRESH).max_refresh(REFRESH);
        let source = RemoteJwkSet::new(url).refresh_policy(policy);
        // The PEM is for tokens without a key id then.
        issuer = issuer.match_key_ids().key_source(source);
    }
    if settings.public_key.is_none() && settings.jwk_set_url.is_none() {
        return Err("set JWT_EXT_PUBLIC_KEY or JWT_EXT_JWKS_URL, or both".to_owned());
    }
    let header = Place::header("authorization").exact_scheme("Bearer");
    let places = [header, Place::cookie("token"), Place::query("token")];
    Authenticator::builder()
        .issuer(issuer)
        .places(places.map(|place| place.required_prefix("jwt_ext_").dangerous_repeated_prefix()))
        .several_tokens(SeveralTokens::First)
        .with_grant::<Identity>()
        .build()
        .map_err(|error| format!("JWT_EXT_JWKS_URL: {error}"))
}

/// Builds the API.
pub fn app(auth: Authenticator<Identity>) -> Router {
    let scopes = scopes::grammar();
    let member = path_parameter("ws").check(|workspace, _, identity: &Identity| {
        let known = identity.is_member(workspace);
        if known { Ok(()) } else { Err(AuthErrorKind::WrongAudience.into()) }
    });
    let admin = portcullis_axum::policy::check(|_, identity: &Identity| identity.check_admin());
    let owner = path_parameter("name").check(|name, _, id: &Identity| id.check_folder_owner(name));
    let readable = || path_parameter("path").check(|path, _, id: &Identity| id.check_read(path));
    let on_path = |start: &str| {
        let of_path = scopes.covers_path(format!("{start}:"), path_parameter("path"));
        scopes.covers(start).and(of_path).and(readable())
    };
    let named = |start: &str| scopes.covers_path(start, path_parameter("name"));
    let folder = named("folders:write:").or(named("folders:write:f/"));
    let workspace = Router::new()
        .route("/users/whoami", guarded(get(whoami), scopes.covers("users:read")))
        .route("/users/add", guarded(post(add_user), scopes.covers("users:write").and(admin)))
        .route("/scripts/get/p/{*path}", guarded(get(get_script), on_path("scripts:read")))
        .route("/scripts/create", guarded(post(create_script), scopes.covers("scripts:write")))
        .route("/jobs/run/p/{*path}", guarded(post(run_script), on_path("jobs:run:scripts")))
        .route(
            "/folders/update/{name}",
            guarded(post(update_folder), scopes.covers("folders:write").and(folder).and(owner)),
        )
        .with_state(scopes);
    Router::new()
        .nest("/api/w/{ws}", workspace.route_layer(require(member)))
        .route_layer(
            JwtAuthLayer::new(auth)
                .pass_options()
                .response_for_refusal(answer::respond)
                .map_challenge(answer::unauthorized),
        )
        .route("/healthz", get(|| async { "ok" }))
}

/// A route and its policy; `OPTIONS` gets a plain yes.
fn guarded(methods: MethodRouter<Scopes>, policy: Policy<Identity>) -> MethodRouter<Scopes> {
    methods.options(|| async {}).route_layer(require(policy))
}

fn require(policy: Policy<Identity>) -> RequireLayer<Identity, fn(&Refusal) -> Response> {
    RequireLayer::new(policy).response_for_refusal(answer::respond)
}

async fn whoami(
    Path(workspace): Path<String>,
    Granted(identity): Granted<Identity>,
) -> Json<Value> {
    Json(json!({
        "email": identity.email,
        "username": identity.username,
        "is_admin": identity.is_admin,
        "operator": identity.is_operator,
        "groups": identity.groups,
        "folders": identity.folders,
        "workspace_id": workspace,
        "scopes": identity.scopes,
    }))
}

async fn get_script(Path((_, path)): Path<(String, String)>) -> Json<Value> {
    Json(json!({"path": path}))
}

#[derive(Deserialize)]
struct NewScript {
    path: String,
}

async fn create_script(
    State(scopes): State<Scopes>,
    caller: Caller,
    Granted(identity): Granted<Identity>,
    Json(script): Json<NewScript>,
) -> Response {
    let check = || -> Result<(), AuthError> {
        identity.check_not_operator("scripts")?;
        scopes.check(&identity, &format!("scripts:write:{}", script.path))?;
        identity.check_write(&script.path)
    };
    match check() {
        Ok(()) => (StatusCode::CREATED, script.path).into_response(),
        Err(error) => {
            answer::respond(&Refusal::from_error(error, caller.challenge_settings().clone()))
        }
    }
}

async fn run_script() -> (StatusCode, String) {
    (StatusCode::CREATED, Uuid::new_v4().to_string())
}

async fn update_folder(Path((_, name)): Path<(String, String)>) -> String {
    format!("updated folder {name}")
}

async fn add_user() -> (StatusCode, &'static str) {
    (StatusCode::CREATED, "user added")
}
