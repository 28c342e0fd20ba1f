//! The service under axum.

use std::net::TcpListener;

use axum::{
    Router,
    extract::{Request, State, WebSocketUpgrade},
    http::{HeaderValue, Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use portcullis_axum::{Caller, JwtAuthLayer, RequireLayer};
use tower_http::cors::CorsLayer;

use super::{Log, Service, table::Layers};

pub(super) fn serve(listener: TcpListener, layers: Layers, service: Service) {
    let log = service.log.clone();
    let app = app(layers, service).layer(middleware::from_fn_with_state(log, note));
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
}

fn app(layers: Layers, Service { auth, page, .. }: Service) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(page.parse::<HeaderValue>().unwrap())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .allow_credentials(true);
    let exposing = || cors.clone().expose_headers([header::WWW_AUTHENTICATE, header::RETRY_AFTER]);
    let orders = Router::new()
        .route("/orders", get(subject).post(subject))
        .route("/events", get(events))
        .route("/chat", get(chat))
        .layer(RequireLayer::new(super::may_read()));
    let down =
        Router::new().route("/down", get(subject)).layer(RequireLayer::new(super::cannot_tell()));
    let app = orders.merge(down);
    let gate = JwtAuthLayer::new(auth);
    match layers {
        Layers::AsDocumented | Layers::AllowedPage => app.layer(gate).layer(exposing()),
        Layers::Unexposed => app.layer(gate).layer(cors),
        Layers::WrongOrder => app.layer(exposing()).layer(gate),
        Layers::PreflightsPass => app.layer(exposing()).layer(gate.pass_preflight()),
    }
}

async fn subject(caller: Caller) -> String {
    caller.subject().to_owned()
}

/// One event.
async fn events(caller: Caller) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/event-stream")], format!("data: {}\n\n", caller.subject()))
}

/// One message.
async fn chat(caller: Caller, upgrade: WebSocketUpgrade) -> Response {
    upgrade.protocols(["access_token"]).on_upgrade(async move |mut socket| {
        socket.send(caller.subject().into()).await.unwrap();
    })
}

async fn note(State(log): State<Log>, request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = next.run(request).await;
    log.note(uri.query(), method.as_str(), response.status().as_u16());
    response
}
