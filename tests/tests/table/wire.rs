//! Clients that send just what a row says, and read whatever comes back.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::request::{Request, Target, Version};

/// How long a server may take: far longer than any does.
const PATIENCE: Duration = Duration::from_secs(20);

/// A response as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The names are in lower case.
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
    let answered = async {
        match version {
            Version::Http1 => http1(address, request).await,
            Version::Http2 => http2(address, request).await,
        }
    };
    tokio::time::timeout(PATIENCE, answered).await.unwrap_or_else(|_| Err("no answer".to_owned()))
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
async fn http2(address: SocketAddr, request: &Request) -> Result<Response, String> {
    let told = |error: hyper::Error| format!("{error:?}");
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    // The client's frames go out one by one: waiting for the server's word on each takes 40 ms.
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let handshake =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(told)?;
    let connection = tokio::spawn(connection);
    let mut outgoing = http::Request::new(Empty::<Bytes>::new());
    *outgoing.method_mut() = Method::from_bytes(request.method.as_bytes()).unwrap();
    *outgoing.uri_mut() = format!("http://{address}{}", request.path_and_query()).parse().unwrap();
    for (name, value) in &request.fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        outgoing.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
    }
    let incoming = sender.send_request(outgoing).await.map_err(told)?;
    let (parts, body) = incoming.into_parts();
    let fields =
        parts.headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
    let fields = fields.collect();
    let body = body.collect().await.map_err(told)?.to_bytes().to_vec();
    connection.abort();
    Ok(Response { status: parts.status.as_u16(), fields, body })
}
