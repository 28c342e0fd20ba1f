//! Krishiv's settings, its API and its page.

mod answer;
mod coordinator;
mod roles;
mod settings;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse},
    routing::{MethodRouter, get, post},
};
use portcullis_axum::{Authenticator, Caller, Granted, JwtAuthLayer, Refusal, RequireLayer};
use portcullis_tonic::MethodError;
use serde_json::{Value, json};

use self::roles::{ADMIN, READER, WRITER, at_least};
pub use self::settings::Judges;

/// What the page may load: its own script and style, and the API.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; \
    script-src 'sha256-A8B8rfF9epjyLxNETzyO6QskhvscZjnNFUx5CCWMTbg='; \
    style-src 'sha256-gfWEwsg0YljrPlB3mWkZubyle9kJkdz3DYdel5Qbp7U='; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Builds the coordinator: gRPC, the API and the page, for one port.
///
/// # Errors
///
/// A mistake in the table of methods.
pub fn app(judges: Judges) -> Result<Router, MethodError> {
    let guarded = |methods: MethodRouter, role| {
        let respond = judges.clone();
        let respond = move |refusal: &Refusal| answer::http(refusal, &respond);
        methods.route_layer(RequireLayer::new(at_least(role)).response_for_refusal(respond))
    };
    let respond = judges.clone();
    let judge = JwtAuthLayer::new(judges.http.clone())
        .map_challenge(answer::unauthorized)
        .response_for_refusal(move |refusal: &Refusal| answer::http(refusal, &respond));
    Ok(Router::new()
        .route("/api/jobs", guarded(get(jobs), READER))
        .route("/api/queries", guarded(post(submit), WRITER))
        .route("/api/jobs/{id}/cancel", guarded(post(cancel), ADMIN))
        .route_layer(judge)
        .merge(coordinator::routes(judges.grpc)?)
        .route("/", get(page))
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(ready).with_state(judges.http)))
}

async fn jobs(caller: Caller, grant: Granted) -> Json<Value> {
    Json(json!({
        "principal": roles::name(&caller, &grant),
        "role": roles::role(&grant),
        "jobs": [
            {"id": "daily-orders", "state": "running"},
            {"id": "clickstream", "state": "running"},
            {"id": "backfill-2025", "state": "queued"},
        ],
    }))
}

async fn submit() -> Json<Value> {
    Json(json!({"state": "accepted"}))
}

async fn cancel(Path(id): Path<String>) -> Json<Value> {
    Json(json!({"id": id, "state": "cancelled"}))
}

async fn ready(State(auth): State<Authenticator>) -> impl IntoResponse {
    match auth.health() {
        Ok(()) => (StatusCode::OK, "ready"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "no usable keys"),
    }
}

async fn page() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, Html(include_str!("page.html")))
}
