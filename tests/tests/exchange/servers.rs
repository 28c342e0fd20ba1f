//! The same route in both frameworks.

use std::net::{SocketAddr, TcpListener};

use actix_web::{App, HttpServer, web};
use axum::Router;
use portcullis_axum::mint::exchange::TokenExchangeEndpoint;

/// A framework.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Framework {
    Axum,
    ActixWeb,
}

impl Framework {
    pub(crate) const ALL: [Self; 2] = [Self::Axum, Self::ActixWeb];

    /// Starts a server with these endpoints.
    pub(crate) fn start(self, endpoints: &[(&'static str, TokenExchangeEndpoint)]) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        match self {
            Self::Axum => start_axum(listener, endpoints),
            Self::ActixWeb => start_actix_web(listener, endpoints.to_vec()),
        }
        address
    }
}

fn start_axum(listener: TcpListener, endpoints: &[(&'static str, TokenExchangeEndpoint)]) {
    use portcullis_axum::EndpointService;

    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let router = endpoints.iter().fold(Router::new(), |router, (path, endpoint)| {
        router.route_service(path, EndpointService::new(endpoint.clone()))
    });
    tokio::spawn(async { axum::serve(listener, router).await });
}

fn start_actix_web(listener: TcpListener, endpoints: Vec<(&'static str, TokenExchangeEndpoint)>) {
    use portcullis_actix_web::EndpointService;

    std::thread::spawn(move || {
        let app = move || {
            endpoints.iter().fold(App::new(), |app, (path, endpoint)| {
                app.route(path, web::to(EndpointService::new(endpoint.clone())))
            })
        };
        let server = HttpServer::new(app).workers(1).disable_signals();
        actix_web::rt::System::new().block_on(server.listen(listener).unwrap().run())
    });
}
