//! The same application behind each framework's server, with and without a guard.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread,
};

use actix_web::{
    App, HttpMessage, HttpServer,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    error::ErrorUnauthorized,
    rt::System,
    web,
};
use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    serve::ListenerExt,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use portcullis::Algorithm;
use portcullis_benches::{
    Peer,
    adapters::{self, World},
};
use tokio::runtime::Handle;
use tonic::transport::{Server as GrpcServer, server::TcpIncoming};
use tower::{Layer, Service};

use super::client::Protocol;

/// The frameworks, and how each starts a server.
pub(super) const ALL: [(&str, Start); 4] =
    [("axum", axum), ("tower", tower), ("tonic", tonic), ("actix-web", actix_web)];

type Start = fn(&Handle, Guard, &World) -> Server;

/// A server that lives as long as its runtime.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) protocol: Protocol,
}

/// What stands before the application.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Guard {
    Nobody,
    Ours,
    /// A layer as applications write it.
    Jsonwebtoken,
}

impl Guard {
    pub(super) fn all(framework: &str) -> impl Iterator<Item = Self> {
        let peer = matches!(framework, "axum" | "actix-web").then_some(Self::Jsonwebtoken);
        [Self::Nobody, Self::Ours].into_iter().chain(peer)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nobody => "bare",
            Self::Ours => "ours",
            Self::Jsonwebtoken => "jsonwebtoken",
        }
    }

    pub(super) fn is_peer(self) -> bool {
        self == Self::Jsonwebtoken
    }
}

fn axum(runtime: &Handle, guard: Guard, world: &World) -> Server {
    let router = adapters::axum::router();
    let router = match guard {
        Guard::Nobody => router,
        Guard::Ours => router.layer(portcullis_axum::JwtAuthLayer::new(world.auth.clone())),
        Guard::Jsonwebtoken => router.layer(from_fn_with_state(peer(world), ask_peer)),
    };
    let (listener, address) = listen(runtime);
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("an option"));
    runtime.spawn(async { axum::serve(listener, router).await });
    Server { address, protocol: Protocol::Http }
}

fn peer(world: &World) -> Arc<Peer> {
    let algorithms = [Algorithm::HS256, Algorithm::RS256, Algorithm::ES256];
    Arc::new(Peer::new(world.issuer(), &algorithms))
}

/// Leaves the claims for handlers, or rejects.
async fn ask_peer(State(peer): State<Arc<Peer>>, mut request: Request, next: Next) -> Response {
    let token = request.headers().get(header::AUTHORIZATION);
    let token = token.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let Some(claims) = token.and_then(|token| peer.judge(token)) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    request.extensions_mut().insert(Arc::new(claims));
    next.run(request).await
}

fn tower(runtime: &Handle, guard: Guard, world: &World) -> Server {
    let service = adapters::tower::service();
    match guard {
        Guard::Ours => {
            let layer = portcullis_tower::JwtAuthLayer::new(world.auth.clone());
            serve(runtime, layer.layer(service))
        }
        _ => serve(runtime, service),
    }
}

fn serve<S>(runtime: &Handle, service: S) -> Server
where
    S: Service<http::Request<Incoming>, Response = http::Response<Full<Bytes>>>,
    S: Clone + Send + 'static,
    S::Error: std::error::Error + Send + Sync,
    S::Future: Send,
{
    let (listener, address) = listen(runtime);
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).expect("an option");
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let mut server = http1::Builder::new();
                let server = server.timer(TokioTimer::new());
                // A client that goes away is no matter of the server.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    Server { address, protocol: Protocol::Http }
}

fn tonic(runtime: &Handle, guard: Guard, world: &World) -> Server {
    let _entered = runtime.enter();
    let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let incoming = incoming.with_nodelay(Some(true));
    let address = incoming.local_addr().expect("an address");
    let routes = adapters::tonic::routes();
    match guard {
        Guard::Ours => {
            let layer = portcullis_tonic::JwtAuthLayer::new(world.auth.clone());
            let mut server = GrpcServer::builder().layer(layer);
            let server = server.add_routes(routes).serve_with_incoming(incoming);
            runtime.spawn(server);
        }
        _ => {
            let mut server = GrpcServer::builder();
            runtime.spawn(server.add_routes(routes).serve_with_incoming(incoming));
        }
    }
    Server { address, protocol: Protocol::Grpc }
}

/// On a thread of its own, which ends with the program.
fn actix_web(_: &Handle, guard: Guard, world: &World) -> Server {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("an address");
    let auth = world.auth.clone();
    let peer = peer(world);
    thread::spawn(move || match guard {
        Guard::Jsonwebtoken => {
            let guarded = move || {
                let peer = web::Data::from(Arc::clone(&peer));
                let app = App::new().app_data(peer).configure(adapters::actix_web::configure);
                app.wrap(actix_web::middleware::from_fn(ask_peer_of_actix))
            };
            let server = HttpServer::new(guarded).workers(1).disable_signals();
            System::new().block_on(server.listen(listener)?.run())
        }
        Guard::Ours => {
            let guarded = move || {
                let guard = portcullis_actix_web::JwtAuth::new(auth.clone());
                App::new().configure(adapters::actix_web::configure).wrap(guard)
            };
            let server = HttpServer::new(guarded).workers(1).disable_signals();
            System::new().block_on(server.listen(listener)?.run())
        }
        Guard::Nobody => {
            let bare = || App::new().configure(adapters::actix_web::configure);
            let server = HttpServer::new(bare).workers(1).disable_signals();
            System::new().block_on(server.listen(listener)?.run())
        }
    });
    Server { address, protocol: Protocol::Http }
}

/// The same for actix-web.
async fn ask_peer_of_actix(
    peer: web::Data<Peer>,
    request: ServiceRequest,
    next: actix_web::middleware::Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let token = request.headers().get("authorization");
    let token = token.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let claims = token.and_then(|token| peer.judge(token));
    let claims = claims.ok_or_else(|| ErrorUnauthorized("no good token"))?;
    request.extensions_mut().insert(Arc::new(claims));
    next.call(request).await
}

fn listen(runtime: &Handle) -> (tokio::net::TcpListener, SocketAddr) {
    let _entered = runtime.enter();
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.set_nonblocking(true).expect("an option");
    let address = listener.local_addr().expect("an address");
    (tokio::net::TcpListener::from_std(listener).expect("a listener"), address)
}
