//! The service on actix-web.

use std::{error::Error, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, web};
use portcullis_actix_web::{
    Authenticator, Caller, EndpointService, Granted, JwtAuth, ReadinessService, RemoveTokens,
    Require, ResourceMetadataService, policy,
};
use serde_json::json;

use crate::{
    Service,
    revocation::Endpoints,
    stop::{GRACE, Stop},
};

pub(crate) async fn serve(service: Service, stop: Stop) -> Result<(), Box<dyn Error>> {
    let Service { auth, revocation, metrics, listener } = service;
    let engine = auth.clone();
    let server = HttpServer::new(move || {
        let (auth, metrics, revocation) = (engine.clone(), metrics.clone(), revocation.clone());
        let render = move || {
            let text = metrics.render();
            async { text }
        };
        let app = App::new()
            .route("/metrics", web::get().to(render))
            .configure(|services| public_routes(services, &auth))
            .configure(|services| protected_routes(services, &auth))
            .configure(|services| revocation_routes(services, &auth, revocation));
        // The configuration may read tokens from places that handlers must not see.
        RemoveTokens::new(auth, app)
    })
    .shutdown_timeout(GRACE.as_secs())
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    let stopped = async {
        stop.requested().await;
        handle.stop(true).await;
    };
    let (served, ()) = tokio::join!(server, stopped);
    served?;
    auth.shutdown().await;
    Ok(())
}

fn public_routes(services: &mut web::ServiceConfig, auth: &Authenticator) {
    // The configuration may have no `[resource]`.
    if let Ok(metadata) = ResourceMetadataService::new(auth) {
        services.service(metadata);
    }
    let ready = ReadinessService::new(auth.clone());
    services.route("/healthz", web::get().to(healthz)).route("/readyz", web::to(ready));
}

fn protected_routes(services: &mut web::ServiceConfig, auth: &Authenticator) {
    let may_read = Require::new(policy::scope("orders:read"));
    let may_write = Require::new(policy::scope("orders:write"));
    let is_admin = Require::new(policy::role("admin"));
    let is_fresh = Require::new(policy::max_age(Duration::from_secs(300)));
    let resource = |path: &str| web::resource(path).wrap(JwtAuth::new(auth.clone()));
    services
        .service(resource("/whoami").route(web::get().to(whoami)))
        .service(
            resource("/orders")
                .route(web::get().to(list_orders).wrap(may_read))
                .route(web::post().to(create_order).wrap(may_write)),
        )
        .service(resource("/admin").route(web::get().to(show_admin).wrap(is_admin)))
        .service(resource("/fresh").route(web::get().to(show_fresh).wrap(is_fresh)));
}

fn revocation_routes(
    services: &mut web::ServiceConfig,
    auth: &Authenticator,
    endpoints: Option<Endpoints>,
) {
    let Some(Endpoints { revoke, backchannel_logout }) = endpoints else { return };
    let revoke = web::resource("/revoke").to(EndpointService::new(revoke));
    services
        .service(revoke.wrap(JwtAuth::new(auth.clone())))
        .route("/backchannel-logout", web::to(EndpointService::new(backchannel_logout)));
}

async fn whoami(Caller(principal): Caller, Granted(grant): Granted) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "principal": principal, "grant": *grant }))
}

async fn list_orders() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "orders": [] }))
}

async fn create_order(caller: Caller) -> HttpResponse {
    HttpResponse::Created().json(json!({ "created_by": caller.subject() }))
}

async fn healthz() -> &'static str {
    "ok"
}

async fn show_admin() -> &'static str {
    "welcome, admin"
}

async fn show_fresh() -> &'static str {
    "you have just logged in"
}
