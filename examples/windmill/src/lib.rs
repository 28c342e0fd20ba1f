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
    Algorithm, AuthErrorKind, Authenticator, Caller, ConfigError, Granted, Issuer, JwtAuthLayer,
    Place, Policy, RefreshPolicy, Refusal, RemoteJwkSet, RequireLayer, SeveralTokens,
    VerificationKey, policy, policy::path_parameter,
};
use serde_json::{Value, json};

pub use self::identity::Identity;
use self::{answer::allow, scopes::Scopes};

/// How long the keys of a JWK Set are fresh.
const REFRESH: Duration = Duration::from_secs(15 * 60);

/// Builds the engine from environment variables.
///
/// # Errors
///
/// What is wrong with them, for their operator.
pub fn authenticator(
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Authenticator<Identity>, String> {
    // Tokens have neither issuer, audience nor subject.
    let mut issuer =
        Issuer::dangerous_any("windmill").dangerous_any_audience().dangerous_optional_subject();
    let set = |name| variable(name).filter(|text| !text.trim().is_empty());
    let (pem, url) = (set("JWT_EXT_PUBLIC_KEY"), set("JWT_EXT_JWKS_URL"));
    if pem.is_none() && url.is_none() {
        return Err("set JWT_EXT_PUBLIC_KEY or JWT_EXT_JWKS_URL, or both".to_owned());
    }
    if let Some(pem) = pem {
        let key = VerificationKey::from_pem(&pem).and_then(|key| key.algorithm(Algorithm::RS256));
        issuer = issuer.key(key.map_err(|error| format!("JWT_EXT_PUBLIC_KEY: {error}"))?);
    }
    if let Some(url) = url {
        let policy = RefreshPolicy::default().refresh(REFRESH).max_refresh(REFRESH);
        // The PEM is for tokens without a key id then.
        issuer = issuer.match_key_ids();
        issuer = issuer.key_source(RemoteJwkSet::new(url).refresh_policy(policy));
    }
    let header = Place::header("authorization").exact_scheme("Bearer");
    let places = [header, Place::cookie("token"), Place::query("token")];
    let builder = Authenticator::builder()
        .issuer(issuer)
        .places(places.map(|place| place.required_prefix("jwt_ext_").dangerous_repeated_prefix()))
        .several_tokens(SeveralTokens::First)
        .with_grant::<Identity>();
    builder.build().map_err(|error: ConfigError| format!("JWT_EXT_JWKS_URL: {error}"))
}

/// Builds the API.
pub fn app(auth: Authenticator<Identity>) -> Router {
    let scopes = scopes::grammar();
    let member = path_parameter("ws").check(|workspace, _, caller: &Identity| {
        if caller.is_member(workspace) { Ok(()) } else { Err(AuthErrorKind::WrongAudience.into()) }
    });
    let admin = policy::check(|_, caller: &Identity| {
        allow(caller.is_admin, || format!("Require Admin privileges for {}", caller.username))
    });
    let owner = path_parameter("name").check(|name, _, caller: &Identity| {
        allow(caller.owns(name), || format!("You are not owner of the folder {name}"))
    });
    let readable = path_parameter("path").check(|path, _, caller: &Identity| {
        allow(caller.may(path, |_| true), || format!("Permission denied: cannot read {path}"))
    });
    let within = |start: &str, parameter| scopes.covers_path(start, path_parameter(parameter));
    let named = within("folders:write:", "name").or(within("folders:write:f/", "name"));
    let read = scopes.covers("scripts:read").and(within("scripts:read:", "path"));
    let run = scopes.covers("jobs:run:scripts").and(within("jobs:run:scripts:", "path"));
    let update = scopes.covers("folders:write").and(named).and(owner);
    let created = |text| post(move || async move { (StatusCode::CREATED, text) });
    let script = get(async |Path((_, path)): Path<(String, String)>| Json(json!({"path": path})));
    let workspace = Router::new()
        .route("/users/whoami", guarded(get(whoami), scopes.covers("users:read")))
        .route(
            "/users/add",
            guarded(created("user added"), scopes.covers("users:write").and(admin)),
        )
        .route("/scripts/get/p/{*path}", guarded(script, read.and(readable.clone())))
        .route("/scripts/create", guarded(post(create), scopes.covers("scripts:write")))
        .route("/jobs/run/p/{*path}", guarded(created("job started"), run.and(readable)))
        .route("/folders/update/{name}", guarded(post(async || "folder updated"), update))
        .with_state(scopes);
    let judge = JwtAuthLayer::new(auth).pass_options().response_for_refusal(answer::respond);
    // Whatever is wrong with a token is one and the same; keys that are away are none of its faults.
    let judge = judge.map_challenge(|challenge, _| match challenge.status() {
        400..500 => challenge.with_status(401),
        _ => challenge,
    });
    Router::new()
        .nest("/api/w/{ws}", workspace.route_layer(require(member)))
        .route_layer(judge)
        .route("/healthz", get(async || "ok"))
}

/// Puts a policy on a route; `OPTIONS` gets a plain yes.
fn guarded(methods: MethodRouter<Scopes>, policy: Policy<Identity>) -> MethodRouter<Scopes> {
    methods.options(async || ()).route_layer(require(policy))
}

fn require(policy: Policy<Identity>) -> RequireLayer<Identity, fn(&Refusal) -> Response> {
    RequireLayer::new(policy).response_for_refusal(answer::respond)
}

async fn whoami(Path(ws): Path<String>, Granted(caller): Granted<Identity>) -> Json<Value> {
    let Identity { email, username, is_admin, is_operator, groups, folders, scopes, .. } = &*caller;
    Json(json!({
        "email": email, "username": username, "is_admin": is_admin, "operator": is_operator,
        "groups": groups, "folders": folders, "workspace_id": ws, "scopes": scopes,
    }))
}

#[derive(serde::Deserialize)]
struct NewScript {
    path: String,
}

async fn create(
    State(scopes): State<Scopes>,
    Caller(principal): Caller,
    Granted(caller): Granted<Identity>,
    Json(NewScript { path }): Json<NewScript>,
) -> Response {
    let operators = "Permission denied: Operators cannot create scripts for security reasons";
    let checked = allow(!caller.is_operator, || operators.to_owned())
        .and_then(|()| scopes.check(&caller, &format!("scripts:write:{path}")))
        .and_then(|()| {
            allow(caller.may(&path, |write| write), || {
                format!("Permission denied: cannot write {path}")
            })
        });
    match checked {
        Ok(()) => (StatusCode::CREATED, path).into_response(),
        Err(error) => {
            answer::respond(&Refusal::from_error(error, principal.challenge_settings().clone()))
        }
    }
}
