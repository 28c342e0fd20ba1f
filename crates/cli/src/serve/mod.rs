//! `serve-jwks`: the public halves of keys, as an issuer serves them.

mod rotation;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use serde_json::json;
use tokio::{net::TcpListener, sync::Notify};

use crate::{
    args::ServeArguments,
    failure::{Failure, Finding},
    output, signing_key,
};
use rotation::Rotation;

/// How long open connections have to end, once the command is told to.
const GRACE: Duration = Duration::from_secs(2);

pub(crate) fn run(arguments: &ServeArguments) -> Result<Finding, Failure> {
    let mut keys = Vec::new();
    for path in &arguments.keys {
        let key = signing_key::read(path, None)?;
        if key.public_jwk().is_none() {
            return Err(Failure::about(path, "a secret has no public half to serve"));
        }
        keys.push(key);
    }
    let rotation = Arc::new(Rotation::new(keys, arguments.rotate_every));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(serve(arguments, rotation))
}

async fn serve(arguments: &ServeArguments, rotation: Arc<Rotation>) -> Result<Finding, Failure> {
    // Before the address is told: whoever reads it may send the signal at once.
    let ended = signals()?;
    let listener = TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| Failure::mistake(format!("--listen {}: {error}", arguments.listen)))?;
    let address = listener.local_addr()?;
    let served = Arc::new(Served { rotation: Arc::clone(&rotation), address });
    output::raw(format!("listening on http://{address}\n").as_bytes())?;
    if arguments.rotate_every.is_some() {
        tokio::spawn(rotate(rotation));
    }
    let (told, heard) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, hear) = (Arc::clone(&told), Arc::clone(&heard));
    let server = axum::serve(listener, router(served, arguments.discovery))
        .with_graceful_shutdown(async move { told.notified().await });
    let waiting = tokio::spawn(async move {
        ended.await;
        tell.notify_one();
        hear.notify_one();
    });
    tokio::select! {
        served = server => served?,
        () = async { heard.notified().await; tokio::time::sleep(GRACE).await } => {}
    }
    waiting.abort();
    Ok(Finding::AllFine)
}

struct Served {
    rotation: Arc<Rotation>,
    address: SocketAddr,
}

fn router(served: Arc<Served>, with_discovery: bool) -> Router {
    let router =
        Router::new().route("/.well-known/jwks.json", get(keys)).route("/jwks.json", get(keys));
    let router = if with_discovery {
        router
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/.well-known/oauth-authorization-server", get(metadata))
    } else {
        router
    };
    router.with_state(served)
}

async fn keys(State(served): State<Arc<Served>>) -> impl IntoResponse {
    let lifetime = served.rotation.lifetime().as_secs();
    let headers = [
        (CONTENT_TYPE, "application/jwk-set+json".to_owned()),
        (CACHE_CONTROL, format!("public, max-age={lifetime}")),
    ];
    (headers, served.rotation.document())
}

async fn metadata(State(served): State<Arc<Served>>) -> impl IntoResponse {
    let issuer = format!("http://{}", served.address);
    let document = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "response_types_supported": ["none"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": served.rotation.algorithms(),
    });
    ([(CONTENT_TYPE, "application/json")], document.to_string())
}

async fn rotate(rotation: Arc<Rotation>) {
    let Some(every) = rotation.every() else { return };
    let mut ticks = tokio::time::interval(every);
    // The first one comes at once.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let rotation = Arc::clone(&rotation);
        // Making an RSA key takes a while.
        let _ = tokio::task::spawn_blocking(move || rotation.go_on()).await;
    }
}

/// Returns what ends when the command is told to.
#[cfg(unix)]
fn signals() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Returns what ends when the command is told to.
#[cfg(not(unix))]
fn signals() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    Ok(async {
        // Where Ctrl-C cannot be heard, the command runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
