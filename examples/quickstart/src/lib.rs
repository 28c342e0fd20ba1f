//! The parts of the quick start: the API, its tokens, and what to try.

use std::{fmt::Write as _, net::SocketAddr};

use axum::{
    Json, Router,
    extract::Path,
    handler::Handler,
    http::StatusCode,
    routing::{delete, get},
};
use portcullis_axum::{
    Algorithm, Authenticator, Caller, ConfigError, Granted, Issuer, JwtAuthLayer, RequireLayer,
    TokenLocation,
    policy::{role, scope},
};
use portcullis_testkit::{KeyServer, TestIssuer};
use serde_json::{Value, json};

/// The `aud` of the tokens: this API.
pub const AUDIENCE: &str = "https://jobs.quickstart.example";

/// Builds the engine: it trusts one issuer, and finds that one's keys by discovery over HTTP.
///
/// # Errors
///
/// [`ConfigError`], whose text an application shows to its operator.
pub fn authenticator(issuer: &str) -> Result<Authenticator, ConfigError> {
    Authenticator::builder()
        .issuer(Issuer::discover(issuer))
        .audience(AUDIENCE)
        .locations(TokenLocation::header_query_cookie("access_token"))
        .build()
}

/// Builds the API: readers read, writers create, admins delete.
pub fn app(auth: Authenticator) -> Router {
    let health = auth.clone();
    let ready = move || async move {
        match health.health() {
            Ok(()) => (StatusCode::OK, "ready".to_owned()),
            Err(not_ready) => (StatusCode::SERVICE_UNAVAILABLE, not_ready.to_string()),
        }
    };
    let may_write = RequireLayer::new(scope("jobs:write"));
    let may_delete = RequireLayer::new(role("admin"));
    Router::new()
        .route("/jobs", get(list_jobs).post(create_job.layer(may_write)))
        .route("/jobs/{id}", delete(delete_job).layer(may_delete))
        .route_layer(RequireLayer::new(scope("jobs:read")))
        .route("/me", get(me))
        .route_layer(JwtAuthLayer::new(auth))
        .route("/readyz", get(ready))
}

async fn list_jobs() -> Json<Value> {
    Json(json!([{"id": 1, "name": "sweep the yard"}]))
}

async fn create_job(caller: Caller) -> (StatusCode, Json<Value>) {
    (StatusCode::CREATED, Json(json!({"id": 2, "created_by": caller.subject()})))
}

async fn delete_job(Path(_id): Path<u64>) -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn me(Caller(principal): Caller, Granted(grant): Granted) -> Json<Value> {
    Json(json!({"principal": principal, "grant": *grant}))
}

/// Tokens to try, each good but one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tokens {
    /// May read jobs.
    pub reader: String,
    /// May read and create jobs.
    pub writer: String,
    /// May read, create and delete jobs.
    pub admin: String,
    /// The reader's, expired an hour ago.
    pub expired: String,
}

/// Issues the tokens.
#[must_use]
pub fn tokens(issuer: &TestIssuer) -> Tokens {
    let token = |role: &str, scope: &str| {
        let token = issuer.token().audience(AUDIENCE).subject(role).roles([role]).scope(scope);
        token.claim("client_id", "quickstart")
    };
    let reader = token("reader", "jobs:read");
    Tokens {
        writer: token("writer", "jobs:read jobs:write").build(),
        admin: token("admin", "jobs:read jobs:write").build(),
        expired: reader.clone().expired().build(),
        reader: reader.build(),
    }
}

/// How many keys stay published: a verifier uses no more than 100 of a set.
const KEPT_KEYS: usize = 50;

/// Replaces the issuer's key. Older ones stay published for a while, so that their tokens stay good, and
/// retire in the end.
pub fn rotate_key(server: &KeyServer, issuer: &TestIssuer) {
    issuer.rotate(Algorithm::ES256);
    issuer.keep_newest_keys(KEPT_KEYS);
    server.publish(issuer);
}

/// What to try, and the status to expect. `$API` and the tokens are shell variables.
pub const TRIES: [(&str, u16); 14] = [
    (r"curl -i $API/readyz", 200),
    (r#"curl -i -H "Authorization: Bearer $READER" $API/jobs"#, 200),
    (r#"curl -i -H "Authorization: Bearer $READER" -X POST $API/jobs"#, 403),
    (r#"curl -i -H "Authorization: Bearer $WRITER" -X POST $API/jobs"#, 201),
    (r#"curl -i -H "Authorization: Bearer $WRITER" -X DELETE $API/jobs/1"#, 403),
    (r#"curl -i -H "Authorization: Bearer $ADMIN" -X DELETE $API/jobs/1"#, 204),
    (r#"curl -i -H "Authorization: Bearer $ADMIN" $API/me"#, 200),
    (r"curl -i $API/jobs", 401),
    (r#"curl -i -H "Authorization: Bearer $EXPIRED" $API/jobs"#, 401),
    (r#"curl -i -H "Authorization: Bearer ${READER}x" $API/jobs"#, 401),
    (r#"curl -i "$API/jobs?access_token=$READER""#, 200),
    (r#"curl -i --cookie "access_token=$READER" $API/jobs"#, 200),
    (r#"curl -i -H "Authorization: Bearer $READER" "$API/jobs?access_token=$READER""#, 400),
    (r#"curl -i -H "Authorization: Bearer $READER" --cookie "access_token=$ADMIN" $API/me"#, 200),
];

/// The text that the program prints after its first line.
#[must_use]
pub fn transcript(address: SocketAddr, tokens: &Tokens) -> String {
    let mut text = "\n".to_owned();
    for (name, value) in [
        ("API", &format!("http://{address}")),
        ("READER", &tokens.reader),
        ("WRITER", &tokens.writer),
        ("ADMIN", &tokens.admin),
        ("EXPIRED", &tokens.expired),
    ] {
        // Writing to a string never fails.
        let _ = writeln!(text, "{name}={value}");
    }
    text.push_str("\n# Paste the lines above into another shell, then try these:\n");
    for (command, status) in TRIES {
        let _ = writeln!(text, "{command} # expect {status}");
    }
    text.push_str("\npress Ctrl-C to stop\n");
    text
}
