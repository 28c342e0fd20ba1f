//! The service on axum.

use std::{error::Error, time::Duration};

use axum::{Json, Router, handler::Handler, http::StatusCode, routing::get};
use portcullis_axum::{
    Authenticator, Caller, EndpointService, Granted, JwtAuthLayer, ReadinessService, RequireLayer,
    ResourceMetadataService, policy,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{Service, revocation::Endpoints, stop::Stop};

pub(crate) async fn serve(service: Service, stop: Stop) -> Result<(), Box<dyn Error>> {
    let Service { auth, revocation, metrics, listener } = service;
    let app =
        app(&auth, revocation).route("/metrics", get(move || async move { metrics.render() }));
    let server = axum::serve(TcpListener::from_std(listener)?, app)
        .with_graceful_shutdown(stop.clone().requested());
    tokio::select! {
        served = server => served?,
        () = stop.overdue() => {}
    }
    auth.shutdown().await;
    Ok(())
}

fn app(auth: &Authenticator, revocation: Option<Endpoints>) -> Router {
    let may_read = RequireLayer::new(policy::scope("orders:read"));
    let may_write = RequireLayer::new(policy::scope("orders:write"));
    let is_admin = RequireLayer::new(policy::role("admin"));
    let is_fresh = RequireLayer::new(policy::max_age(Duration::from_secs(300)));
    let (protected, public) = revocation.map(revocation_routes).unwrap_or_default();
    let app = protected
        .route("/whoami", get(whoami))
        .route("/orders", get(list_orders.layer(may_read)).post(create_order.layer(may_write)))
        .route("/admin", get(show_admin.layer(is_admin)))
        .route("/fresh", get(show_fresh.layer(is_fresh)))
        .route_layer(JwtAuthLayer::new(auth.clone()))
        // Routes that are added after the layer are public.
        .merge(public)
        .route("/healthz", get(|| async { "ok" }))
        .route_service("/readyz", ReadinessService::new(auth.clone()));
    match ResourceMetadataService::new(auth) {
        Ok(metadata) => app.route_service(metadata.path(), metadata.clone()),
        // The configuration has no `[resource]`.
        Err(_) => app,
    }
}

/// Returns the routes that need a caller, and those that do not.
fn revocation_routes(endpoints: Endpoints) -> (Router, Router) {
    let Endpoints { revoke, backchannel_logout } = endpoints;
    let backchannel_logout = EndpointService::new(backchannel_logout);
    (
        Router::new().route_service("/revoke", EndpointService::new(revoke)),
        Router::new().route_service("/backchannel-logout", backchannel_logout),
    )
}

async fn whoami(Caller(principal): Caller, Granted(grant): Granted) -> Json<Value> {
    Json(json!({ "principal": principal, "grant": *grant }))
}

async fn list_orders() -> Json<Value> {
    Json(json!({ "orders": [] }))
}

async fn create_order(caller: Caller) -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(json!({ "created_by": caller.subject() })))
}

async fn show_admin() -> &'static str {
    "welcome, admin"
}

async fn show_fresh() -> &'static str {
    "you have just logged in"
}
