//! What the server answers, and how it misbehaves.

use std::{sync::Arc, time::Duration};

use super::RecordedRequest;

/// An answer of a [`KeyServer`](super::KeyServer).
///
/// Headers are sent as they are given. `content-length`, `transfer-encoding` and `connection` are
/// added, each unless it was given, so that it can be a lie.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_testkit::{KeyServer, Reply};
///
/// let server = KeyServer::start();
/// let keys = Reply::json(r#"{"keys":[]}"#).etag("v1").cache_control("max-age=60");
/// server.reply("/jwks.json", keys.clone());
/// server.reply("/slow.json", keys.clone().drip(1, Duration::from_millis(100)));
/// server.reply("/silent.json", keys.stall_after(0));
/// server.reply("/moved.json", Reply::redirect(302, server.url("/jwks.json")));
/// server.reply("/huge.json", Reply::sized(b' ', 1 << 30));
/// # assert_eq!(server.hits("/jwks.json"), 0);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Body,
    pub(super) delay: Duration,
    pub(super) header_drip: Option<Duration>,
    pub(super) body_drip: Option<(usize, Duration)>,
    pub(super) stall_after: Option<usize>,
    pub(super) truncate: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    Bytes(Arc<[u8]>),
    Sized {
        byte: u8,
        len: usize,
    },
    Endless {
        chunk: Arc<[u8]>,
    },
    /// Stands in place of the whole response.
    Garbage(Arc<[u8]>),
}

impl Reply {
    /// Creates an answer with this body, of type `application/json`. It may be any bytes.
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::of(Body::Bytes(body.into().into())).content_type("application/json")
    }

    /// Creates an answer without a body.
    pub fn empty() -> Self {
        Self::of(Body::Bytes(Arc::default()))
    }

    /// Creates a redirect, such as one of status 302.
    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self::empty().status(status).header("location", location)
    }

    /// Creates a body that is one byte, so many times. It is never whole in memory.
    pub fn sized(byte: u8, len: usize) -> Self {
        Self::of(Body::Sized { byte, len })
    }

    /// Creates a chunked body that never ends: one chunk, over and over. An empty chunk, which
    /// would be the end, counts as a space.
    pub fn endless(chunk: impl Into<Vec<u8>>) -> Self {
        let chunk = chunk.into();
        let chunk = if chunk.is_empty() { b" ".to_vec() } else { chunk };
        Self::of(Body::Endless { chunk: chunk.into() })
    }

    /// Creates an answer that is just these bytes, without a status line. Without bytes, the
    /// connection closes.
    pub fn garbage(response: impl Into<Vec<u8>>) -> Self {
        Self::of(Body::Garbage(response.into().into()))
    }

    fn of(body: Body) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body,
            delay: Duration::ZERO,
            header_drip: None,
            body_drip: None,
            stall_after: None,
            truncate: None,
        }
    }

    /// The status. Default: 200, or that of the redirect.
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The media type. Default: `application/json` for JSON, and else none.
    pub fn content_type(self, media_type: impl Into<String>) -> Self {
        self.only_header("content-type", media_type.into())
    }

    /// The entity tag, with or without its quotes. A request with an `If-None-Match` that has it
    /// gets a 304 in place of a 200 ([RFC 9110 §13.1.2]). Default: none.
    ///
    /// [RFC 9110 §13.1.2]: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2
    pub fn etag(self, tag: impl Into<String>) -> Self {
        let tag = tag.into();
        let tag = if tag.ends_with('"') { tag } else { format!("\"{tag}\"") };
        self.only_header("etag", tag)
    }

    /// The value of `Cache-Control`, such as `max-age=60`. Default: none.
    pub fn cache_control(self, directives: impl Into<String>) -> Self {
        self.only_header("cache-control", directives.into())
    }

    /// The value of `Last-Modified`, such as `Sun, 06 Nov 1994 08:49:37 GMT`. A request with the
    /// same text in `If-Modified-Since`, and no `If-None-Match`, gets a 304 in place of a 200
    /// ([RFC 9110 §13.1.3]). Default: none.
    ///
    /// [RFC 9110 §13.1.3]: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.3
    pub fn last_modified(self, date: impl Into<String>) -> Self {
        self.only_header("last-modified", date.into())
    }

    /// How long the server waits before the head. Default: not at all.
    pub fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// The head never ends: after what it has, one more header line comes after each interval.
    /// Default: it ends.
    pub fn drip_headers(self, interval: Duration) -> Self {
        Self { header_drip: Some(interval), ..self }
    }

    /// The body comes in pieces of so many bytes, with a pause before each. Default: at once.
    pub fn drip(self, bytes: usize, interval: Duration) -> Self {
        Self { body_drip: Some((bytes.max(1), interval)), ..self }
    }

    /// After so many bytes of the response, with its head, the connection stays open and silent
    /// until the client closes it. Default: it does not.
    pub fn stall_after(self, bytes: usize) -> Self {
        Self { stall_after: Some(bytes), ..self }
    }

    /// After so many bytes of the body the connection closes, although the head promised all.
    /// Default: it is sent in full.
    pub fn truncate(self, bytes: usize) -> Self {
        Self { truncate: Some(bytes), ..self }
    }

    /// Returns whether a 304 is what the request gets.
    pub(super) fn is_known_to(&self, request: &RecordedRequest) -> bool {
        if self.status != 200 || !matches!(request.method(), "GET" | "HEAD") {
            return false;
        }
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        if let Some(tags) = request.header("if-none-match") {
            let own = self.own_header("etag").map(opaque);
            return own.is_some_and(|own| {
                tags.split(',').map(opaque).any(|tag| tag == "*" || tag == own)
            });
        }
        let since = request.header("if-modified-since");
        since.is_some() && since == self.own_header("last-modified")
    }

    pub(super) fn own_header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn only_header(mut self, name: &str, value: String) -> Self {
        self.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        self.header(name, value)
    }
}
