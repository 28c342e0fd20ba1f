//! The layers and extractors on a real axum router.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::time::Duration;

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::OriginalUri,
    handler::Handler,
    http::{Request, Response, StatusCode, Uri, header},
    routing::{any, get, post},
};
use portcullis_axum::{
    Algorithm, AuthError, AuthErrorKind, Authenticator, Caller, Claims, Grant, Granted, Issuer,
    JwtAuthLayer, Rejection, RequireLayer, TokenLocation, VerificationKey,
    error::LayerError,
    policy::{self, all_scopes, any_scope, claim, role, scope},
};
use portcullis_testkit::TestIssuer;
use serde::Deserialize;
use serde_json::{Value, json};
use tower::ServiceExt;

const AUDIENCE: &str = "orders";

struct Service {
    issuer: TestIssuer,
    app: Router,
}

/// What came back, in one value that a failed assertion shows whole.
#[derive(Debug, Eq, PartialEq)]
struct Answer {
    status: u16,
    challenge: Option<String>,
    code: Option<String>,
    body: String,
}

impl Service {
    fn new(app: impl FnOnce(Authenticator) -> Router) -> Self {
        let issuer = TestIssuer::new("https://idp.test");
        let auth = Authenticator::builder()
            .issuer(issuer.trusted())
            .audience(AUDIENCE)
            .locations(TokenLocation::header_query_cookie("access_token"))
            .realm("orders")
            .build()
            .unwrap();
        Self { issuer, app: app(auth) }
    }

    fn token(&self) -> portcullis_testkit::TokenBuilder {
        self.issuer.token().audience(AUDIENCE)
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.app.clone().oneshot(request).await.unwrap()
    }

    async fn get(&self, uri: &str, token: Option<&str>) -> Answer {
        answer(self.send(request("GET", uri, token)).await).await
    }
}

fn request(method: &str, uri: &str, token: Option<&str>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(uri);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::empty()).unwrap()
}

async fn answer(response: Response<Body>) -> Answer {
    let status = response.status().as_u16();
    let challenge = response
        .headers()
        .get(header::WWW_AUTHENTICATE)
        .map(|value| value.to_str().unwrap().to_owned());
    let body = to_bytes(response.into_body(), 64 * 1024).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let code = serde_json::from_str::<Value>(&body)
        .ok()
        .and_then(|problem| Some(problem.get("code")?.as_str()?.to_owned()));
    Answer { status, challenge, code, body }
}

fn allowed(body: &str) -> Answer {
    Answer { status: 200, challenge: None, code: None, body: body.to_owned() }
}

fn rejected(status: u16, challenge: Option<&str>, title: &str, code: &str) -> Answer {
    Answer {
        status,
        challenge: challenge.map(ToOwned::to_owned),
        code: Some(code.to_owned()),
        body: format!(
            r#"{{"type":"about:blank","title":"{title}","status":{status},"code":"{code}"}}"#
        ),
    }
}

async fn who(caller: Caller) -> String {
    caller.subject().to_owned()
}

async fn who_if_anyone(caller: Option<Caller>) -> String {
    caller.map_or_else(|| "nobody".to_owned(), |caller| caller.subject().to_owned())
}

fn guarded(auth: Authenticator) -> Router {
    Router::new()
        .route("/who", get(who))
        .route("/jobs", get(who).post(who.layer(RequireLayer::new(scope("jobs:write")))))
        .route("/admin", get(who).layer(RequireLayer::new(role("admin"))))
        .route_layer(JwtAuthLayer::new(auth))
}

#[tokio::test]
async fn lets_good_tokens_in_and_rejects_the_rest() {
    let service = Service::new(guarded);
    let good = service.token().build();
    assert_eq!(service.get("/who", Some(&good)).await, allowed("alice"));

    let no_code = Some(r#"Bearer realm="orders""#);
    assert_eq!(
        service.get("/who", None).await,
        rejected(401, no_code, "Unauthorized", "no_credentials")
    );
    let expired = service.token().expired().build();
    let challenge = Some(
        r#"Bearer realm="orders", error="invalid_token", error_description="the token has expired""#,
    );
    assert_eq!(
        service.get("/who", Some(&expired)).await,
        rejected(401, challenge, "Unauthorized", "token_expired")
    );
    let challenge = Some(
        r#"Bearer realm="orders", error="invalid_request", error_description="the request carries more than one token""#,
    );
    assert_eq!(
        service.get(&format!("/who?access_token={good}"), Some(&good)).await,
        rejected(400, challenge, "Bad Request", "multiple_tokens")
    );
}

#[tokio::test]
async fn policies_hold_on_a_router_a_route_and_a_single_handler() {
    let service = Service::new(guarded);
    let reader = service.token().scope("jobs:read").build();
    let writer = service.token().scope("jobs:write").build();
    let admin = service.token().roles(["admin"]).build();

    assert_eq!(service.get("/jobs", Some(&reader)).await.status, 200);
    let post = answer(service.send(request("POST", "/jobs", Some(&reader))).await).await;
    let challenge = Some(
        r#"Bearer realm="orders", error="insufficient_scope", error_description="a scope is missing", scope="jobs:write""#,
    );
    assert_eq!(post, rejected(403, challenge, "Forbidden", "insufficient_scope"));
    let post = service.send(request("POST", "/jobs", Some(&writer))).await;
    assert_eq!(post.status(), StatusCode::OK);

    assert_eq!(service.get("/admin", Some(&admin)).await, allowed("alice"));
    assert_eq!(
        service.get("/admin", Some(&writer)).await.code.as_deref(),
        Some("insufficient_role")
    );
}

#[tokio::test]
async fn every_rule_and_every_combination_decides() {
    let even = || policy::grant(|grant: &Grant| grant.scope().iter().count().is_multiple_of(2));
    let down = || policy::check(|_, _: &Grant| Err(AuthErrorKind::ResolverUnavailable.into()));
    // The token below has the scopes a and b, the role r and the claim tenant = acme.
    let rows = [
        ("scope", scope("a"), 200),
        ("another scope", scope("c"), 403),
        ("all scopes", all_scopes(["a", "b"]), 200),
        ("all scopes but one", all_scopes(["a", "c"]), 403),
        ("any scope", any_scope(["c", "b"]), 200),
        ("any of no scope", any_scope(<[&str; 0]>::default()), 500),
        ("role", role("r"), 200),
        ("another role", role("R"), 403),
        ("claim", claim("tenant", "acme"), 200),
        ("claim of another value", claim("tenant", "other"), 403),
        ("claim of another type", claim("number", "7"), 403),
        ("claim of the same type", claim("number", 7), 200),
        ("claim that is missing", claim("missing", Value::Null), 403),
        ("own function", even(), 200),
        ("and", scope("a").and(role("r")), 200),
        ("and, first fails", scope("c").and(role("r")), 403),
        ("and, second fails", scope("a").and(role("x")), 403),
        ("or", scope("c").or(role("r")), 200),
        ("or, both fail", scope("c").or(role("x")), 403),
        ("not", role("x").not(), 200),
        ("not, fails", role("r").not(), 403),
        ("unavailable", down(), 503),
        ("unavailable or allowed", down().or(scope("a")), 503),
        ("rejected or unavailable", scope("c").or(down()), 503),
        ("not unavailable", down().not(), 503),
        ("not not", role("r").not().not(), 200),
    ];
    for (name, policy, expected) in rows {
        let service = Service::new(|auth| {
            Router::new()
                .route("/", get(who))
                .layer(RequireLayer::new(policy))
                .layer(JwtAuthLayer::new(auth))
        });
        let token = service.token().scope("a b").roles(["r"]).claim("tenant", "acme");
        let token = token.claim("number", 7).build();
        let answer = service.get("/", Some(&token)).await;
        assert_eq!(answer.status, expected, "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn a_rejection_names_the_scope_that_would_do() {
    for (policy, expected) in [
        (scope("a"), Some(r#"scope="a""#)),
        (all_scopes(["a", "b"]), Some(r#"scope="a b""#)),
        (any_scope(["a", "b"]), Some(r#"scope="a""#)),
        (scope("a").or(scope("b")), Some(r#"scope="a""#)),
        (scope("a").and(scope("b")), Some(r#"scope="a b""#)),
        (role("x").and(scope("b")), None),
        (scope("a\",realm=\"b"), Some(r#"scope="a\",realm=\"b""#)),
    ] {
        let service = Service::new(|auth| {
            Router::new()
                .route("/", get(who))
                .layer(RequireLayer::new(policy))
                .layer(JwtAuthLayer::new(auth))
        });
        let answer = service.get("/", Some(&service.token().build())).await;
        let challenge = answer.challenge.unwrap();
        match expected {
            Some(expected) => assert!(challenge.ends_with(expected), "{challenge}"),
            None => assert!(!challenge.contains("scope="), "{challenge}"),
        }
    }
}

#[tokio::test]
async fn optional_admits_requests_without_credentials_and_never_bad_ones() {
    let service = Service::new(|auth| {
        Router::new()
            .route("/", get(who_if_anyone))
            .route("/must", get(who))
            // It reads no caller, so that nothing but the layer can reject.
            .route("/open", get(|| async { "open" }))
            .route(
                "/grant",
                get(|grant: Option<Granted>| async move { grant.is_some().to_string() }),
            )
            .route("/scope", get(who).layer(RequireLayer::new(scope("a"))))
            .layer(JwtAuthLayer::new(auth).optional())
    });
    let good = service.token().build();
    let bad = service.token().wrong_signature().build();
    assert_eq!(service.get("/", None).await, allowed("nobody"));
    assert_eq!(service.get("/", Some(&good)).await, allowed("alice"));
    assert_eq!(service.get("/grant", None).await, allowed("false"));
    assert_eq!(service.get("/grant", Some(&good)).await, allowed("true"));
    assert_eq!(service.get("/open", None).await, allowed("open"));
    for (token, code) in [
        (bad, "signature_mismatch"),
        (service.token().expired().build(), "token_expired"),
        ("no-token".to_owned(), "malformed_token"),
        ("no token".to_owned(), "malformed_request"),
    ] {
        for path in ["/", "/open", "/grant", "/must"] {
            let answer = service.get(path, Some(&token)).await;
            assert_eq!(answer.code.as_deref(), Some(code), "{path}");
        }
    }
    for path in ["/must", "/scope"] {
        let answer = service.get(path, None).await;
        let challenge = Some(r#"Bearer realm="orders""#);
        assert_eq!(answer, rejected(401, challenge, "Unauthorized", "no_credentials"));
    }
}

#[tokio::test]
async fn a_missing_layer_is_a_fault_of_the_service() {
    let service = Service::new(|_| {
        Router::new()
            .route("/who", get(who))
            .route("/option", get(who_if_anyone))
            .route("/policy", get(|| async {}).layer(RequireLayer::new(scope("a"))))
            .route("/grant", get(|_: Granted<Grant>| async {}))
            .route("/claims", get(|_: Claims<Value>| async {}))
    });
    let token = service.token().build();
    let response = service.send(request("GET", "/who", Some(&token))).await;
    assert_eq!(response.extensions().get::<LayerError>(), Some(&LayerError::Missing));
    for path in ["/who", "/option", "/policy", "/grant", "/claims"] {
        let answer = service.get(path, Some(&token)).await;
        assert_eq!(answer, rejected(500, None, "Internal Server Error", "internal_error"));
    }
}

#[derive(Debug, Deserialize, PartialEq)]
struct Rights {
    tenant: String,
    level: u8,
}

#[tokio::test]
async fn an_application_has_a_grant_of_its_own_type() {
    let issuer = TestIssuer::new("https://idp.test");
    let auth = Authenticator::builder()
        .issuer(issuer.trusted())
        .audience(AUDIENCE)
        .with_grant::<Rights>()
        .build()
        .unwrap();
    let high = || policy::grant(|rights: &Rights| rights.level > 3);
    let app = Router::new()
        .route("/", get(|rights: Granted<Rights>| async move { rights.tenant.clone() }))
        .route("/high", get(|| async {}).layer(RequireLayer::new(high())))
        .route("/other", get(|_: Granted<Grant>| async {}))
        .route("/other-policy", get(|| async {}).layer(RequireLayer::new(scope("a"))))
        .layer(JwtAuthLayer::new(auth));
    let service = Service { issuer, app };

    let token = service.token().claim("tenant", "acme").claim("level", 3).build();
    assert_eq!(service.get("/", Some(&token)).await, allowed("acme"));
    assert_eq!(service.get("/high", Some(&token)).await.code.as_deref(), Some("not_permitted"));
    let token = service.token().claim("tenant", "acme").claim("level", "three").build();
    assert_eq!(service.get("/", Some(&token)).await.code.as_deref(), Some("malformed_claim"));
    let token = service.token().claim("tenant", "acme").claim("level", 4).build();
    assert_eq!(service.get("/high", Some(&token)).await.status, 200);
    for path in ["/other", "/other-policy"] {
        let answer = service.get(path, Some(&token)).await;
        assert_eq!(answer, rejected(500, None, "Internal Server Error", "internal_error"));
    }
}

#[tokio::test]
async fn a_mapping_function_may_reject_and_be_unavailable() {
    let issuer = TestIssuer::new("https://idp.test");
    let auth = Authenticator::builder()
        .issuer(issuer.trusted())
        .audience(AUDIENCE)
        .with_grant_from(|caller| match caller.subject() {
            "alice" => Ok(1_u8),
            "mallory" => Err(AuthErrorKind::SubjectDisabled.into()),
            "nobody" => Err(AuthErrorKind::SubjectUnknown.into()),
            _ => Err(AuthError::with_source(
                AuthErrorKind::ResolverUnavailable,
                "the database is down at 10.0.0.7",
            )),
        })
        .build()
        .unwrap();
    let app = Router::new()
        .route("/", get(|grant: Granted<u8>| async move { grant.to_string() }))
        .layer(JwtAuthLayer::new(auth));
    let service = Service { issuer, app };

    for (subject, status, code) in [
        ("alice", 200, None),
        ("mallory", 401, Some("subject_disabled")),
        ("nobody", 401, Some("subject_unknown")),
        ("bob", 503, Some("resolver_unavailable")),
    ] {
        let token = service.token().subject(subject).build();
        let response = service.send(request("GET", "/", Some(&token))).await;
        let retry = response.headers().get(header::RETRY_AFTER).cloned();
        let answer = answer(response).await;
        assert_eq!((answer.status, answer.code.as_deref()), (status, code));
        assert_eq!(retry.is_some(), status == 503);
        assert_eq!(answer.challenge.is_some(), status == 401);
        assert!(!answer.body.contains("10.0.0.7"));
    }
}

#[tokio::test]
async fn tokens_are_taken_out_of_the_query_and_responses_are_not_stored() {
    let service = Service::new(|auth| {
        Router::new()
            .route("/{*path}", any(|uri: Uri| async move { uri.to_string() }))
            .nest(
                "/nested",
                Router::new().route("/uri", any(|uri: Uri| async move { uri.to_string() })),
            )
            .route("/original", any(|OriginalUri(uri): OriginalUri| async move { uri.to_string() }))
            .layer(JwtAuthLayer::new(auth))
    });
    let token = service.token().build();
    for (sent, seen) in [
        (format!("/x?access_token={token}"), "/x"),
        (format!("/x?a=1&access_token={token}&b=%20&&c"), "/x?a=1&b=%20&&c"),
        (format!("/x?access%5ftoken={token}&a"), "/x?a"),
        (format!("http://h.test/x?access_token={token}&a"), "http://h.test/x?a"),
        (format!("/nested/uri?access_token={token}"), "/uri"),
    ] {
        let response = service.send(request("GET", &sent, None)).await;
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store", "{sent}");
        assert_eq!(answer(response).await, allowed(seen));
    }
    // Rejections too, and a token that was not even used.
    let response = service.send(request("GET", "/x?access_token=bad", None)).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    // Without a token in the query nothing changes.
    let response = service.send(request("GET", "/x?a=1&access_tokens=2", Some(&token))).await;
    assert!(response.headers().get(header::CACHE_CONTROL).is_none());
    assert_eq!(answer(response).await, allowed("/x?a=1&access_tokens=2"));
}

#[tokio::test]
async fn a_cookie_yields_to_an_explicit_token() {
    let service = Service::new(guarded);
    let [alice, bob] = ["alice", "bob"].map(|subject| service.token().subject(subject).build());
    let with_cookie = |uri: &str, bearer: Option<&str>, cookie: &str| {
        let mut request = request("GET", uri, bearer);
        let cookie = format!("theme=dark; access_token={cookie}; lang=de");
        request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        request
    };
    for (request, expected) in [
        (with_cookie("/who", None, &bob), "bob"),
        (with_cookie("/who", Some(&alice), &bob), "alice"),
        (with_cookie(&format!("/who?access_token={alice}"), None, &bob), "alice"),
        (with_cookie("/who", Some(&alice), "garbage; access_token=more"), "alice"),
    ] {
        assert_eq!(answer(service.send(request).await).await, allowed(expected));
    }
    // An explicit token that is bad is not made good by the cookie.
    let bad = service.token().expired().build();
    let answer = answer(service.send(with_cookie("/who", Some(&bad), &bob)).await).await;
    assert_eq!(answer.code.as_deref(), Some("token_expired"));
}

#[tokio::test]
async fn head_gets_the_headers_without_a_body() {
    let service = Service::new(guarded);
    let response = service.send(request("HEAD", "/who", None)).await;
    assert_eq!(response.headers()[header::WWW_AUTHENTICATE], r#"Bearer realm="orders""#);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(answer(response).await.body, "");
}

#[tokio::test]
async fn preflight_passes_by_an_explicit_switch_only() {
    let preflight = || {
        let mut request = request("OPTIONS", "/", None);
        request.headers_mut().insert(header::ORIGIN, "https://page.test".parse().unwrap());
        let method = "POST".parse().unwrap();
        request.headers_mut().insert(header::ACCESS_CONTROL_REQUEST_METHOD, method);
        request
    };
    let app = |layer: JwtAuthLayer| Router::new().route("/", any(|| async {})).layer(layer);
    let judged = Service::new(|auth| app(JwtAuthLayer::new(auth)));
    assert_eq!(judged.send(preflight()).await.status(), StatusCode::UNAUTHORIZED);
    let passed = Service::new(|auth| app(JwtAuthLayer::new(auth).pass_preflight()));
    assert_eq!(passed.send(preflight()).await.status(), StatusCode::OK);
    // No preflight: a header is missing, or it is another method.
    assert_eq!(passed.send(request("OPTIONS", "/", None)).await.status(), StatusCode::UNAUTHORIZED);
    for name in [header::ORIGIN, header::ACCESS_CONTROL_REQUEST_METHOD] {
        let mut without = preflight();
        without.headers_mut().remove(&name);
        assert_eq!(passed.send(without).await.status(), StatusCode::UNAUTHORIZED, "{name}");
    }
    let mut get = preflight();
    *get.method_mut() = "GET".parse().unwrap();
    assert_eq!(passed.send(get).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_application_can_answer_in_its_own_form_and_layers_around_see_the_error() {
    let service = Service::new(|auth| {
        let own = |rejection: &Rejection| {
            assert!(rejection.challenge().status() >= 400);
            // From nothing, not from what the rejection would make.
            let mut response = Response::new(Body::from(r#"{"detail":"Forbidden"}"#));
            *response.status_mut() = StatusCode::FORBIDDEN;
            response
        };
        Router::new()
            .route(
                "/",
                post(|| async {}).layer(RequireLayer::new(role("x")).response_for_rejection(own)),
            )
            .layer(JwtAuthLayer::new(auth).response_for_rejection(own))
    });
    let expired = service.token().expired().build();
    let response = service.send(request("POST", "/", Some(&expired))).await;
    let error = response.extensions().get::<AuthError>().unwrap();
    assert_eq!(error.kind(), AuthErrorKind::TokenExpired);
    let answer = answer(response).await;
    assert_eq!((answer.status, answer.body.as_str()), (403, r#"{"detail":"Forbidden"}"#));
}

#[tokio::test]
async fn nothing_of_the_token_or_the_configuration_leaks() {
    let service = Service::new(guarded);
    let secrets = ["top-secret-claim", "https://idp.test", "es256", AUDIENCE, "alice"];
    let token = || service.token().claim("note", "top-secret-claim");
    for token in [
        token().audience("others-audience"),
        token().claim("aud", 7),
        token().claim("iss", "https://evil.test"),
        token().header("kid", "unknown-kid"),
        token().wrong_signature(),
        token().expires_in(Duration::ZERO).claim("exp", json!({"a": 1})),
    ] {
        let response = service.send(request("GET", "/who", Some(&token.build()))).await;
        let headers = format!("{:?}", response.headers()).replace(r#"realm=\"orders\""#, "");
        let body = answer(response).await.body;
        for secret in secrets.iter().chain(&["unknown-kid", "others-audience", "evil"]) {
            assert!(!headers.contains(secret), "{headers}");
            assert!(!body.contains(secret), "{body}");
        }
    }
}

#[tokio::test]
async fn handlers_read_claims_as_their_own_type() {
    #[derive(Deserialize)]
    struct Profile {
        email: String,
    }
    let service = Service::new(|auth| {
        Router::new()
            .route("/", get(|Claims(profile): Claims<Profile>| async move { profile.email }))
            .route(
                "/me",
                get(|caller: Caller, Granted(grant): Granted| async move {
                    Json(json!({"principal": caller.0, "grant": *grant}))
                }),
            )
            .layer(JwtAuthLayer::new(auth))
    });
    let token = service.token().claim("email", "a@b.test").build();
    assert_eq!(service.get("/", Some(&token)).await, allowed("a@b.test"));
    let token = service.token().claim("email", 7).build();
    assert_eq!(service.get("/", Some(&token)).await.code.as_deref(), Some("malformed_claim"));
    let token = service.token().claim("_claim_names", json!({"email": "source"})).build();
    let expected = rejected(403, None, "Forbidden", "claim_not_included");
    assert_eq!(service.get("/", Some(&token)).await, expected);

    let token = service.token().scope("orders:read").roles(["admin"]).claim("client_id", "web");
    let token =
        token.claim("act", json!({"sub": "bot", "act": {"sub": "cron", "iss": "https://x"}}));
    let me = service.get("/me", Some(&token.build())).await.body;
    assert_eq!(
        serde_json::from_str::<Value>(&me).unwrap(),
        json!({
            "principal": {
                "subject": "alice",
                "issuer": "https://idp.test",
                "client_id": "web",
                "actors": [
                    {"subject": "bot", "issuer": null},
                    {"subject": "cron", "issuer": "https://x"},
                ],
            },
            "grant": {"scope": ["orders:read"], "roles": ["admin"], "permissions": {}, "groups": []},
        })
    );
}

#[tokio::test]
async fn an_inner_policy_asks_for_more_and_never_for_less() {
    let service = Service::new(|auth| {
        Router::new()
            .route("/", get(who.layer(RequireLayer::new(role("admin")))))
            .route_layer(RequireLayer::new(scope("a")))
            .route_layer(JwtAuthLayer::new(auth))
    });
    for (token, status, code) in [
        (service.token().scope("a"), 403, Some("insufficient_role")),
        (service.token().roles(["admin"]), 403, Some("insufficient_scope")),
        (service.token().scope("a").roles(["admin"]), 200, None),
    ] {
        let answer = service.get("/", Some(&token.build())).await;
        assert_eq!((answer.status, answer.code.as_deref()), (status, code));
    }
}

#[tokio::test]
async fn keys_in_pem_serve_tokens_of_any_key_id() {
    let issuer = TestIssuer::new("https://idp.test");
    for algorithm in [Algorithm::RS256, Algorithm::PS512, Algorithm::ES384, Algorithm::EdDSA] {
        let pem = issuer.key(algorithm).public_key_pem().unwrap();
        let trusted = Issuer::new("https://idp.test").key(VerificationKey::from_pem(&pem).unwrap());
        let auth = Authenticator::builder().issuer(trusted).audience(AUDIENCE).build().unwrap();
        let token = issuer.token().audience(AUDIENCE).algorithm(algorithm);
        assert!(auth.authenticate_token_now(&token.build()).is_ok(), "{algorithm}");
        let other = issuer.token().audience(AUDIENCE).algorithm(Algorithm::ES256).build();
        let rejected = auth.authenticate_token_now(&other).unwrap_err();
        assert_eq!(rejected.kind(), AuthErrorKind::AlgorithmNotAllowed);
    }
}

#[tokio::test]
async fn a_passed_preflight_passes_policies_and_loses_its_token() {
    let service = Service::new(|auth| {
        Router::new()
            .route("/", any(|uri: Uri| async move { uri.to_string() }))
            .layer(RequireLayer::new(role("admin")))
            .layer(JwtAuthLayer::new(auth).pass_preflight())
    });
    let mut preflight = request("OPTIONS", "/?access_token=secret&a=1", None);
    for name in [header::ORIGIN, header::ACCESS_CONTROL_REQUEST_METHOD] {
        preflight.headers_mut().insert(name, "x".parse().unwrap());
    }
    let response = service.send(preflight).await;
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(answer(response).await, allowed("/?a=1"));
}

/// Two engines on one way: everyone has a token of the first, and staff one of the second too, in a
/// header of its own.
fn users_and_staff(staff_layer: impl Fn(Authenticator) -> JwtAuthLayer) -> (Service, TestIssuer) {
    let staff = TestIssuer::new("https://staff.test");
    let staff_auth = Authenticator::builder()
        .issuer(staff.trusted())
        .audience(AUDIENCE)
        .locations([TokenLocation::header("x-staff-token")])
        .build()
        .unwrap();
    let service = Service::new(|auth| {
        Router::new()
            .route("/who", get(who_if_anyone))
            .route("/admin", any(who_if_anyone).layer(RequireLayer::new(role("admin"))))
            .layer(staff_layer(staff_auth))
            .layer(JwtAuthLayer::new(auth))
    });
    (service, staff)
}

#[tokio::test]
async fn the_caller_of_a_layer_around_is_not_the_caller_of_the_layer_inside() {
    let (service, staff) = users_and_staff(|auth| JwtAuthLayer::new(auth).optional());
    // Admin among the users is nobody among the staff.
    let user = service.token().roles(["admin"]).build();
    assert_eq!(service.get("/who", Some(&user)).await, allowed("nobody"));
    assert_eq!(service.get("/admin", Some(&user)).await.code.as_deref(), Some("no_credentials"));
    let boss = staff.token().audience(AUDIENCE).subject("boss").roles(["admin"]).build();
    let mut request = request("GET", "/admin", Some(&user));
    request.headers_mut().insert("x-staff-token", boss.parse().unwrap());
    assert_eq!(answer(service.send(request).await).await, allowed("boss"));
}

#[tokio::test]
async fn a_preflight_that_an_inner_layer_passes_has_no_caller() {
    let (service, _) = users_and_staff(|auth| JwtAuthLayer::new(auth).pass_preflight());
    let user = service.token().roles(["admin"]).build();
    let mut preflight = request("OPTIONS", "/admin", Some(&user));
    for name in [header::ORIGIN, header::ACCESS_CONTROL_REQUEST_METHOD] {
        preflight.headers_mut().insert(name, "x".parse().unwrap());
    }
    assert_eq!(answer(service.send(preflight).await).await, allowed("nobody"));
}

#[tokio::test]
async fn a_preflight_that_a_layer_around_passes_is_judged_by_one_inside_that_does_not() {
    let staff = Authenticator::builder()
        .issuer(TestIssuer::new("https://staff.test").trusted())
        .audience(AUDIENCE)
        .build()
        .unwrap();
    let service = Service::new(|auth| {
        Router::new()
            .route("/admin", any(who_if_anyone).layer(RequireLayer::new(role("admin"))))
            .layer(JwtAuthLayer::new(auth).optional())
            .layer(JwtAuthLayer::new(staff).pass_preflight())
    });
    let user = service.token().build();
    for (token, code) in [(Some(&user), "insufficient_role"), (None, "no_credentials")] {
        let mut preflight = request("OPTIONS", "/admin", token.map(String::as_str));
        for name in [header::ORIGIN, header::ACCESS_CONTROL_REQUEST_METHOD] {
            preflight.headers_mut().insert(name, "x".parse().unwrap());
        }
        assert_eq!(answer(service.send(preflight).await).await.code.as_deref(), Some(code));
    }
}

#[tokio::test]
async fn a_grant_of_a_layer_around_does_not_stand_in_for_one_of_another_type() {
    let staff = TestIssuer::new("https://staff.test");
    let staff_auth = Authenticator::builder()
        .issuer(staff.trusted())
        .audience(AUDIENCE)
        .locations([TokenLocation::header("x-staff-token")])
        .with_grant_from(|_| Ok(7_u8))
        .build()
        .unwrap();
    let service = Service::new(|auth| {
        Router::new()
            .route("/", get(who).layer(RequireLayer::new(role("admin"))))
            .layer(JwtAuthLayer::new(staff_auth))
            .layer(JwtAuthLayer::new(auth))
    });
    let user = service.token().roles(["admin"]).build();
    let mut request = request("GET", "/", Some(&user));
    let intern = staff.token().audience(AUDIENCE).subject("intern").build();
    request.headers_mut().insert("x-staff-token", intern.parse().unwrap());
    let answer = answer(service.send(request).await).await;
    assert_eq!(answer, rejected(500, None, "Internal Server Error", "internal_error"));
}

#[tokio::test]
async fn optional_never_admits_a_token_that_a_mapping_function_has_rejected() {
    let issuer = TestIssuer::new("https://idp.test");
    let auth = Authenticator::builder()
        .issuer(issuer.trusted())
        .audience(AUDIENCE)
        .with_grant_from(|_| -> Result<u8, _> { Err(AuthErrorKind::NoCredentials.into()) })
        .build()
        .unwrap();
    let app =
        Router::new().route("/", get(who_if_anyone)).layer(JwtAuthLayer::new(auth).optional());
    let service = Service { issuer, app };
    let answer = service.get("/", Some(&service.token().build())).await;
    assert_eq!((answer.status, answer.code.as_deref()), (403, Some("not_permitted")));
}
