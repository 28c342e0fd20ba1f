//! Clients that send just what a row says, and read whatever comes back.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::request::{GRPC_PATH, Request, Target, Version};

/// How long a server may take: far longer than any does.
const PATIENCE: Duration = Duration::from_secs(20);

/// A response as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The names are in lower case. Trailers come last.
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().filter(move |(own, _)| own == name).map(|(_, value)| &**value)
    }

    /// Returns the value of a field, or all of them if there are several.
    pub(crate) fn one(&self, name: &str) -> Option<String> {
        let values: Vec<_> = self.all(name).map(String::from_utf8_lossy).collect();
        (!values.is_empty()).then(|| values.join(" AND "))
    }

    /// Returns the names of all fields but these, and those that servers set by themselves.
    pub(crate) fn others(&self, known: &[&str]) -> Vec<String> {
        let by_server = ["connection", "content-length", "date", "transfer-encoding"];
        let names = self.fields.iter().map(|(name, _)| name);
        let others = names.filter(|name| !by_server.contains(&name.as_str()));
        others.filter(|name| !known.contains(&name.as_str())).cloned().collect()
    }
}

/// Sends a request over a new connection.
pub(crate) async fn send(
    address: SocketAddr,
    request: &Request,
    version: Version,
) -> Result<Response, String> {
    in_time(async {
        match version {
            Version::Http1 => http1(address, request).await,
            Version::Http2 => {
                let body = Full::new(Bytes::new());
                let uri = format!("http://{address}{}", request.path_and_query());
                http2(address, outgoing(request, request.method, &uri, body)).await
            }
        }
    })
    .await
}

/// Sends the fields of a request as the metadata of a call with an empty message.
pub(crate) async fn call(address: SocketAddr, request: &Request) -> Result<Response, String> {
    let message = Full::new(Bytes::from_static(&[0; 5]));
    let uri = format!("http://{address}{GRPC_PATH}");
    let mut outgoing = outgoing(request, "POST", &uri, message);
    for (name, value) in [("te", "trailers"), ("content-type", "application/grpc")] {
        outgoing.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    in_time(http2(address, outgoing)).await
}

async fn in_time(
    answered: impl Future<Output = Result<Response, String>>,
) -> Result<Response, String> {
    tokio::time::timeout(PATIENCE, answered).await.unwrap_or_else(|_| Err("no answer".to_owned()))
}

fn outgoing(
    request: &Request,
    method: &str,
    uri: &str,
    body: Full<Bytes>,
) -> http::Request<Full<Bytes>> {
    let mut outgoing = http::Request::new(body);
    *outgoing.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
    *outgoing.uri_mut() = uri.parse().unwrap();
    for (name, value) in &request.fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        outgoing.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
    }
    outgoing
}

/// Writes the bytes of the request line and the fields, and reads until the server closes: what a
/// server sends after its head to a `HEAD` would be seen.
async fn http1(address: SocketAddr, request: &Request) -> Result<Response, String> {
    let target = match request.target {
        Target::Origin => request.path_and_query(),
        Target::Absolute => format!("http://{address}{}", request.path_and_query()),
    };
    let mut bytes = format!("{} {target} HTTP/1.1\r\nHost: {address}\r\n", request.method);
    bytes += "Connection: close\r\n";
    let mut bytes = bytes.into_bytes();
    for (name, value) in &request.fields {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    let mut received = Vec::new();
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&bytes).await?;
        stream.read_to_end(&mut received).await
    };
    exchange.await.map_err(|error| error.to_string())?;
    parse(&received).ok_or_else(|| format!("no HTTP: {}", String::from_utf8_lossy(&received)))
}

fn parse(received: &[u8]) -> Option<Response> {
    let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let (head, body) = (received.get(..end)?, received.get(end + 4..)?);
    let mut lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let status = std::str::from_utf8(lines.next()?).ok()?.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    let mut response = Response { status: status.parse().ok()?, ..Response::default() };
    for line in lines {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let name = std::str::from_utf8(line.get(..colon)?).ok()?.to_ascii_lowercase();
        response.fields.push((name, line.get(colon + 1..)?.trim_ascii().to_vec()));
    }
    response.body = match response.one("transfer-encoding") {
        None => body.to_vec(),
        Some(_) => unchunked(body)?,
    };
    Some(response)
}

/// Reads chunks ([RFC 9112 §7.1]).
///
/// [RFC 9112 §7.1]: https://www.rfc-editor.org/rfc/rfc9112#section-7.1
fn unchunked(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    while !body.is_empty() {
        let line = body.windows(2).position(|bytes| bytes == b"\r\n")?;
        let size = std::str::from_utf8(body.get(..line)?).ok()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        let chunk = body.get(line + 2..)?;
        whole.extend(chunk.get(..size)?);
        body = if size == 0 { &[] } else { chunk.get(size + 2..)? };
    }
    Some(whole)
}

/// Speaks HTTP/2 from the first byte, as a client does that knows its server.
async fn http2(
    address: SocketAddr,
    outgoing: http::Request<Full<Bytes>>,
) -> Result<Response, String> {
    let told = |error: hyper::Error| format!("{error:?}");
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    // The client's frames go out one by one: waiting for the server's word on each takes 40 ms.
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let handshake =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(told)?;
    let connection = tokio::spawn(connection);
    let incoming = sender.send_request(outgoing).await.map_err(told)?;
    let (parts, body) = incoming.into_parts();
    let body = body.collect().await.map_err(told)?;
    let trailers = body.trailers().cloned().unwrap_or_default();
    let fields = parts.headers.iter().chain(&trailers);
    let fields = fields.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
    let (status, fields) = (parts.status.as_u16(), fields.collect());
    connection.abort();
    Ok(Response { status, fields, body: body.to_bytes().to_vec() })
}
