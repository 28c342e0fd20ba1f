//! Policies that look at the route, wait, or ask for another login, on a real axum router.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::{
    future::pending,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Method, header},
    response::Response,
    routing::{any, get, patch},
};
use portcullis_axum::{
    AuthContext, AuthError, AuthErrorKind, Authenticator, Caller, Grant, GrantMapping,
    JwtAuthLayer, NumericDate, PathParameters, Policy, Principal, Rejection, RejectionExt,
    RequireLayer,
    policy::{
        RoleHierarchy, TokenKinds, acr_values, allow_if, audience, authenticated, check_async,
        deny_all, issuer, max_age, path_parameter, role, scope,
    },
};
use portcullis_testkit::{ManualClock, TestIssuer, TokenBuilder};
use serde_json::json;
use tokio::sync::Notify;
use tower::{Layer, Service as _, ServiceExt};

const NOW: i64 = 1_700_000_000;

/// An engine, and whoever its tokens are from.
struct Setting {
    issuer: TestIssuer,
    clock: ManualClock,
    auth: Authenticator,
}

impl Setting {
    fn new() -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(NOW));
        let issuer = TestIssuer::new("https://idp.test").clock(clock.clone());
        let trusted = issuer
            .trusted()
            .leeway(Duration::ZERO)
            .grant_mapping(GrantMapping::default().permissions("permissions", ":"));
        let auth = Authenticator::builder()
            .issuer(trusted)
            .audience("api")
            .clock(clock.clone())
            .build()
            .unwrap();
        Self { issuer, clock, auth }
    }

    fn token(&self) -> TokenBuilder {
        self.issuer.token().audience("api")
    }

    /// Puts the layer that judges around a router.
    fn judged(&self, router: Router) -> Router {
        router.layer(JwtAuthLayer::new(self.auth.clone()))
    }
}

fn request(method: &str, uri: &str, token: &str) -> Request {
    let request = Request::builder().method(method).uri(uri);
    request.header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap()
}

/// Sends a request and returns the status, and the code of a rejection.
async fn send(app: &Router, method: &str, uri: &str, token: &str) -> (u16, Option<&'static str>) {
    let response = app.clone().oneshot(request(method, uri, token)).await.unwrap();
    let code = response.extensions().get::<AuthError>().map(|error| error.kind().code());
    (response.status().as_u16(), code)
}

async fn who(caller: Caller) -> String {
    caller.subject().to_owned()
}

const OK: (u16, Option<&str>) = (200, None);
const NOT_PERMITTED: (u16, Option<&str>) = (403, Some("not_permitted"));
const FAULT: (u16, Option<&str>) = (500, Some("internal_error"));

#[tokio::test]
async fn a_parameter_of_the_path_is_the_one_that_the_handler_gets() {
    let setting = Setting::new();
    let own = || RequireLayer::new(path_parameter("user").equals_claim("sub"));
    let nested = Router::new().route("/jobs/{job}", get(who)).route_layer(own());
    let app = setting.judged(
        Router::new()
            .route("/users/{user}", get(who).layer(own()))
            .route("/files/{user}/{*path}", get(who))
            .route_layer(own())
            .nest("/nested/{user}", nested.clone())
            .nest_service("/service/{user}", nested),
    );
    for (subject, path, expected) in [
        ("alice", "/users/alice", OK),
        ("alice", "/users/bob", NOT_PERMITTED),
        ("alice", "/users/Alice", NOT_PERMITTED),
        ("alice", "/users/%61lice", OK),
        ("alice", "/users/alice%2F", NOT_PERMITTED),
        ("a/b", "/users/a%2Fb", OK),
        ("a%2Fb", "/users/a%2Fb", NOT_PERMITTED),
        ("a%2Fb", "/users/a%252Fb", OK),
        ("jörg", "/users/j%C3%B6rg", OK),
        ("alice", "/users/alice?user=bob", OK),
        ("bob", "/users/alice?user=bob", NOT_PERMITTED),
        // Not UTF-8: nobody's name, and no fault of the application.
        ("alice", "/users/%FF", NOT_PERMITTED),
        ("\u{fffd}", "/users/%FF", NOT_PERMITTED),
        ("alice", "/files/alice/x/y", OK),
        ("alice", "/files/bob/alice", NOT_PERMITTED),
        ("alice", "/nested/alice/jobs/1", OK),
        ("alice", "/nested/bob/jobs/1", NOT_PERMITTED),
        ("alice", "/service/alice/jobs/1", OK),
        ("alice", "/service/bob/jobs/1", NOT_PERMITTED),
    ] {
        let token = setting.token().subject(subject).build();
        assert_eq!(send(&app, "GET", path, &token).await, expected, "{subject} on {path}");
    }
}

#[tokio::test]
async fn a_parameter_that_is_not_there_exactly_once_is_a_fault() {
    let setting = Setting::new();
    let own = || path_parameter("id").equals_claim("sub");
    let with = |policy: Policy| get(who).layer(RequireLayer::new(policy));
    let inner = Router::new().route("/{id}", with(own()));
    let app = setting.judged(
        Router::new()
            .route("/none", with(own()))
            .route("/not", with(own().not()))
            .route("/or", with(own().or(authenticated())))
            .route("/other/{user}", with(own()))
            .nest_service("/twice/{id}", inner),
    );
    let token = setting.token().build();
    for path in ["/none", "/not", "/or", "/other/alice", "/twice/alice/alice", "/twice/bob/alice"] {
        assert_eq!(send(&app, "GET", path, &token).await, FAULT, "{path}");
    }
}

/// A path that leads nowhere is up to the client: no fault, and no exception for guests.
#[tokio::test]
async fn where_no_route_is_known_rules_about_it_reject() {
    let setting = Setting::new();
    let token = setting.token().build();
    let own = || path_parameter("user").equals_claim("sub");
    let by_route = || deny_all().except_route("/users/{user}", authenticated());
    let router = || Router::new().route("/users/{user}", get(who));
    for policy in [own(), own().not(), by_route(), by_route().not()] {
        let inside = setting.judged(router().layer(RequireLayer::new(policy.clone())));
        assert_eq!(send(&inside, "GET", "/nowhere", &token).await, NOT_PERMITTED, "{policy:?}");
        let on_routes = setting.judged(router().route_layer(RequireLayer::new(policy.clone())));
        assert_eq!(send(&on_routes, "GET", "/nowhere", &token).await, (404, None), "{policy:?}");
        // Around a router there is no route yet.
        let around = RequireLayer::new(policy.clone()).layer(router());
        let around = setting.judged(Router::new().fallback_service(around));
        assert_eq!(send(&around, "GET", "/users/alice", &token).await, NOT_PERMITTED, "{policy:?}");
    }
}

/// The route is the one that the router has matched, whatever routers are around it.
#[tokio::test]
async fn a_nested_route_has_its_whole_name_and_a_nested_fallback_has_none() {
    let setting = Setting::new();
    let token = setting.token().build();
    let app = |policy: Policy| {
        let nested =
            Router::new().route("/{id}", get(who)).route("/{id}/x", get(who)).fallback(who);
        let nested = nested.layer(RequireLayer::new(policy));
        let router = Router::new().nest("/n/{user}", nested.clone());
        let router = router.nest("/deep", Router::new().nest("/n", nested.clone()));
        setting.judged(router.nest_service("/s", nested.clone()).fallback_service(nested))
    };
    for (path, expected) in [
        ("/n/a/1", Some("/n/{user}/{id}")),
        ("/n/a/1/x", Some("/n/{user}/{id}/x")),
        ("/n/a/1/y", None),
        ("/deep/n/1", Some("/deep/n/{id}")),
        ("/deep/n/1/2/3", None),
        ("/s/1", Some("/s/{id}")),
        ("/s/1/y", None),
        ("/1", Some("/{id}")),
        ("/1/x", Some("/{id}/x")),
        ("/1/y", None),
        ("/1/", None),
    ] {
        let is_known = app(authenticated().except_route("another", authenticated()));
        let known = send(&is_known, "GET", path, &token).await;
        let Some(route) = expected else {
            assert_eq!(known, NOT_PERMITTED, "{path}");
            continue;
        };
        assert_eq!(known, OK, "{path}");
        let only = app(deny_all().except_route(route, authenticated()));
        assert_eq!(send(&only, "GET", path, &token).await, OK, "{path}");
    }
}

#[tokio::test]
async fn what_the_application_says_of_the_route_counts() {
    let setting = Setting::new();
    let own = RequireLayer::new(path_parameter("user").equals_claim("sub"));
    let tells = tower::util::MapRequestLayer::new(|mut request: Request| {
        let user = request.uri().query().unwrap_or_default().to_owned();
        request.extensions_mut().insert(PathParameters::new("/{user}", [("user", user)]));
        request
    });
    let service = tower::ServiceBuilder::new().layer(tells).layer(own).service(any(who));
    let app = setting.judged(Router::new().fallback_service(service));
    let token = setting.token().build();
    assert_eq!(send(&app, "GET", "/x?alice", &token).await, OK);
    assert_eq!(send(&app, "GET", "/x?bob", &token).await, NOT_PERMITTED);
}

/// Temporal's rules: levels on the namespace of the path, and system-wide ones.
#[tokio::test]
async fn permissions_on_the_namespace_of_the_path() {
    let setting = Setting::new();
    let levels = RoleHierarchy::new(["worker", "read", "write", "admin"]);
    let at_least = |level: &str| {
        let on_namespace = levels.permission_at_least(path_parameter("namespace"), level);
        RequireLayer::new(on_namespace.or(levels.permission_at_least("temporal-system", level)))
    };
    let app = setting.judged(Router::new().route(
        "/namespaces/{namespace}",
        get(who).layer(at_least("read")).merge(patch(who).layer(at_least("write"))),
    ));
    for (permissions, read, write) in [
        (json!(["default:write"]), OK, OK),
        (json!(["default:worker", "default:read"]), OK, NOT_PERMITTED),
        (json!(["default:worker"]), NOT_PERMITTED, NOT_PERMITTED),
        (json!(["other:admin"]), NOT_PERMITTED, NOT_PERMITTED),
        (json!(["temporal-system:admin"]), OK, OK),
    ] {
        let token = setting.token().claim("permissions", &permissions).build();
        let path = "/namespaces/default";
        assert_eq!(send(&app, "GET", path, &token).await, read, "{permissions}");
        assert_eq!(send(&app, "PATCH", path, &token).await, write, "{permissions}");
    }
}

/// Airflow's rules: routes take `execution` unless they say otherwise.
#[tokio::test]
async fn a_group_takes_one_kind_of_tokens_and_single_routes_take_others() {
    let setting = Setting::new();
    let kinds = TokenKinds::new("kind", ["execution", "workload"]).absent_is("execution");
    let group = kinds
        .only("execution")
        .except_method("PATCH", "/v1/ti/{id}/run", kinds.one_of(["execution", "workload"]))
        .except_route("/v1/ct/{id}", kinds.only("workload"));
    let own = || RequireLayer::new(path_parameter("id").equals_claim("sub"));
    let inner = Router::new()
        .route("/ti/{id}/run", patch(who).get(who).layer(own()))
        .route("/ct/{id}", get(who))
        .route("/new", get(who));
    let app = Router::new().nest("/v1", inner).route_layer(RequireLayer::new(group));
    let app = setting.judged(app);
    for (method, path, execution, workload) in [
        ("PATCH", "/v1/ti/alice/run", OK, OK),
        ("PATCH", "/v1/ti/bob/run", NOT_PERMITTED, NOT_PERMITTED),
        ("GET", "/v1/ti/alice/run", OK, NOT_PERMITTED),
        ("GET", "/v1/ct/alice", NOT_PERMITTED, OK),
        ("GET", "/v1/new", OK, NOT_PERMITTED),
    ] {
        for (token, expected) in [
            (setting.token().build(), execution),
            (setting.token().claim("kind", "execution").build(), execution),
            (setting.token().claim("kind", "workload").build(), workload),
            (setting.token().claim("kind", "callback").build(), NOT_PERMITTED),
        ] {
            assert_eq!(send(&app, method, path, &token).await, expected, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn layers_add_up_whichever_of_them_asks_for_more() {
    let setting = Setting::new();
    let wait = || check_async(async |_: Principal, _: Arc<Grant>| Ok(()));
    let strict = || role("admin");
    let loose: [fn() -> Policy; 4] = [
        authenticated,
        || deny_all().not(),
        || deny_all().except_route("/x/{id}", authenticated()),
        || role("admin").or(authenticated()),
    ];
    for loose in loose {
        for (outer, inner) in [
            (strict(), loose()),
            (loose(), strict()),
            (wait().and(strict()), wait().and(loose())),
            (wait().and(loose()), wait().and(strict())),
        ] {
            let what = format!("{outer:?} around {inner:?}");
            let app = Router::new()
                .route("/x/{id}", get(who).layer(RequireLayer::new(inner)))
                .route_layer(RequireLayer::new(outer));
            let app = setting.judged(app);
            let clerk = setting.token().roles(["clerk"]).build();
            let admin = setting.token().roles(["admin"]).build();
            let rejected = (403, Some("insufficient_role"));
            assert_eq!(send(&app, "GET", "/x/1", &clerk).await, rejected, "{what}");
            assert_eq!(send(&app, "GET", "/x/1", &admin).await, OK, "{what}");
        }
    }
}

#[tokio::test]
async fn a_stale_login_is_told_what_to_do_and_a_fresh_one_goes_on() {
    let setting = Setting::new();
    let policy = scope("transfers")
        .and(acr_values(["gold", "silver"]))
        .and(max_age(Duration::from_secs(300)));
    let app = setting.judged(Router::new().route("/", get(who).layer(RequireLayer::new(policy))));
    let token = setting.token().scope("transfers");
    let fresh = token.clone().claim("auth_time", NOW).claim("acr", "gold").build();
    let weak = token.claim("auth_time", NOW).build();
    let challenge = concat!(
        r#"Bearer error="insufficient_user_authentication", "#,
        r#"error_description="a fresh login is needed", "#,
        r#"acr_values="gold silver", max_age="300""#
    );
    for (seconds, token, expected) in [
        (0, &weak, Some(challenge)),
        (0, &fresh, None),
        (300, &fresh, None),
        (1, &fresh, Some(challenge)),
    ] {
        setting.clock.advance(Duration::from_secs(seconds));
        let response = app.clone().oneshot(request("GET", "/", token)).await.unwrap();
        let told = response.headers().get(header::WWW_AUTHENTICATE);
        let told = told.map(|told| told.to_str().unwrap().to_owned());
        assert_eq!(told.as_deref(), expected);
        assert_eq!(response.status().as_u16(), if expected.is_some() { 401 } else { 200 });
    }
}

#[tokio::test]
async fn a_route_may_be_for_one_audience_and_one_issuer() {
    let setting = Setting::new();
    let with = |policy: Policy| get(who).layer(RequireLayer::new(policy));
    let app = setting.judged(
        Router::new()
            .route("/billing", with(audience("billing")))
            .route("/own", with(issuer("https://idp.test")))
            .route("/other", with(issuer("https://other.test"))),
    );
    let plain = setting.token().build();
    let both = setting.token().claim("aud", ["api", "billing"]).build();
    assert_eq!(send(&app, "GET", "/billing", &plain).await, (401, Some("wrong_audience")));
    assert_eq!(send(&app, "GET", "/billing", &both).await, OK);
    assert_eq!(send(&app, "GET", "/own", &plain).await, OK);
    assert_eq!(send(&app, "GET", "/other", &plain).await, (401, Some("untrusted_issuer")));
}

/// A handler that counts how often it was called.
fn counted(calls: &Arc<AtomicUsize>) -> axum::routing::MethodRouter {
    let calls = Arc::clone(calls);
    any(move || async move {
        calls.fetch_add(1, Ordering::Relaxed);
    })
}

#[tokio::test]
async fn a_request_is_held_until_an_asynchronous_rule_answers() {
    let setting = Setting::new();
    let (asked, answers) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let policy = {
        let (asked, answers) = (Arc::clone(&asked), Arc::clone(&answers));
        path_parameter("id").check_async(move |id: String, caller: Principal, _: Arc<Grant>| {
            let (asked, answers) = (Arc::clone(&asked), Arc::clone(&answers));
            async move {
                asked.notify_one();
                answers.notified().await;
                match (&*id, caller.subject()) {
                    ("down", _) => Err(AuthErrorKind::ResolverUnavailable.into()),
                    (id, subject) if id == subject => Ok(()),
                    _ => Err(AuthErrorKind::NotPermitted.into()),
                }
            }
        })
    };
    let calls = Arc::new(AtomicUsize::new(0));
    let app = Router::new().route("/{id}", counted(&calls)).route_layer(RequireLayer::new(policy));
    let app = setting.judged(app);
    let token = setting.token().build();
    for (path, expected, called) in [("/alice", 200, 1), ("/bob", 403, 0), ("/down", 503, 0)] {
        calls.store(0, Ordering::Relaxed);
        let mut response = pin!(app.clone().oneshot(request("GET", path, &token)));
        tokio::select! {
            biased;
            _ = &mut response => panic!("answered without the rule"),
            () = asked.notified() => {}
        }
        assert_eq!(calls.load(Ordering::Relaxed), 0);
        answers.notify_one();
        let response = response.await.unwrap();
        assert_eq!(response.status().as_u16(), expected, "{path}");
        assert_eq!(calls.load(Ordering::Relaxed), called, "{path}");
    }
    // The same answer to HEAD has no body.
    answers.notify_one();
    let response = app.clone().oneshot(request("HEAD", "/bob", &token)).await.unwrap();
    assert_eq!(response.status().as_u16(), 403);
    let body = axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
    assert_eq!(body.len(), 0);
}

#[tokio::test]
async fn a_wait_that_is_given_up_or_ends_in_a_panic_calls_no_handler() {
    let setting = Setting::new();
    let token = setting.token().build();
    let calls = Arc::new(AtomicUsize::new(0));
    let app = |policy: Policy| {
        let layer = RequireLayer::new(policy);
        setting.judged(Router::new().route("/", counted(&calls).layer(layer)))
    };
    let never = app(check_async(async |_: Principal, _: Arc<Grant>| pending().await));
    {
        let mut response = pin!(never.oneshot(request("GET", "/", &token)));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(response.as_mut().poll(&mut cx).is_pending());
    }
    let panics = app(check_async(async |_: Principal, _: Arc<Grant>| panic!("in a rule")));
    assert_eq!(send(&panics, "GET", "/", &token).await, FAULT);
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}

/// The service that was made ready is the one that is called, also after a wait.
#[tokio::test]
async fn the_inner_service_is_ready_when_it_is_called() {
    /// Panics when it is called without having been made ready.
    #[derive(Debug, Default)]
    struct Strict {
        ready: bool,
    }

    impl Clone for Strict {
        fn clone(&self) -> Self {
            Self::default()
        }
    }

    impl tower::Service<Request> for Strict {
        type Response = Response;
        type Error = std::convert::Infallible;
        type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            self.ready = true;
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request) -> Self::Future {
            assert!(std::mem::take(&mut self.ready), "called before it was ready");
            std::future::ready(Ok(Response::new(Body::empty())))
        }
    }

    let setting = Setting::new();
    let token = setting.token().build();
    let caller = setting.auth.authenticate_token_now(&token).unwrap();
    let yields = check_async(async |_: Principal, _: Arc<Grant>| {
        tokio::task::yield_now().await;
        Ok(())
    });
    for policy in [authenticated(), yields.clone(), yields.or(deny_all())] {
        let mut service = RequireLayer::new(policy).layer(Strict::default());
        for _ in 0..3 {
            let mut request = request("GET", "/", &token);
            request.extensions_mut().insert(AuthContext::from(caller.clone()));
            let response = service.ready().await.unwrap().call(request).await.unwrap();
            assert_eq!(response.status().as_u16(), 200);
        }
    }
}

#[tokio::test]
async fn an_asynchronous_rule_is_asked_for_callers_only() {
    let setting = Setting::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let policy = {
        let asked = Arc::clone(&asked);
        check_async(move |_: Principal, _: Arc<Grant>| {
            asked.fetch_add(1, Ordering::Relaxed);
            async { Ok(()) }
        })
    };
    let router = Router::new().route("/", get(who)).layer(RequireLayer::new(policy));
    let optional = router.clone().layer(JwtAuthLayer::new(setting.auth.clone()).optional());
    let anonymous = Request::builder().method(Method::GET).uri("/").body(Body::empty()).unwrap();
    let response = optional.oneshot(anonymous).await.unwrap();
    assert_eq!(response.status().as_u16(), 401);
    let expired = setting.token().expired().build();
    assert_eq!(send(&setting.judged(router.clone()), "GET", "/", &expired).await.0, 401);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    let token = setting.token().build();
    assert_eq!(send(&setting.judged(router), "GET", "/", &token).await, OK);
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_handler_rejects_as_a_policy_would_and_in_words_of_its_own() {
    async fn only_bob(caller: Caller) -> Response {
        match allow_if(caller.subject() == "bob", || "it is bob's") {
            Ok(()) => Response::default(),
            Err(error) => {
                let rejection = caller.reject(error);
                let reason = rejection.reason().unwrap();
                assert_eq!(rejection.kind(), AuthErrorKind::NotPermitted);
                rejection.text(reason.to_string())
            }
        }
    }
    let setting = Setting::new();
    let app = Router::new()
        .route("/", get(only_bob))
        .route_layer(JwtAuthLayer::new(setting.auth.clone()));
    for (subject, status, text) in [("bob", 200, ""), ("alice", 403, "it is bob's")] {
        let token = setting.issuer.token().audience("api").subject(subject).build();
        let request = Request::get("/").header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = request.body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{subject}");
        if status == 403 {
            let of = |name| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
            assert_eq!(of(header::CONTENT_TYPE), "text/plain; charset=utf-8");
            assert!(of(header::WWW_AUTHENTICATE).contains("error=\"insufficient_scope\""));
        }
        let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
        assert_eq!(body, text);
    }
}

#[tokio::test]
async fn a_missing_layer_is_an_internal_error_without_a_reason() {
    let respond = |rejection: &Rejection| -> Response {
        assert!(rejection.reason().is_none() && rejection.layer_error().is_some());
        rejection.text(rejection.kind().code())
    };
    let asks = RequireLayer::new(role("admin")).response_for_rejection(respond);
    let app = Router::new().route("/", get(async || ()).layer(asks));
    let request = Request::get("/").body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    assert_eq!(response.status(), 500);
    let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
    assert_eq!(body, "internal_error");
}

#[tokio::test]
async fn a_function_of_the_application_that_panics_rejects_the_request() {
    let setting = Setting::new();
    let token = setting.token().build();
    let calls = Arc::new(AtomicUsize::new(0));
    let layer = JwtAuthLayer::new(setting.auth.clone()).optional();
    let layer = layer.on_verdict(|_| panic!("in a hook"));
    let app = Router::new().route("/", counted(&calls)).layer(layer);
    for token in [&*token, "x", ""] {
        assert_eq!(send(&app, "GET", "/", token).await, FAULT, "{token}");
    }
    let auth = Authenticator::builder()
        .issuer(setting.issuer.trusted())
        .audience("api")
        .clock(setting.clock.clone())
        .with_grant_from(|_| -> Result<u8, _> { panic!("in a mapping") })
        .build()
        .unwrap();
    let app = Router::new().route("/", counted(&calls)).layer(JwtAuthLayer::new(auth));
    assert_eq!(send(&app, "GET", "/", &token).await, FAULT);
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}
