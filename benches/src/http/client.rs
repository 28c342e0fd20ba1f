//! The load: a few connections that are kept alive, each with one request at a time.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};
use tonic::{metadata::AsciiMetadataValue, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

/// How many connections there are; over HTTP/2, streams of one.
pub(super) const CONNECTIONS: usize = 4;

/// More than any run needs: the end where the clock stands still.
const MOST_REQUESTS: u32 = 1_000_000;

/// What a server speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Protocol {
    Http,
    Grpc,
}

/// The connections to one server, and the request for it.
pub(super) struct Client {
    connections: Vec<Connection>,
}

enum Connection {
    Http(HttpConnection),
    Grpc(HealthClient<Channel>, AsciiMetadataValue),
}

/// A connection whose responses all have one length: their fields and their body do not change.
struct HttpConnection {
    stream: TcpStream,
    request: Vec<u8>,
    response: Vec<u8>,
}

impl Client {
    /// Connects, and asks once.
    pub(super) async fn connect(
        address: SocketAddr,
        protocol: Protocol,
        authorization: &str,
    ) -> Self {
        let mut connections = Vec::new();
        match protocol {
            Protocol::Http => {
                for _ in 0..CONNECTIONS {
                    let connection = HttpConnection::open(address, authorization).await;
                    connections.push(Connection::Http(connection));
                }
            }
            Protocol::Grpc => {
                let endpoint = Channel::from_shared(format!("http://{address}")).expect("a URI");
                let channel = endpoint.connect().await.expect("a connection");
                for _ in 0..CONNECTIONS {
                    let client = HealthClient::new(channel.clone());
                    let authorization = authorization.parse().expect("a value");
                    connections.push(Connection::Grpc(client, authorization));
                }
            }
        }
        Self { connections }
    }

    /// Sends requests for some time, and counts the answers.
    pub(super) async fn send_for(&mut self, time: Duration) -> u32 {
        let until = Instant::now() + time;
        let mut lanes = JoinSet::new();
        for mut connection in self.connections.drain(..) {
            lanes.spawn(async move {
                let mut count = 0;
                while Instant::now() < until && count < MOST_REQUESTS {
                    connection.send().await;
                    count += 1;
                }
                (count, connection)
            });
        }
        let mut total = 0;
        for (count, connection) in lanes.join_all().await {
            total += count;
            self.connections.push(connection);
        }
        total
    }
}

impl Connection {
    async fn send(&mut self) {
        match self {
            Self::Http(connection) => connection.send().await,
            Self::Grpc(client, authorization) => {
                let mut request = tonic::Request::new(HealthCheckRequest::default());
                request.metadata_mut().insert("authorization", authorization.clone());
                client.check(request).await.expect("an answer");
            }
        }
    }
}

impl HttpConnection {
    async fn open(address: SocketAddr, authorization: &str) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("an option");
        let request = format!(
            "GET /hello HTTP/1.1\r\nhost: {address}\r\nuser-agent: bench/1.0\r\naccept: */*\r\n\
             authorization: {authorization}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("to send");
        let mut response = Vec::new();
        while !response.ends_with(b"\r\n\r\nhello") {
            assert!(stream.read_buf(&mut response).await.expect("to receive") > 0, "an answer");
        }
        Self { stream, request: request.into_bytes(), response }
    }

    async fn send(&mut self) {
        self.stream.write_all(&self.request).await.expect("to send");
        self.stream.read_exact(&mut self.response).await.expect("an answer");
        assert!(self.response.starts_with(b"HTTP/1.1 200 "), "a good answer");
    }
}
