//! WebSockets and server-sent events behind the layers, over real connections.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::{HeaderMap, Uri},
    response::{
        Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::get,
};
use futures_util::{SinkExt, Stream, StreamExt, stream};
use portcullis_axum::{
    Authenticator, Caller, JwtAuthLayer, RequireLayer, TokenLocation, policy::scope,
};
use portcullis_testkit::{TestIssuer, TokenBuilder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{self, client::IntoClientRequest, handshake::client},
};

const AUDIENCE: &str = "live";

/// Longer than anything here takes: what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);

struct Service {
    issuer: TestIssuer,
    address: SocketAddr,
    shared: Shared,
}

/// What a test sees of the handlers.
#[derive(Clone, Default)]
struct Shared {
    calls: Arc<Mutex<Vec<String>>>,
    events: Arc<Mutex<Option<mpsc::Receiver<&'static str>>>>,
}

impl Service {
    async fn start(layer: impl FnOnce(Authenticator) -> JwtAuthLayer) -> Self {
        let issuer = TestIssuer::new("https://idp.test");
        let [header, query, cookie] = TokenLocation::header_query_cookie("access_token");
        let auth = Authenticator::builder()
            .issuer(issuer.trusted())
            .audience(AUDIENCE)
            .locations([header, query, cookie, TokenLocation::web_socket_protocol("access_token")])
            .build()
            .unwrap();
        let shared = Shared::default();
        let app = Router::new()
            .route("/chat", get(chat).layer(RequireLayer::new(scope("chat"))))
            .route("/public", get(chat))
            .route("/events", get(events))
            .with_state(shared.clone())
            .layer(layer(auth));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, app).await });
        Self { issuer, address, shared }
    }

    fn token(&self) -> TokenBuilder {
        self.issuer.token().audience(AUDIENCE).scope("chat")
    }

    fn handshake(&self, path: &str) -> client::Request {
        format!("ws://{}{path}", self.address).into_client_request().unwrap()
    }

    /// Handshakes that hold a token in each of the places.
    fn handshakes(&self, token: &str) -> [(&'static str, client::Request); 4] {
        let with = |name: &'static str, value: String| {
            let mut request = self.handshake("/chat");
            request.headers_mut().insert(name, value.parse().unwrap());
            request
        };
        [
            ("header", with("authorization", format!("Bearer {token}"))),
            ("query", self.handshake(&format!("/chat?access_token={token}&room=1"))),
            ("cookie", with("cookie", format!("theme=dark; access_token={token}"))),
            ("subprotocol", with("sec-websocket-protocol", format!("access_token, {token}"))),
        ]
    }

    /// What the handlers were called with, since it was last asked.
    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.calls.lock().unwrap())
    }

    /// Sends a request as it is, and returns the connection.
    async fn send(&self, request: &str) -> Connection {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        Connection { stream, received: String::new() }
    }
}

/// Answers each message with the caller's name in front.
async fn chat(
    State(shared): State<Shared>,
    caller: Option<Caller>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let name = caller.map_or_else(|| "nobody".to_owned(), |caller| caller.subject().to_owned());
    let protocols =
        headers.get("sec-websocket-protocol").map_or("", |field| field.to_str().unwrap());
    shared.calls.lock().unwrap().push(format!("{name} at {uri} by {protocols}"));
    upgrade.protocols(["access_token"]).on_upgrade(|mut socket: WebSocket| async move {
        while let Some(Ok(Message::Text(text))) = socket.recv().await {
            socket.send(format!("{name}: {text}").into()).await.unwrap();
        }
    })
}

/// Sends what the test gives it.
async fn events(
    State(shared): State<Shared>,
    caller: Caller,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let name = caller.subject().to_owned();
    let events = shared.events.lock().unwrap().take().unwrap();
    let stream =
        stream::unfold(events, |mut events| async { Some((events.recv().await?, events)) });
    let stream = stream.map(move |event| Ok(Event::default().event(&*name).data(event)));
    Sse::new(stream).keep_alive(KeepAlive::default())
}

struct Connection {
    stream: TcpStream,
    received: String,
}

impl Connection {
    /// Reads until this text has come, and returns everything up to it.
    async fn read_to(&mut self, end: &str) -> String {
        let reading = async {
            loop {
                if let Some(at) = self.received.find(end) {
                    return self.received.drain(..at + end.len()).collect();
                }
                let mut buffer = [0; 1024];
                let count = self.stream.read(&mut buffer).await.unwrap();
                assert!(count > 0, "the connection has ended: {}", self.received);
                self.received += std::str::from_utf8(buffer.get(..count).unwrap()).unwrap();
            }
        };
        timeout(PATIENCE, reading).await.unwrap()
    }
}

#[tokio::test]
async fn an_upgrade_takes_its_token_from_any_place() {
    let service = Service::start(JwtAuthLayer::new).await;
    let token = service.token().build();
    for (place, request) in service.handshakes(&token) {
        let (mut socket, response) = connect_async(request).await.unwrap();
        assert_eq!(response.status(), 101, "{place}");
        // Whoever sees the answer does not see the token.
        let headers = format!("{:?}", response.headers());
        assert!(!headers.contains(&token), "{place}: {headers}");
        let protocol = response.headers().get("sec-websocket-protocol");
        assert_eq!(protocol.is_some(), place == "subprotocol", "{place}: {headers}");
        let no_store = response.headers().get("cache-control").is_some();
        assert_eq!(no_store, place == "query", "{place}: {headers}");

        for text in ["hello", "again"] {
            socket.send(text.into()).await.unwrap();
            let answer = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
            assert_eq!(answer.into_text().unwrap(), format!("alice: {text}"), "{place}");
        }
        socket.close(None).await.unwrap();
        let call = match place {
            "query" => "alice at /chat?room=1 by ",
            "subprotocol" => "alice at /chat by access_token",
            _ => "alice at /chat by ",
        };
        assert_eq!(service.calls(), [call], "{place}");
    }
}

#[tokio::test]
async fn a_rejected_upgrade_gets_a_plain_answer() {
    let service = Service::start(JwtAuthLayer::new).await;
    let mut cases = vec![("no place", service.handshake("/chat"), 401, "no_credentials")];
    for (token, status, code) in [
        (service.token().expired(), 401, "token_expired"),
        (service.token().wrong_signature(), 401, "signature_mismatch"),
        (service.token().scope("read"), 403, "insufficient_scope"),
    ] {
        let requests = service.handshakes(&token.build());
        cases.extend(requests.map(|(place, request)| (place, request, status, code)));
    }
    assert_eq!(cases.len(), 13);
    for (place, request, status, code) in cases {
        let rejected = connect_async(request).await.unwrap_err();
        let tungstenite::Error::Http(response) = rejected else {
            panic!("{place}, {code}: {rejected}");
        };
        assert_eq!(response.status(), status, "{place}, {code}");
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer"), "{place}, {code}: {challenge}");
        for name in ["upgrade", "sec-websocket-accept", "sec-websocket-protocol"] {
            assert!(!response.headers().contains_key(name), "{place}, {code}: {name}");
        }
        let body = String::from_utf8(response.into_body().unwrap_or_default()).unwrap();
        assert!(body.contains(&format!(r#""code":"{code}""#)), "{place}, {code}: {body}");
        assert_eq!(service.calls(), <[&str; 0]>::default(), "{place}, {code}");
    }
}

#[tokio::test]
async fn a_connection_whose_upgrade_was_rejected_still_speaks_http() {
    let service = Service::start(JwtAuthLayer::new).await;
    let token = service.token().build();
    let upgrade = "GET /chat HTTP/1.1\r\nHost: live.test\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let mut connection = service.send(&format!("{upgrade}\r\n")).await;
    let head = connection.read_to("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
    assert!(!head.to_ascii_lowercase().contains("connection: upgrade"), "{head}");
    connection.read_to("}").await;

    // The client may try again, now with a token.
    let again = format!("{upgrade}Authorization: Bearer {token}\r\n\r\n");
    connection.stream.write_all(again.as_bytes()).await.unwrap();
    let head = connection.read_to("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert_eq!(service.calls(), ["alice at /chat by "]);
}

#[tokio::test]
async fn an_optional_layer_upgrades_without_a_token_and_never_with_a_bad_one() {
    let service = Service::start(|auth| JwtAuthLayer::new(auth).optional()).await;
    let (mut socket, _) = connect_async(service.handshake("/public")).await.unwrap();
    socket.send("hello".into()).await.unwrap();
    let answer = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(answer.into_text().unwrap(), "nobody: hello");

    let bad = service.token().expired().build();
    let request = service.handshake(&format!("/public?access_token={bad}"));
    let rejected = connect_async(request).await.unwrap_err();
    assert!(
        matches!(&rejected, tungstenite::Error::Http(response) if response.status() == 401),
        "{rejected}"
    );
}

#[tokio::test]
async fn server_sent_events_arrive_one_by_one() {
    let service = Service::start(JwtAuthLayer::new).await;
    let token = service.token().build();
    // Pages cannot set headers on an event source.
    for (target, field) in [
        ("/events", format!("Authorization: Bearer {token}\r\n")),
        (&*format!("/events?access_token={token}"), String::new()),
        ("/events", format!("Cookie: access_token={token}\r\n")),
    ] {
        let (sender, receiver) = mpsc::channel(1);
        *service.shared.events.lock().unwrap() = Some(receiver);
        let request = format!("GET {target} HTTP/1.1\r\nHost: live.test\r\n{field}\r\n");
        let mut connection = service.send(&request).await;
        // The head comes before there is any event, and each event before there is another.
        let head = connection.read_to("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        assert_eq!(head.contains("cache-control: no-store"), target != "/events", "{head}");
        for event in ["one", "two"] {
            sender.send(event).await.unwrap();
            let text = connection.read_to("\n\n").await;
            assert!(text.ends_with(&format!("event: alice\ndata: {event}\n\n")), "{text}");
        }
        // A client that leaves takes the stream along.
        drop(connection);
        timeout(PATIENCE, sender.closed()).await.unwrap();
    }
}

#[tokio::test]
async fn a_rejected_event_stream_does_not_start() {
    let service = Service::start(JwtAuthLayer::new).await;
    let (sender, receiver) = mpsc::channel(1);
    *service.shared.events.lock().unwrap() = Some(receiver);
    let expired = service.token().expired().build();
    for target in ["/events", &format!("/events?access_token={expired}")] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: live.test\r\n\r\n");
        let head = service.send(&request).await.read_to("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
        assert!(head.contains("content-type: application/problem+json"), "{head}");
        assert!(head.contains("www-authenticate: Bearer"), "{head}");
    }
    // No handler has taken it.
    assert!(service.shared.events.lock().unwrap().is_some() && !sender.is_closed());
}
