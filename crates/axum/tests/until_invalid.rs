//! WebSockets and server-sent events that end when their token is revoked or expires, over real connections.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{
    Router,
    extract::{
        WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    response::{
        Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::get,
};
use futures_util::{SinkExt, Stream, StreamExt, stream};
use portcullis_axum::{
    Authenticator, Caller, JwtAuthLayer, NumericDate,
    revocation::{Revocations, Revoked},
};
use portcullis_testkit::{ManualClock, TestIssuer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{connect_async, tungstenite::client::IntoClientRequest};

/// Longer than anything here takes: what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(20);
const ISSUER: &str = "https://idp.test";

/// What ends a connection.
#[derive(Clone, Copy, Debug)]
enum End {
    Revocation,
    Expiry,
}

struct Service {
    issuer: TestIssuer,
    clock: ManualClock,
    auth: Authenticator,
    address: SocketAddr,
}

impl Service {
    async fn start() -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
        let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
        let auth = Authenticator::builder()
            .issuer(issuer.trusted())
            .audience("live")
            .clock(clock.clone())
            .revocations(Revocations::memory())
            .build()
            .unwrap();
        auth.ready().await.unwrap();
        let app = Router::new().route("/chat", get(chat)).route("/events", get(events));
        let app = app.layer(JwtAuthLayer::new(auth.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, app).await });
        Self { issuer, clock, auth, address }
    }

    fn token(&self) -> String {
        self.issuer.token().audience("live").claim("jti", "1").claim("sid", "s1").build()
    }

    async fn end(&self, end: End) {
        match end {
            End::Revocation => {
                let entry = self.auth.revocation(ISSUER, Revoked::Session("s1".into()));
                self.auth.revoke(&[entry]).await.unwrap();
            }
            End::Expiry => self.clock.advance(Duration::from_secs(3_660)),
        }
    }
}

impl End {
    fn code(self) -> &'static str {
        match self {
            Self::Revocation => "token_revoked",
            Self::Expiry => "token_expired",
        }
    }
}

/// Echoes until the token of the caller is invalid.
async fn chat(caller: Caller, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |mut socket: WebSocket| {
        let mut invalid = caller.until_invalid();
        loop {
            tokio::select! {
                error = &mut invalid => {
                    let close = CloseFrame { code: 3000, reason: error.kind().code().into() };
                    let _ = socket.send(Message::Close(Some(close))).await;
                    return;
                }
                message = socket.recv() => match message {
                    Some(Ok(message @ Message::Text(_))) => socket.send(message).await.unwrap(),
                    _ => return,
                },
            }
        }
    })
}

/// Sends one event, and then one that says why there are no more.
async fn events(caller: Caller) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let invalid = caller.until_invalid();
    let first = stream::once(async { Ok(Event::default().data("hello")) });
    let last = stream::once(async { Ok(Event::default().data(invalid.await.kind().code())) });
    Sse::new(first.chain(last)).keep_alive(KeepAlive::default())
}

#[tokio::test]
async fn a_web_socket_ends_when_its_token_becomes_invalid() {
    for end in [End::Revocation, End::Expiry] {
        let service = Service::start().await;
        let url = format!("ws://{}/chat", service.address);
        let mut request = url.into_client_request().unwrap();
        let token = format!("Bearer {}", service.token()).parse().unwrap();
        request.headers_mut().insert("authorization", token);
        let (mut socket, _) = connect_async(request).await.unwrap();
        socket.send("hello".into()).await.unwrap();
        let answer = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(answer.into_text().unwrap(), "hello");
        service.end(end).await;
        let closed = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
        assert!(format!("{closed:?}").contains(end.code()), "{closed:?}");
    }
}

#[tokio::test]
async fn server_sent_events_end_when_their_token_becomes_invalid() {
    for end in [End::Revocation, End::Expiry] {
        let service = Service::start().await;
        let token = service.token();
        let request = format!(
            "GET /events HTTP/1.1\r\nHost: live.test\r\nConnection: close\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        );
        let mut connection = TcpStream::connect(service.address).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let (mut received, mut buffer) = (String::new(), [0; 1024]);
        while !received.contains("data: hello") {
            let count = timeout(PATIENCE, connection.read(&mut buffer)).await.unwrap().unwrap();
            received += std::str::from_utf8(buffer.get(..count).unwrap()).unwrap();
        }
        service.end(end).await;
        let rest = connection.read_to_string(&mut received);
        timeout(PATIENCE, rest).await.unwrap().unwrap();
        assert!(received.contains(&format!("data: {}", end.code())), "{received}");
    }
}
