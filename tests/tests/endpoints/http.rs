//! A client that sends what a test says, byte by byte.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// Longer than anything here takes: what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: &'static str,
    path: &'static str,
    fields: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// A response, without what depends on the server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// In alphabetical order.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn new(method: &'static str, path: &'static str) -> Self {
        Self { method, path, fields: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn post(path: &'static str) -> Self {
        Self::new("POST", path)
    }

    pub(crate) fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.field("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn cookie(self, token: &str) -> Self {
        self.field("cookie", format!("session={token}"))
    }

    /// A form of this text.
    pub(crate) fn form(self, form: impl Into<Vec<u8>>) -> Self {
        self.field("content-type", "application/x-www-form-urlencoded").body(form)
    }

    pub(crate) fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Sends it, and waits for the response.
    pub(crate) async fn send(self, address: SocketAddr) -> Response {
        let sent = tokio::task::spawn_blocking(move || self.send_blocking(address));
        sent.await.unwrap()
    }

    fn send_blocking(self, address: SocketAddr) -> Response {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut head = format!("{} {} HTTP/1.1\r\nhost: api.test\r\n", self.method, self.path);
        for (name, value) in &self.fields {
            head += &format!("{name}: {value}\r\n");
        }
        let is_chunked = self.fields.iter().any(|(name, _)| *name == "transfer-encoding");
        if !is_chunked {
            head += &format!("content-length: {}\r\n", self.body.len());
        }
        head += "connection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        // A server that has answered a long body may not read the rest.
        let _ = stream.write_all(&self.body);
        let mut response = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer) {
            response.extend_from_slice(&buffer[..length]);
        }
        Response::parse(&String::from_utf8(response).unwrap())
    }
}

impl Response {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let fields = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        });
        let of_server = ["connection", "content-length", "date", "transfer-encoding"];
        let mut fields: Vec<_> =
            fields.filter(|(name, _)| !of_server.contains(&name.as_str())).collect();
        fields.sort();
        Self { status, fields, body: body.to_owned() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(own, _)| own == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "`{name}` is there twice: {self:?}");
        value
    }
}
