//! Requests that a page makes.

use portcullis_testkit::{TestIssuer, TokenBuilder};
use serde_json::{Value, json};

use super::AUDIENCE;

#[derive(Clone, Copy)]
pub(super) struct Request {
    via: Via,
    method: &'static str,
    path: &'static str,
    header: Option<Token>,
    query: Option<Token>,
    json: bool,
    /// Whether the browser sends its cookie: a good token of Carol's.
    credentials: &'static str,
}

/// What the page makes the request with.
#[derive(Clone, Copy)]
enum Via {
    Fetch,
    EventSource,
    /// With a token among the subprotocols.
    WebSocket(Option<Token>),
}

#[derive(Clone, Copy)]
pub(super) enum Token {
    Good,
    WithoutScope,
    Expired,
    WrongSignature,
    /// The one in the browser's cookie.
    CarolsOwn,
}

pub(super) fn event_source() -> Request {
    Request { via: Via::EventSource, path: "/events", ..get() }
}

pub(super) fn web_socket(token: Option<Token>) -> Request {
    Request { via: Via::WebSocket(token), path: "/chat", ..get() }
}

pub(super) fn get() -> Request {
    Request {
        via: Via::Fetch,
        method: "GET",
        path: "/orders",
        header: None,
        query: None,
        json: false,
        // What `fetch` does by itself: not to another origin.
        credentials: "same-origin",
    }
}

impl Request {
    pub(super) fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    pub(super) fn path(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    pub(super) fn header(self, token: Token) -> Self {
        Self { header: Some(token), ..self }
    }

    pub(super) fn query(self, token: Token) -> Self {
        Self { query: Some(token), ..self }
    }

    pub(super) fn json(self) -> Self {
        Self { json: true, ..self }
    }

    pub(super) fn with_cookie(self) -> Self {
        Self { credentials: "include", ..self }
    }

    /// Returns what the page is told. The URL names the row, so that no row finds the answer to
    /// another one's preflight in the browser's cache.
    pub(super) fn for_page(&self, row: usize, server: &str, issuer: &TestIssuer) -> Value {
        let mut url = format!("{server}{}?row={row}", self.path);
        if let Some(token) = self.query {
            url += &format!("&access_token={}", token.mint(issuer));
        }
        match self.via {
            Via::Fetch => json!({"via": "fetch", "url": url, "init": self.init(issuer)}),
            Via::EventSource => {
                let init = json!({"withCredentials": self.credentials == "include"});
                json!({"via": "eventSource", "url": url, "init": init})
            }
            Via::WebSocket(token) => {
                let url = url.replacen("http:", "ws:", 1);
                let token = token.map(|token| ["access_token".to_owned(), token.mint(issuer)]);
                let protocols: Vec<String> = token.into_iter().flatten().collect();
                json!({"via": "webSocket", "url": url, "protocols": protocols})
            }
        }
    }

    /// The second argument of `fetch`.
    fn init(&self, issuer: &TestIssuer) -> Value {
        let mut init =
            json!({"method": self.method, "headers": {}, "credentials": self.credentials});
        if let Some(token) = self.header {
            init["headers"]["Authorization"] = format!("Bearer {}", token.mint(issuer)).into();
        }
        if self.json {
            init["headers"]["Content-Type"] = "application/json".into();
            init["body"] = "{}".into();
        }
        init
    }
}

impl Token {
    pub(super) fn mint(self, issuer: &TestIssuer) -> String {
        let good = issuer.token().audience(AUDIENCE);
        let with_scope = || good.clone().scope("orders:read");
        let token: TokenBuilder = match self {
            Self::Good => with_scope(),
            Self::WithoutScope => good,
            Self::Expired => with_scope().expired(),
            Self::WrongSignature => with_scope().wrong_signature(),
            Self::CarolsOwn => with_scope().subject("carol"),
        };
        token.build()
    }
}
