//! What a script in a page can see of a service of another origin: one table for every framework.

use portcullis_testkit::{TestIssuer, TokenBuilder};
use serde_json::{Value, json};

use super::AUDIENCE;

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
}

impl Layers {
    pub(super) const ALL: [Self; 4] =
        [Self::AsDocumented, Self::Unexposed, Self::WrongOrder, Self::PreflightsPass];
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

#[derive(Clone, Copy)]
pub(super) struct Request {
    method: &'static str,
    path: &'static str,
    header: Option<Token>,
    query: Option<Token>,
    json: bool,
    /// Whether the browser sends its cookie: a good token of Carol's.
    credentials: &'static str,
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

/// What the page can see.
pub(super) enum Sees {
    Body(&'static str),
    Refusal {
        status: u16,
        code: Option<&'static str>,
        challenge: Option<&'static str>,
        retry_after: Option<&'static str>,
    },
    /// No more than that something went wrong.
    Nothing,
}

const NO_TOKEN: &str = r#"Bearer realm="orders""#;
const EXPIRED: &str =
    r#"Bearer realm="orders", error="invalid_token", error_description="the token has expired""#;
const BAD_SIGNATURE: &str = r#"Bearer realm="orders", error="invalid_token", error_description="the token's signature is wrong""#;
const NO_SCOPE: &str = r#"Bearer realm="orders", error="insufficient_scope", error_description="a scope is missing", scope="orders:read""#;
const TWO_TOKENS: &str = r#"Bearer realm="orders", error="invalid_request", error_description="the request carries more than one token""#;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |name, layers, request, page, server| {
        rows.push(Row { name, layers, request, page, server });
    };

    let layers = Layers::AsDocumented;
    add("no token", layers, get(), refused(401, "no_credentials", NO_TOKEN), &[("GET", 401)]);
    add(
        "a good token",
        layers,
        get().header(Token::Good),
        Sees::Body("alice"),
        &[("OPTIONS", 200), ("GET", 200)],
    );
    add(
        "an expired token",
        layers,
        get().header(Token::Expired),
        refused(401, "token_expired", EXPIRED),
        &[("OPTIONS", 200), ("GET", 401)],
    );
    add(
        "a wrong signature",
        layers,
        get().header(Token::WrongSignature),
        refused(401, "signature_mismatch", BAD_SIGNATURE),
        &[("OPTIONS", 200), ("GET", 401)],
    );
    add(
        "a token without the scope",
        layers,
        get().header(Token::WithoutScope),
        refused(403, "insufficient_scope", NO_SCOPE),
        &[("OPTIONS", 200), ("GET", 403)],
    );
    add(
        "two tokens",
        layers,
        get().header(Token::Good).query(Token::Good),
        refused(400, "multiple_tokens", TWO_TOKENS),
        &[("OPTIONS", 200), ("GET", 400)],
    );
    add(
        "a good token in the query, which needs no preflight",
        layers,
        get().query(Token::Good),
        Sees::Body("alice"),
        &[("GET", 200)],
    );
    add(
        "an expired token in the query",
        layers,
        get().query(Token::Expired),
        refused(401, "token_expired", EXPIRED),
        &[("GET", 401)],
    );
    add(
        "what is needed to judge is down",
        layers,
        get().path("/down").header(Token::Good),
        Sees::Refusal {
            status: 503,
            code: Some("resolver_unavailable"),
            challenge: None,
            retry_after: Some("5"),
        },
        &[("OPTIONS", 200), ("GET", 503)],
    );
    add(
        "the head of a refusal",
        layers,
        get().method("HEAD"),
        Sees::Refusal { status: 401, code: None, challenge: Some(NO_TOKEN), retry_after: None },
        &[("HEAD", 401)],
    );
    add(
        "json without a token, which needs a preflight",
        layers,
        get().method("POST").json(),
        refused(401, "no_credentials", NO_TOKEN),
        &[("OPTIONS", 200), ("POST", 401)],
    );
    add(
        "json with a good token",
        layers,
        get().method("POST").json().header(Token::Good),
        Sees::Body("alice"),
        &[("OPTIONS", 200), ("POST", 200)],
    );
    add(
        "a good cookie, which the page did not ask to send",
        layers,
        get(),
        refused(401, "no_credentials", NO_TOKEN),
        &[("GET", 401)],
    );
    add("a good cookie", layers, get().with_cookie(), Sees::Body("carol"), &[("GET", 200)]);
    add(
        "a good cookie beside a bad token",
        layers,
        get().with_cookie().header(Token::Expired),
        refused(401, "token_expired", EXPIRED),
        &[("OPTIONS", 200), ("GET", 401)],
    );

    let layers = Layers::Unexposed;
    add(
        "no token, and the challenge is not exposed",
        layers,
        get(),
        Sees::Refusal {
            status: 401,
            code: Some("no_credentials"),
            challenge: None,
            retry_after: None,
        },
        &[("GET", 401)],
    );
    add(
        "a token without the scope, and the challenge is not exposed",
        layers,
        get().header(Token::WithoutScope),
        Sees::Refusal {
            status: 403,
            code: Some("insufficient_scope"),
            challenge: None,
            retry_after: None,
        },
        &[("OPTIONS", 200), ("GET", 403)],
    );

    let layers = Layers::WrongOrder;
    add("no token, in the wrong order", layers, get(), Sees::Nothing, &[("GET", 401)]);
    for (name, token) in [
        ("a good token, in the wrong order", Token::Good),
        ("an expired token, in the wrong order", Token::Expired),
        ("a token without the scope, in the wrong order", Token::WithoutScope),
    ] {
        add(name, layers, get().header(token), Sees::Nothing, &[("OPTIONS", 401)]);
    }
    add(
        "an expired token in the query, in the wrong order",
        layers,
        get().query(Token::Expired),
        Sees::Nothing,
        &[("GET", 401)],
    );
    add(
        "a good cookie, in the wrong order",
        layers,
        get().with_cookie(),
        Sees::Body("carol"),
        &[("GET", 200)],
    );

    let layers = Layers::PreflightsPass;
    add("no token, and preflights pass", layers, get(), Sees::Nothing, &[("GET", 401)]);
    add(
        "a good token, and preflights pass",
        layers,
        get().header(Token::Good),
        Sees::Body("alice"),
        &[("OPTIONS", 200), ("GET", 200)],
    );
    add(
        "an expired token, and preflights pass",
        layers,
        get().header(Token::Expired),
        Sees::Nothing,
        &[("OPTIONS", 200), ("GET", 401)],
    );
    add(
        "a token without the scope, and preflights pass",
        layers,
        get().header(Token::WithoutScope),
        refused(403, "insufficient_scope", NO_SCOPE),
        &[("OPTIONS", 200), ("GET", 403)],
    );
    rows
}

fn get() -> Request {
    Request {
        method: "GET",
        path: "/orders",
        header: None,
        query: None,
        json: false,
        // What `fetch` does by itself: not to another origin.
        credentials: "same-origin",
    }
}

fn refused(status: u16, code: &'static str, challenge: &'static str) -> Sees {
    Sees::Refusal { status, code: Some(code), challenge: Some(challenge), retry_after: None }
}

impl Request {
    fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    fn path(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    fn header(self, token: Token) -> Self {
        Self { header: Some(token), ..self }
    }

    fn query(self, token: Token) -> Self {
        Self { query: Some(token), ..self }
    }

    fn json(self) -> Self {
        Self { json: true, ..self }
    }

    fn with_cookie(self) -> Self {
        Self { credentials: "include", ..self }
    }

    /// Returns the arguments of `fetch`. The URL names the row, so that no row finds the answer to
    /// another one's preflight in the browser's cache.
    pub(super) fn for_page(&self, row: usize, server: &str, issuer: &TestIssuer) -> Value {
        let mut url = format!("{server}{}?row={row}", self.path);
        if let Some(token) = self.query {
            url += &format!("&access_token={}", token.mint(issuer));
        }
        let mut init = json!({"method": self.method, "headers": {}});
        if let Some(token) = self.header {
            init["headers"]["Authorization"] = format!("Bearer {}", token.mint(issuer)).into();
        }
        if self.json {
            init["headers"]["Content-Type"] = "application/json".into();
            init["body"] = "{}".into();
        }
        init["credentials"] = self.credentials.into();
        json!({"url": url, "init": init})
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

impl Sees {
    /// Returns what the page reports.
    pub(super) fn as_reported(&self) -> Value {
        match self {
            Self::Body(body) => json!({"status": 200, "body": body}),
            Self::Refusal { status, code, challenge, retry_after } => json!({
                "status": status,
                "code": code,
                "challenge": challenge,
                "retryAfter": retry_after,
            }),
            Self::Nothing => json!({"error": "TypeError"}),
        }
    }
}
