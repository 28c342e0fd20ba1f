//! Requests, as the server records them.

use std::io::{self, Read};

use super::Reply;

const MAX_HEAD: usize = 64 * 1024;
const MAX_BODY: usize = 64 * 1024;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// A request to a [`KeyServer`](super::KeyServer).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RecordedRequest {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl RecordedRequest {
    /// Returns the method, such as `GET`.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// Returns the query, without the question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// Returns the first value of a header. The case of its name makes no difference.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns all headers, in their order, with names in lower case.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Returns the body, if it has a `Content-Length` of at most 64 KiB. Other bodies are not read.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Reads a request. In place of one that cannot be used, the inner result has what
    /// the client gets to hear.
    pub(super) fn read(mut stream: impl Read) -> io::Result<Result<Self, Reply>> {
        let mut head = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let len = stream.read(&mut piece)?;
            if len == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            // The end may have begun in the piece before.
            let unsearched = head.len().saturating_sub(END_OF_HEAD.len() - 1);
            head.extend(piece.iter().take(len));
            let mut places = head.windows(END_OF_HEAD.len()).skip(unsearched);
            if let Some(end) = places.position(|place| place == END_OF_HEAD) {
                let mut body = head.split_off(unsearched + end);
                body.drain(..END_OF_HEAD.len());
                let Some(mut request) = Self::parse(&String::from_utf8_lossy(&head)) else {
                    return Ok(Err(Reply::empty().status(400)));
                };
                request.read_body(body, stream)?;
                return Ok(Ok(request));
            }
            if head.len() > MAX_HEAD {
                return Ok(Err(Reply::empty().status(431)));
            }
        }
    }

    /// Reads the rest of the body.
    fn read_body(&mut self, mut body: Vec<u8>, stream: impl Read) -> io::Result<()> {
        let len = self.header("content-length").and_then(|len| len.parse::<usize>().ok());
        if let Some(len) = len.filter(|len| *len <= MAX_BODY) {
            let rest = u64::try_from(len.saturating_sub(body.len())).unwrap_or_default();
            stream.take(rest).read_to_end(&mut body)?;
            body.truncate(len);
            self.body = body;
        }
        Ok(())
    }

    fn parse(head: &str) -> Option<Self> {
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        if !version.starts_with("HTTP/1.") || words.next().is_some() {
            return None;
        }
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
        let headers = headers.collect::<Option<_>>()?;
        let (method, target) = (method.to_owned(), target.to_owned());
        Some(Self { method, target, headers, body: Vec::new() })
    }
}
