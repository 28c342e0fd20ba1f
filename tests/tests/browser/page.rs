//! The server of the page, whose origin is not that of the services.

use std::{
    net::TcpListener,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    http::header,
    response::Html,
    routing::{get, post},
};
use serde_json::Value;
use tokio::sync::oneshot;

/// Serves the page on `listener`, with a cookie that scripts cannot read, and returns what it will
/// have seen when it is through with its plan.
pub(super) fn serve(listener: TcpListener, plan: &Value, cookie: &str) -> oneshot::Receiver<Value> {
    let (sender, seen) = oneshot::channel();
    let sender = Arc::new(Mutex::new(Some(sender)));
    let take = move |report: String| async move {
        let sender = sender.lock().unwrap().take().expect("one report");
        sender.send(serde_json::from_str(&report).unwrap()).unwrap();
    };
    let cookie = format!("access_token={cookie}; Path=/; HttpOnly; SameSite=Strict");
    let plan = plan.to_string();
    let app = Router::new()
        .route(
            "/",
            get(async move || ([(header::SET_COOKIE, cookie)], Html(include_str!("page.html")))),
        )
        .route("/plan", get(async move || plan))
        .route("/seen", post(take));
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    seen
}
