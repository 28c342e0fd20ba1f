//! What a script in a page can see of a service of another origin: one table for every framework.

use serde_json::{Value, json};

use super::request::{Request, Token, event_source, get, web_socket};

/// In which order the layers of a service stand, from the outside in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Layers {
    /// CORS, which exposes the challenge; authentication; policy. As `docs/cors.md` has it.
    AsDocumented,
    /// The same, and the challenge is not exposed.
    Unexposed,
    /// Authentication; CORS; policy.
    WrongOrder,
    /// The same, and preflights pass through authentication.
    PreflightsPass,
    /// As documented, and the engine allows the origin of the page to use cookies.
    AllowedPage,
}

impl Layers {
    pub(super) const ALL: [Self; 5] = [
        Self::AsDocumented,
        Self::Unexposed,
        Self::WrongOrder,
        Self::PreflightsPass,
        Self::AllowedPage,
    ];
}

/// One request of the page.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) layers: Layers,
    pub(super) request: Request,
    pub(super) page: Sees,
    /// What the server has answered, which shows that it was there when the page saw nothing.
    pub(super) server: &'static [(&'static str, u16)],
}

/// What the page can see.
pub(super) enum Sees {
    Body(&'static str),
    /// The first of a WebSocket, with the subprotocol that the server has selected, or of an event
    /// source.
    Message(&'static str, Option<&'static str>),
    Rejection {
        status: u16,
        code: Option<&'static str>,
        challenge: Option<&'static str>,
        retry_after: Option<&'static str>,
    },
    /// No more than that something went wrong.
    Nothing,
    /// The same, with a WebSocket or an event source.
    NoMessage,
}

const NO_TOKEN: &str = r#"Bearer realm="orders""#;
const EXPIRED: &str =
    r#"Bearer realm="orders", error="invalid_token", error_description="the token has expired""#;
const BAD_SIGNATURE: &str = r#"Bearer realm="orders", error="invalid_token", error_description="the token's signature is wrong""#;
const NO_SCOPE: &str = r#"Bearer realm="orders", error="insufficient_scope", error_description="a scope is missing", scope="orders:read""#;
const TWO_TOKENS: &str = r#"Bearer realm="orders", error="invalid_request", error_description="the request carries more than one token""#;

pub(super) fn rows() -> Vec<Row> {
    [as_documented(), streams(), cookies(), unexposed(), wrong_order(), preflights_pass()]
        .into_iter()
        .flatten()
        .collect()
}

fn as_documented() -> Vec<Row> {
    let row = |name, request, page, server| Row {
        name,
        layers: Layers::AsDocumented,
        request,
        page,
        server,
    };
    vec![
        row("no token", get(), rejected(401, "no_credentials", NO_TOKEN), &[("GET", 401)]),
        row(
            "a good token",
            get().header(Token::Good),
            Sees::Body("alice"),
            &[("OPTIONS", 200), ("GET", 200)],
        ),
        row(
            "an expired token",
            get().header(Token::Expired),
            rejected(401, "token_expired", EXPIRED),
            &[("OPTIONS", 200), ("GET", 401)],
        ),
        row(
            "a wrong signature",
            get().header(Token::WrongSignature),
            rejected(401, "signature_mismatch", BAD_SIGNATURE),
            &[("OPTIONS", 200), ("GET", 401)],
        ),
        row(
            "a token without the scope",
            get().header(Token::WithoutScope),
            rejected(403, "insufficient_scope", NO_SCOPE),
            &[("OPTIONS", 200), ("GET", 403)],
        ),
        row(
            "two tokens",
            get().header(Token::Good).query(Token::Good),
            rejected(400, "multiple_tokens", TWO_TOKENS),
            &[("OPTIONS", 200), ("GET", 400)],
        ),
        row(
            "a good token in the query, which needs no preflight",
            get().query(Token::Good),
            Sees::Body("alice"),
            &[("GET", 200)],
        ),
        row(
            "an expired token in the query",
            get().query(Token::Expired),
            rejected(401, "token_expired", EXPIRED),
            &[("GET", 401)],
        ),
        row(
            "what is needed to judge is down",
            get().path("/down").header(Token::Good),
            Sees::Rejection {
                status: 503,
                code: Some("resolver_unavailable"),
                challenge: None,
                retry_after: Some("5"),
            },
            &[("OPTIONS", 200), ("GET", 503)],
        ),
        row(
            "the head of a rejection",
            get().method("HEAD"),
            Sees::Rejection {
                status: 401,
                code: None,
                challenge: Some(NO_TOKEN),
                retry_after: None,
            },
            &[("HEAD", 401)],
        ),
        row(
            "json without a token, which needs a preflight",
            get().method("POST").json(),
            rejected(401, "no_credentials", NO_TOKEN),
            &[("OPTIONS", 200), ("POST", 401)],
        ),
        row(
            "json with a good token",
            get().method("POST").json().header(Token::Good),
            Sees::Body("alice"),
            &[("OPTIONS", 200), ("POST", 200)],
        ),
        row(
            "a good cookie, which the page did not ask to send",
            get(),
            rejected(401, "no_credentials", NO_TOKEN),
            &[("GET", 401)],
        ),
        row("a good cookie", get().with_cookie(), Sees::Body("carol"), &[("GET", 200)]),
        row(
            "a good cookie beside a bad token",
            get().with_cookie().header(Token::Expired),
            rejected(401, "token_expired", EXPIRED),
            &[("OPTIONS", 200), ("GET", 401)],
        ),
    ]
}

/// Event sources and WebSockets, to which pages cannot give headers.
fn streams() -> Vec<Row> {
    let row = |name, request, page, server| Row {
        name,
        layers: Layers::AsDocumented,
        request,
        page,
        server,
    };
    vec![
        row(
            "an event source with a cookie",
            event_source().with_cookie(),
            Sees::Message("carol", None),
            &[("GET", 200)],
        ),
        row(
            "an event source with a token in the query",
            event_source().query(Token::Good),
            Sees::Message("alice", None),
            &[("GET", 200)],
        ),
        row("an event source without", event_source(), Sees::NoMessage, &[("GET", 401)]),
        row(
            "a WebSocket with a token among the subprotocols",
            web_socket(Some(Token::Good)),
            Sees::Message("alice", Some("access_token")),
            &[("GET", 101)],
        ),
        row(
            "a WebSocket with an expired token among the subprotocols",
            web_socket(Some(Token::Expired)),
            Sees::NoMessage,
            &[("GET", 401)],
        ),
        row(
            "a WebSocket with a token without the scope",
            web_socket(Some(Token::WithoutScope)),
            Sees::NoMessage,
            &[("GET", 403)],
        ),
        row(
            "a WebSocket with the cookie, which CORS does not prevent",
            web_socket(None),
            Sees::NoMessage,
            &[("GET", 403)],
        ),
    ]
}

/// Requests that may change something, with the cookie that the browser attaches.
fn cookies() -> Vec<Row> {
    let row = |name, layers, request, page, server| Row { name, layers, request, page, server };
    let post = || get().method("POST").with_cookie();
    let rejected = || Sees::Rejection {
        status: 403,
        code: Some("cross_site_request"),
        challenge: None,
        retry_after: None,
    };
    let (documented, allowed) = (Layers::AsDocumented, Layers::AllowedPage);
    vec![
        row("a form's method with the cookie", documented, post(), rejected(), &[("POST", 403)]),
        row(
            "json with the cookie",
            documented,
            post().json(),
            rejected(),
            &[("OPTIONS", 200), ("POST", 403)],
        ),
        row(
            "the cookie beside a good token in a header field",
            documented,
            post().header(Token::Good),
            Sees::Body("alice"),
            &[("OPTIONS", 200), ("POST", 200)],
        ),
        row(
            "the cookie, from an allowed page",
            allowed,
            post(),
            Sees::Body("carol"),
            &[("POST", 200)],
        ),
        row(
            "a WebSocket with the cookie, from an allowed page",
            allowed,
            web_socket(None),
            Sees::Message("carol", Some("")),
            &[("GET", 101)],
        ),
    ]
}

fn unexposed() -> Vec<Row> {
    let row = |name, request, page, server| Row {
        name,
        layers: Layers::Unexposed,
        request,
        page,
        server,
    };
    vec![
        row(
            "no token, and the challenge is not exposed",
            get(),
            Sees::Rejection {
                status: 401,
                code: Some("no_credentials"),
                challenge: None,
                retry_after: None,
            },
            &[("GET", 401)],
        ),
        row(
            "a token without the scope, and the challenge is not exposed",
            get().header(Token::WithoutScope),
            Sees::Rejection {
                status: 403,
                code: Some("insufficient_scope"),
                challenge: None,
                retry_after: None,
            },
            &[("OPTIONS", 200), ("GET", 403)],
        ),
    ]
}

fn wrong_order() -> Vec<Row> {
    let row = |name, request, page, server| Row {
        name,
        layers: Layers::WrongOrder,
        request,
        page,
        server,
    };
    vec![
        row("no token, in the wrong order", get(), Sees::Nothing, &[("GET", 401)]),
        row(
            "a good token, in the wrong order",
            get().header(Token::Good),
            Sees::Nothing,
            &[("OPTIONS", 401)],
        ),
        row(
            "an expired token, in the wrong order",
            get().header(Token::Expired),
            Sees::Nothing,
            &[("OPTIONS", 401)],
        ),
        row(
            "a token without the scope, in the wrong order",
            get().header(Token::WithoutScope),
            Sees::Nothing,
            &[("OPTIONS", 401)],
        ),
        row(
            "an expired token in the query, in the wrong order",
            get().query(Token::Expired),
            Sees::Nothing,
            &[("GET", 401)],
        ),
        row(
            "a good cookie, in the wrong order",
            get().with_cookie(),
            Sees::Body("carol"),
            &[("GET", 200)],
        ),
    ]
}

fn preflights_pass() -> Vec<Row> {
    let row = |name, request, page, server| Row {
        name,
        layers: Layers::PreflightsPass,
        request,
        page,
        server,
    };
    vec![
        row("no token, and preflights pass", get(), Sees::Nothing, &[("GET", 401)]),
        row(
            "a good token, and preflights pass",
            get().header(Token::Good),
            Sees::Body("alice"),
            &[("OPTIONS", 200), ("GET", 200)],
        ),
        row(
            "an expired token, and preflights pass",
            get().header(Token::Expired),
            Sees::Nothing,
            &[("OPTIONS", 200), ("GET", 401)],
        ),
        row(
            "a token without the scope, and preflights pass",
            get().header(Token::WithoutScope),
            rejected(403, "insufficient_scope", NO_SCOPE),
            &[("OPTIONS", 200), ("GET", 403)],
        ),
    ]
}

fn rejected(status: u16, code: &'static str, challenge: &'static str) -> Sees {
    Sees::Rejection { status, code: Some(code), challenge: Some(challenge), retry_after: None }
}

impl Sees {
    /// Returns what the page reports.
    pub(super) fn as_reported(&self) -> Value {
        match self {
            Self::Body(body) => json!({"status": 200, "body": body}),
            Self::Rejection { status, code, challenge, retry_after } => json!({
                "status": status,
                "code": code,
                "challenge": challenge,
                "retryAfter": retry_after,
            }),
            Self::Message(body, protocol) => json!({"body": body, "protocol": protocol}),
            Self::Nothing => json!({"error": "TypeError"}),
            Self::NoMessage => json!({"error": "error"}),
        }
    }
}
