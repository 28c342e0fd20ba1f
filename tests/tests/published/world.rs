//! A service that publishes its keys.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use conformance::NOW;
use portcullis::{Algorithm, NumericDate, keys::SigningKey};
use portcullis_axum::mint::{DiscoveryEndpoint, JwkSetEndpoint, SigningKeys};
use portcullis_testkit::ManualClock;

/// Longer than anything here takes: what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A framework.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Framework {
    Axum,
    ActixWeb,
}

pub(crate) struct World {
    pub(crate) framework: Framework,
    pub(crate) clock: ManualClock,
    pub(crate) keys: SigningKeys,
    pub(crate) issuer: String,
    pub(crate) discovery: DiscoveryEndpoint,
    address: SocketAddr,
}

/// Starts one service for each framework, whose issuer has this path.
pub(crate) fn worlds(path: &str) -> [World; 2] {
    [Framework::Axum, Framework::ActixWeb].map(|framework| {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let keys = SigningKeys::builder(SigningKey::generate(Algorithm::ES256).unwrap())
            .max_age(Duration::from_secs(60))
            .clock(clock.clone())
            .build()
            .unwrap();
        let issuer = format!("http://{address}{path}");
        let discovery = DiscoveryEndpoint::new(&issuer, keys.clone()).unwrap();
        match framework {
            Framework::Axum => start_axum(listener, &keys, &discovery),
            Framework::ActixWeb => start_actix_web(listener, keys.clone(), discovery.clone()),
        }
        World { framework, clock, keys, issuer, discovery, address }
    })
}

fn start_axum(listener: TcpListener, keys: &SigningKeys, discovery: &DiscoveryEndpoint) {
    use portcullis_axum::EndpointService;

    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let keys = EndpointService::new(JwkSetEndpoint::new(keys.clone()));
    let documents = EndpointService::new(discovery.clone());
    let router = axum::Router::new()
        .route_service(discovery.jwk_set_path(), keys)
        .route_service(&discovery.openid_path(), documents.clone())
        .route_service(&discovery.oauth_path(), documents);
    tokio::spawn(async { axum::serve(listener, router).await });
}

fn start_actix_web(listener: TcpListener, keys: SigningKeys, discovery: DiscoveryEndpoint) {
    use actix_web::{App, HttpServer, web};
    use portcullis_actix_web::EndpointService;

    std::thread::spawn(move || {
        let app = move || {
            let keys = EndpointService::new(JwkSetEndpoint::new(keys.clone()));
            let documents = EndpointService::new(discovery.clone());
            App::new()
                .route(discovery.jwk_set_path(), web::to(keys))
                .route(&discovery.openid_path(), web::to(documents.clone()))
                .route(&discovery.oauth_path(), web::to(documents))
        };
        let server = HttpServer::new(app).workers(1).disable_signals();
        actix_web::rt::System::new().block_on(server.listen(listener).unwrap().run())
    });
}

/// A response, byte by byte, without its date and connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// In alphabetical order.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(own, _)| own == name);
        field.map(|(_, value)| value.as_str())
    }
}

impl World {
    /// Sends a request with fields, each with its line end.
    pub(crate) async fn send(&self, method: &str, path: &str, fields: &str) -> Response {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\n{fields}connection: close\r\n\r\n",
            self.address
        );
        let address = self.address;
        let sent = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            let mut response = String::new();
            stream.read_to_string(&mut response).unwrap();
            response
        });
        parse(&sent.await.unwrap())
    }
}

fn parse(text: &str) -> Response {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let fields = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_ascii_lowercase(), value.to_owned())
    });
    let mut fields: Vec<_> =
        fields.filter(|(name, _)| !matches!(&**name, "connection" | "date")).collect();
    fields.sort();
    Response { status, fields, body: body.to_owned() }
}
