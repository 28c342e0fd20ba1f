//! The metadata of the service beside guarded routes of a real axum router, over a real connection.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use axum::{Router, routing::get};
use portcullis_axum::{
    Authenticator, AuthenticatorBuilder, Caller, JwtAuthLayer, ResourceMetadataService,
    TokenLocation, error::ResourceError, resource_metadata::ProtectedResource,
};
use portcullis_testkit::TestIssuer;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const PATH: &str = "/.well-known/oauth-protected-resource/mcp";
const URL: &str = "https://api.test/.well-known/oauth-protected-resource/mcp";

struct Service {
    issuer: TestIssuer,
    address: std::net::SocketAddr,
}

/// What came over the wire.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

impl Service {
    async fn start(resource: ProtectedResource, path: &str) -> Self {
        let issuer = TestIssuer::new("https://idp.test");
        let auth = builder(&issuer).resource(resource).build().unwrap();
        let metadata = ResourceMetadataService::new(&auth).unwrap();
        let app = Router::new()
            .route(path, get(|caller: Caller| async move { caller.subject().to_owned() }))
            .layer(JwtAuthLayer::new(auth))
            .route_service(metadata.path(), metadata.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { issuer, address }
    }

    async fn send(&self, method: &str, path: &str, headers: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: api.test\r\nconnection: close\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        };
        Answer { status, headers: lines.map(header).collect(), body: body.to_owned() }
    }

    async fn get_with_audience(&self, path: &str, audience: &str) -> u16 {
        let token = self.issuer.token().audience(audience).build();
        self.send("GET", path, &format!("authorization: Bearer {token}\r\n")).await.status
    }
}

fn builder(issuer: &TestIssuer) -> AuthenticatorBuilder {
    Authenticator::builder()
        .issuer(issuer.trusted())
        .locations(TokenLocation::header_query_cookie("access_token"))
}

fn resource() -> ProtectedResource {
    ProtectedResource::new("https://api.test/mcp").scopes_supported(["a", "b"])
}

#[tokio::test]
async fn a_client_without_a_token_is_led_to_the_metadata() {
    let service = Service::start(resource(), "/mcp").await;
    let rejected = service.send("GET", "/mcp", "").await;
    let challenge = format!(r#"Bearer resource_metadata="{URL}""#);
    assert_eq!((rejected.status, rejected.header("www-authenticate")), (401, Some(&*challenge)));

    let answer = service.send("GET", PATH, "origin: https://page.test\r\n").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    let expected = json!({
        "resource": "https://api.test/mcp",
        "authorization_servers": ["https://idp.test"],
        "scopes_supported": ["a", "b"],
        "bearer_methods_supported": ["header", "query"]
    });
    assert_eq!(serde_json::from_str::<Value>(&answer.body).unwrap(), expected);

    // Who brings a bad token gets the metadata all the same.
    let answer = service.send("GET", PATH, "authorization: Bearer bad\r\n").await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn head_has_the_length_of_the_document_and_nothing_of_it() {
    let service = Service::start(resource(), "/mcp").await;
    let answer = service.send("GET", PATH, "").await;
    let head = service.send("HEAD", PATH, "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-type"), Some("application/json"));
    assert_eq!(head.header("content-length"), Some(&*answer.body.len().to_string()));
    assert_eq!(answer.header("content-length"), head.header("content-length"));
}

#[tokio::test]
async fn preflights_are_answered_and_other_methods_rejected() {
    let service = Service::start(resource(), "/mcp").await;
    let preflight = "origin: https://page.test\r\naccess-control-request-method: GET\r\n\
                     access-control-request-headers: mcp-protocol-version\r\n";
    let answer = service.send("OPTIONS", PATH, preflight).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET, HEAD, OPTIONS"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("*"));

    let answer = service.send("POST", PATH, "content-length: 0\r\n").await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
    assert_eq!(answer.body, "");
}

#[tokio::test]
async fn the_resource_is_an_audience_byte_for_byte() {
    let service = Service::start(resource(), "/mcp").await;
    for (audience, status) in [
        ("https://api.test/mcp", 200),
        ("https://api.test/mcp/", 401),
        ("https://api.test", 401),
        ("https://API.test/mcp", 401),
        (URL, 401),
    ] {
        assert_eq!(service.get_with_audience("/mcp", audience).await, status, "{audience}");
    }
}

#[tokio::test]
async fn a_whole_host_is_an_audience_with_and_without_a_slash() {
    for name in ["https://api.test:8443", "https://api.test:8443/"] {
        let service = Service::start(name.into(), "/").await;
        for (audience, status) in [
            ("https://api.test:8443", 200),
            ("https://api.test:8443/", 200),
            ("https://api.test:8443//", 401),
            ("https://api.test/", 401),
        ] {
            assert_eq!(service.get_with_audience("/", audience).await, status, "{audience}");
        }
        let answer = service.send("GET", "/.well-known/oauth-protected-resource", "").await;
        let document: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(document["resource"], name);
    }
}

#[tokio::test]
async fn an_issuer_with_audiences_of_its_own_keeps_to_them() {
    let issuer = TestIssuer::new("https://idp.test");
    let auth = Authenticator::builder()
        .issuer(issuer.trusted().audience("orders"))
        .resource(resource())
        .build()
        .unwrap();
    let judge =
        |audience: &str| auth.authenticate_token_now(&issuer.token().audience(audience).build());
    assert!(judge("orders").is_ok());
    assert_eq!(judge("https://api.test/mcp").unwrap_err().kind().code(), "wrong_audience");
}

#[tokio::test]
async fn characters_of_a_url_reach_the_route_as_they_are() {
    for path in ["/caf%C3%A9", "/a//b", "/a:b@c;d=e", "/~a!$&'()*+,"] {
        let service = Service::start(format!("https://api.test{path}").into(), "/mcp").await;
        let path = format!("/.well-known/oauth-protected-resource{path}");
        assert_eq!(service.send("GET", &path, "").await.status, 200, "{path}");
    }
}

#[test]
fn an_engine_without_a_name_has_nothing_to_serve() {
    let issuer = TestIssuer::new("https://idp.test");
    let auth = builder(&issuer).audience("orders").build().unwrap();
    let error = ResourceMetadataService::new(&auth).unwrap_err();
    assert!(matches!(error, ResourceError::NotConfigured));
    assert!(error.to_string().contains("`resource(…)`"), "{error}");
}
