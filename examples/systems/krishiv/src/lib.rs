//! Krishiv's settings, its API and its page.

mod answer;
mod coordinator;
mod roles;
mod settings;

use axum::{
    Json, Router,
    extract::Path,
    response::Html,
    routing::{MethodRouter, get, post},
};
use portcullis_axum::{Caller, Granted, JwtAuthLayer, ReadinessService, RequireLayer};
use portcullis_tonic::MethodError;
use serde_json::{Value, json};

use self::roles::{ADMIN, READER, WRITER, at_least};
pub use self::settings::Judges;

/// The page may load its own script and style, and ask the API.
const PAGE_HEADERS: [(&str, &str); 4] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'sha256-8Hkc018LlQ+Qd1bYO7Zi2w1obKx6eYCV8BaIdTlXKdk='; \
         style-src 'sha256-gfWEwsg0YljrPlB3mWkZubyle9kJkdz3DYdel5Qbp7U='; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("cache-control", "no-cache"),
];

/// Builds the coordinator: gRPC, the API and the page, for one port.
///
/// # Errors
///
/// A mistake in the table of methods.
pub fn app(judges: Judges) -> Result<Router, MethodError> {
    let respond = answer::http(judges.only);
    let guarded = |methods: MethodRouter, role| {
        let asks = RequireLayer::new(at_least(role));
        methods.route_layer(asks.response_for_rejection(respond.clone()))
    };
    let submit = post(Json(json!({"state": "accepted"})));
    let cancel = async |Path(id): Path<String>| Json(json!({"id": id, "state": "cancelled"}));
    let judge = JwtAuthLayer::new(judges.http.clone()).map_challenge(answer::unauthorized);
    Ok(Router::new()
        .route("/api/jobs", guarded(get(jobs), READER))
        .route("/api/queries", guarded(submit, WRITER))
        .route("/api/jobs/{id}/cancel", guarded(post(cancel), ADMIN))
        .route_layer(judge.response_for_rejection(respond))
        .merge(coordinator::routes(judges.grpc)?)
        .route("/", get((PAGE_HEADERS, Html(include_str!("page.html")))))
        .route("/healthz", get(async || "ok"))
        .route_service("/readyz", ReadinessService::new(judges.http)))
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
