//! Calls over real connections: who is let through, and what the others are told.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http_body_util::BodyExt;
use portcullis_testkit::{ManualClock, TestIssuer, TokenBuilder};
use portcullis_tonic::{
    AuthErrorKind, Authenticator, Grant, GrpcStatus, JwtAuthLayer, MethodPolicies, NumericDate,
    Principal, Rejection, RequestExt, RequireLayer, TokenLocation,
    policy::{self, role, scope},
};
use tonic::{
    Code, Request, Status,
    body::Body,
    codegen::{Service, http},
    service::{InterceptorLayer, LayerExt, Routes},
};
use tonic_types::StatusExt;
use tower::{ServiceBuilder, ServiceExt};

use crate::orders::{Client, Orders, serve, text, with_metadata, with_token};

const WHO_AM_I: &str = "/orders.v1.Orders/WhoAmI";
const LIST: &str = "/orders.v1.Orders/List";
const HEALTH: &str = "/grpc.health.v1.Health/Check";

struct Setting {
    issuer: TestIssuer,
    clock: ManualClock,
}

impl Setting {
    fn new() -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
        let issuer = TestIssuer::new("https://idp.test").clock(clock.clone());
        Self { issuer, clock }
    }

    fn auth(&self) -> Authenticator {
        self.auth_at([TokenLocation::bearer()])
    }

    fn auth_at<const N: usize>(&self, places: [TokenLocation; N]) -> Authenticator {
        Authenticator::builder()
            .issuer(self.issuer.trusted())
            .audience("orders")
            .clock(self.clock.clone())
            .locations(places)
            .realm("orders")
            .build()
            .unwrap()
    }

    fn token(&self) -> TokenBuilder {
        self.issuer.token().audience("orders")
    }

    fn routes(&self) -> Routes {
        let (_, health) = tonic_health::server::health_reporter();
        Routes::new(Orders::new(&self.clock).0).add_service(health)
    }

    async fn serve(&self, layer: JwtAuthLayer) -> Client {
        serve(layer, self.routes()).await
    }
}

/// Code, message, reason and domain of a status, by another parser of its details.
fn parts(status: &Status) -> (Code, &str, String, String) {
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    (status.code(), status.message(), info.reason.clone(), info.domain.clone())
}

fn challenge(status: &Status) -> Option<&str> {
    status.metadata().get("www-authenticate").map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_handler_sees_the_caller_and_the_grant() {
    let setting = Setting::new();
    let client = setting.serve(JwtAuthLayer::new(setting.auth())).await;
    let token = setting.token().subject("bob").roles(["admin"]).build();
    assert_eq!(client.unary(WHO_AM_I, with_token(&token, text(""))).await.unwrap(), "bob");
    assert_eq!(client.unary(LIST, with_token(&token, text(""))).await.unwrap(), "bob admin=true");
}

#[tokio::test]
async fn each_row_has_its_code_message_and_reason() {
    let setting = Setting::new();
    let methods = MethodPolicies::new()
        .method(LIST, scope("orders:read"))
        .method(WHO_AM_I, policy::check(|_, _| Err(AuthErrorKind::ResolverUnavailable.into())));
    let client = setting.serve(JwtAuthLayer::new(setting.auth()).methods(methods).unwrap()).await;
    let (good, expired) = (setting.token().build(), setting.token().expired().build());
    let twice = {
        let mut request = with_token(&good, text(""));
        let second = format!("Bearer {good}").parse().unwrap();
        request.metadata_mut().append("authorization", second);
        request
    };
    let rows = [
        (
            LIST,
            Request::new(text("")),
            (Code::Unauthenticated, "no credentials were presented", "NO_CREDENTIALS"),
            Some(r#"Bearer realm="orders""#),
        ),
        (
            LIST,
            twice,
            (Code::InvalidArgument, "the request carries more than one token", "MULTIPLE_TOKENS"),
            Some(
                r#"Bearer realm="orders", error="invalid_request", error_description="the request carries more than one token""#,
            ),
        ),
        (
            LIST,
            with_token(&expired, text("")),
            (Code::Unauthenticated, "the token has expired", "TOKEN_EXPIRED"),
            Some(
                r#"Bearer realm="orders", error="invalid_token", error_description="the token has expired""#,
            ),
        ),
        (
            LIST,
            with_token(&good, text("")),
            (Code::PermissionDenied, "a scope is missing", "INSUFFICIENT_SCOPE"),
            Some(
                r#"Bearer realm="orders", error="insufficient_scope", error_description="a scope is missing", scope="orders:read""#,
            ),
        ),
        (
            WHO_AM_I,
            with_token(&good, text("")),
            (Code::Unavailable, "the caller's rights are not available", "RESOLVER_UNAVAILABLE"),
            None,
        ),
    ];
    for (path, request, (code, message, reason), www_authenticate) in rows {
        let status = client.unary(path, request).await.unwrap_err();
        assert_eq!(parts(&status), (code, message, reason.to_owned(), "portcullis".to_owned()));
        assert_eq!(challenge(&status), www_authenticate);
        let retry = status.get_error_details().retry_info().and_then(|info| info.retry_delay);
        assert_eq!(retry.is_some(), code == Code::Unavailable, "{reason}");
        assert!(status.metadata().get("retry-after").is_none());
    }
}

#[tokio::test]
async fn a_rejection_is_trailers_only() {
    let setting = Setting::new();
    let mut client = setting.serve(JwtAuthLayer::new(setting.auth())).await;
    let request = http::Request::post(format!("http://orders.test{WHO_AM_I}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::empty())
        .unwrap();
    let response = client.channel.ready().await.unwrap().call(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "application/grpc");
    assert_eq!(headers["grpc-status"], "16");
    assert_eq!(headers["grpc-message"], "no%20credentials%20were%20presented");
    assert_eq!(headers["www-authenticate"], r#"Bearer realm="orders""#);
    assert!(headers.contains_key("grpc-status-details-bin"));
    let body = response.into_body().collect().await.unwrap();
    assert!(body.trailers().is_none());
    assert!(body.to_bytes().is_empty());
}

#[tokio::test]
async fn any_metadata_of_text_may_hold_the_token() {
    let setting = Setting::new();
    let auth = setting.auth_at([TokenLocation::header("x-orders-token")]);
    let client = setting.serve(JwtAuthLayer::new(auth)).await;
    let token = setting.token().build();
    let request = with_metadata("x-orders-token", &token, text(""));
    assert_eq!(client.unary(WHO_AM_I, request).await.unwrap(), "alice");
    let status = client.unary(WHO_AM_I, with_token(&token, text(""))).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_call_with_the_cookie_of_its_visitor() {
    let setting = Setting::new();
    let client =
        setting.serve(JwtAuthLayer::new(setting.auth_at([TokenLocation::cookie("t")]))).await;
    let cookie = format!("t={}", setting.token().build());
    let call = |site: &'static str| {
        let mut request = with_metadata("cookie", &cookie, text(""));
        request.metadata_mut().insert("sec-fetch-site", site.parse().unwrap());
        request
    };
    assert_eq!(client.unary(WHO_AM_I, call("same-origin")).await.unwrap(), "alice");
    let status = client.unary(WHO_AM_I, call("cross-site")).await.unwrap_err();
    assert_eq!((status.code(), &*parts(&status).2), (Code::PermissionDenied, "CROSS_SITE_REQUEST"));
    assert_eq!(challenge(&status), None);
}

#[tokio::test]
async fn only_an_optional_layer_lets_calls_without_credentials_through() {
    let setting = Setting::new();
    let client = setting.serve(JwtAuthLayer::new(setting.auth()).optional()).await;
    assert_eq!(client.unary(WHO_AM_I, Request::new(text(""))).await.unwrap(), "nobody");
    let bad = with_token(&setting.token().expired().build(), text(""));
    let status = client.unary(WHO_AM_I, bad).await.unwrap_err();
    assert_eq!(parts(&status).2, "TOKEN_EXPIRED");
    let status = client.unary(LIST, Request::new(text(""))).await.unwrap_err();
    assert_eq!((status.code(), &*parts(&status).2), (Code::Unauthenticated, "NO_CREDENTIALS"));
    assert_eq!(challenge(&status), Some(r#"Bearer realm="orders""#));
}

#[tokio::test]
async fn a_handler_without_a_layer_answers_internal() {
    let setting = Setting::new();
    let client = serve(tower::layer::util::Identity::new(), setting.routes()).await;
    for path in [LIST, WHO_AM_I] {
        let request = with_token(&setting.token().build(), text(""));
        let status = client.unary(path, request).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Internal, "the service has a fault"));
        assert_eq!(challenge(&status), None);
    }
}

#[tokio::test]
async fn a_policy_around_one_service_needs_the_layer_and_has_its_form() {
    let setting = Setting::new();
    let routes = || {
        let (_, health) = tonic_health::server::health_reporter();
        let orders = RequireLayer::new(role("admin")).named_layer(Orders::new(&setting.clock).0);
        Routes::new(orders).add_service(health)
    };
    let form = GrpcStatus::new().domain("orders.example.com");
    let layer = JwtAuthLayer::new(setting.auth()).grpc_status(form);
    let client = serve(layer, routes()).await;

    let status = client.unary(LIST, with_token(&setting.token().build(), text(""))).await;
    let status = status.unwrap_err();
    let (code, _, reason, domain) = parts(&status);
    assert_eq!((code, &*reason), (Code::PermissionDenied, "INSUFFICIENT_ROLE"));
    assert_eq!(domain, "orders.example.com");
    let admin = setting.token().roles(["admin"]).build();
    assert_eq!(client.unary(LIST, with_token(&admin, text(""))).await.unwrap(), "alice admin=true");

    let client = serve(tower::layer::util::Identity::new(), routes()).await;
    let status = client.unary(LIST, with_token(&admin, text(""))).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
}

#[tokio::test]
async fn the_table_decides_by_the_name_of_the_method() {
    let setting = Setting::new();
    let methods = MethodPolicies::new()
        .method(LIST, scope("orders:read"))
        .any_caller("/orders.v1.Orders/Slow")
        .service("orders.v1.Orders", role("admin"))
        .public(HEALTH);
    let client = setting.serve(JwtAuthLayer::new(setting.auth()).methods(methods).unwrap()).await;
    let plain = setting.token().build();
    let reader = setting.token().scope("orders:read").build();
    let admin = setting.token().roles(["admin"]).build();
    // The rule of a method stands alone: the role of its service is not asked for.
    for (path, token, code) in [
        (LIST, &reader, Code::Ok),
        (LIST, &admin, Code::PermissionDenied),
        (WHO_AM_I, &admin, Code::Ok),
        (WHO_AM_I, &reader, Code::PermissionDenied),
        // Let through, and not there.
        ("/orders.v1.Orders/Nothing", &admin, Code::Unimplemented),
        ("/orders.v1.Orders/Nothing", &plain, Code::PermissionDenied),
        // What is not in the table.
        ("/grpc.health.v1.Health/Watch", &admin, Code::PermissionDenied),
        ("/grpc.health.v1.Health/check", &admin, Code::PermissionDenied),
        ("/grpc.health.v1.Health/%43heck", &admin, Code::PermissionDenied),
        ("/orders.v1.Orders/a/List", &admin, Code::PermissionDenied),
        ("//orders.v1.Orders/List", &admin, Code::PermissionDenied),
        ("/other.Service/Method", &admin, Code::PermissionDenied),
        ("/", &admin, Code::PermissionDenied),
        ("/orders.v1.Orders/Slow", &plain, Code::Ok),
    ] {
        let status = client.unary(path, with_token(token, text(""))).await;
        assert_eq!(status.map_or_else(|status| status.code(), |_| Code::Ok), code, "{path}");
    }
    // Without credentials nothing tells which methods there are.
    for path in [LIST, "/orders.v1.Orders/Nothing", "/other.Service/Method", "/"] {
        let status = client.unary(path, Request::new(text(""))).await.unwrap_err();
        assert_eq!(parts(&status).2, "NO_CREDENTIALS", "{path}");
    }
}

#[tokio::test]
async fn a_method_without_a_policy_takes_good_credentials_or_none() {
    let setting = Setting::new();
    let methods = || MethodPolicies::new().no_policy(WHO_AM_I).method(LIST, role("admin"));
    let layer = || JwtAuthLayer::new(setting.auth()).methods(methods()).unwrap();
    let (strict, optional) =
        (setting.serve(layer()).await, setting.serve(layer().optional()).await);
    let (good, bad) = (setting.token().build(), setting.token().wrong_signature().build());
    let none = || Request::new(text(""));
    for client in [&strict, &optional] {
        let good = client.unary(WHO_AM_I, with_token(&good, text(""))).await;
        assert_eq!(good.unwrap(), "alice");
        let bad = client.unary(WHO_AM_I, with_token(&bad, text(""))).await.unwrap_err();
        assert_eq!(parts(&bad).2, "SIGNATURE_MISMATCH");
        let list = client.unary(LIST, none()).await.unwrap_err();
        assert_eq!(parts(&list).2, "NO_CREDENTIALS");
    }
    assert_eq!(optional.unary(WHO_AM_I, none()).await.unwrap(), "nobody");
    assert_eq!(parts(&strict.unary(WHO_AM_I, none()).await.unwrap_err()).2, "NO_CREDENTIALS");
}

#[tokio::test]
async fn a_handler_asks_for_a_policy_about_its_message() {
    const REQUIRE: &str = "/orders.v1.Orders/Require";
    let setting = Setting::new();
    let serve_with = async |policy, optional: bool| {
        let (orders, _) = Orders::new(&setting.clock);
        let methods = MethodPolicies::new().no_policy(REQUIRE);
        let layer = JwtAuthLayer::new(setting.auth()).methods(methods).unwrap();
        let layer = if optional { layer.optional() } else { layer };
        serve(layer, Routes::new(orders.asking_for(policy))).await
    };
    let in_tenant = || policy::path_parameter("tenant").equals_claim("tenant");
    let later = policy::check_async(async |_, _: Arc<Grant>| Ok(()));
    let token = || setting.token().claim("tenant", "acme");
    for policy in [
        in_tenant(),
        in_tenant().except_route("/orders.v1.Orders/Other", policy::authenticated()),
        later.and(in_tenant()),
    ] {
        let client = serve_with(policy, true).await;
        let ask = async |message: Request<_>| match client.unary(REQUIRE, message).await {
            Ok(_) => (Code::Ok, String::new()),
            Err(status) => (status.code(), parts(&status).2),
        };
        let token = token().build();
        assert_eq!(ask(with_token(&token, text("acme"))).await.0, Code::Ok);
        for other in ["", "acme ", "Acme", "other"] {
            let rejected = (Code::PermissionDenied, "NOT_PERMITTED".to_owned());
            assert_eq!(ask(with_token(&token, text(other))).await, rejected, "{other}");
        }
        let nobody = ask(Request::new(text("acme"))).await;
        assert_eq!(nobody, (Code::Unauthenticated, "NO_CREDENTIALS".to_owned()));
    }
    // The policy by the method is that of the call.
    let by_method = policy::deny_all().except_route(REQUIRE, in_tenant());
    let client = serve_with(by_method, false).await;
    client.unary(REQUIRE, with_token(&token().build(), text("acme"))).await.unwrap();
    // A parameter that the handler does not give is a fault of the application.
    let client = serve_with(policy::path_parameter("other").equals_claim("tenant"), false).await;
    let status = client.unary(REQUIRE, with_token(&token().build(), text("acme"))).await;
    assert_eq!(status.unwrap_err().code(), Code::Internal);
    // So is the missing layer.
    let routes = Routes::new(Orders::new(&setting.clock).0);
    let client = serve(tower::layer::util::Identity::new(), routes).await;
    let status = client.unary(REQUIRE, with_token(&token().build(), text("acme"))).await;
    assert_eq!(status.unwrap_err().code(), Code::Internal);
}

#[tokio::test]
async fn the_rule_for_others_takes_what_the_table_does_not_name() {
    let setting = Setting::new();
    let methods =
        MethodPolicies::new().others(role("admin")).public_service("grpc.health.v1.Health");
    let client = setting.serve(JwtAuthLayer::new(setting.auth()).methods(methods).unwrap()).await;
    let admin = setting.token().roles(["admin"]).build();
    assert_eq!(client.unary(WHO_AM_I, with_token(&admin, text(""))).await.unwrap(), "alice");
    let plain = with_token(&setting.token().build(), text(""));
    assert_eq!(parts(&client.unary(WHO_AM_I, plain).await.unwrap_err()).2, "INSUFFICIENT_ROLE");
    client.health(Request::new(text(""))).await.unwrap();
}

#[tokio::test]
async fn methods_of_one_service_are_named_by_their_own_names() {
    let setting = Setting::new();
    let service = "orders.v1.Orders";
    let methods = MethodPolicies::new().methods(service, ["WhoAmI"], &role("reader")).methods(
        service,
        ["Delete", "Create"],
        &role("admin"),
    );
    let client = setting.serve(JwtAuthLayer::new(setting.auth()).methods(methods).unwrap()).await;
    let reader = setting.token().roles(["reader"]).build();
    assert_eq!(client.unary(WHO_AM_I, with_token(&reader, text(""))).await.unwrap(), "alice");
    for (path, reason) in [
        ("/orders.v1.Orders/Delete", "INSUFFICIENT_ROLE"),
        ("/orders.v1.Orders/Create", "INSUFFICIENT_ROLE"),
        (LIST, "NOT_PERMITTED"),
    ] {
        let status = client.unary(path, with_token(&reader, text(""))).await.unwrap_err();
        assert_eq!(parts(&status).2, reason, "{path}");
    }
}

#[tokio::test]
async fn a_public_method_takes_whatever_credentials_come() {
    let setting = Setting::new();
    let methods = MethodPolicies::new().public(HEALTH).public(WHO_AM_I).public(LIST);
    let verdicts = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&verdicts);
    let layer = JwtAuthLayer::new(setting.auth())
        .methods(methods)
        .unwrap()
        .on_verdict(move |_| _ = count.fetch_add(1, Ordering::Relaxed));
    let client = setting.serve(layer).await;
    let (good, bad) = (setting.token().build(), setting.token().wrong_signature().build());
    for request in [
        Request::new(text("")),
        with_token(&good, text("")),
        with_token(&bad, text("")),
        with_token("no token", text("")),
        with_metadata("authorization", "Bearer", text("")),
    ] {
        client.health(request).await.unwrap();
    }
    assert_eq!(verdicts.load(Ordering::Relaxed), 5);
    // The handler decides what a caller who is known makes of a difference.
    assert_eq!(client.unary(WHO_AM_I, with_token(&good, text(""))).await.unwrap(), "alice");
    assert_eq!(client.unary(WHO_AM_I, Request::new(text(""))).await.unwrap(), "nobody");
    // One that asks for the caller gets no bad one, and does not take it for none.
    for path in [WHO_AM_I, LIST] {
        let status = client.unary(path, with_token(&bad, text(""))).await.unwrap_err();
        assert_eq!(parts(&status).2, "SIGNATURE_MISMATCH");
    }
}

#[tokio::test]
async fn production_keeps_a_public_method_public() {
    let setting = Setting::new();
    let engine = || {
        let builder = Authenticator::builder().issuer(setting.issuer.trusted()).audience("orders");
        builder.clock(setting.clock.clone()).production()
    };
    for builder in [engine(), engine().optional_credentials()] {
        let methods = MethodPolicies::new().public(HEALTH).any_caller(WHO_AM_I);
        let layer = JwtAuthLayer::new(builder.build().unwrap()).methods(methods).unwrap();
        let client = setting.serve(layer).await;
        let (good, bad) = (setting.token().build(), setting.token().wrong_signature().build());
        for request in [
            Request::new(text("")),
            with_token(&good, text("")),
            with_token(&bad, text("")),
            with_token("no token", text("")),
            with_metadata("authorization", "Bearer", text("")),
        ] {
            client.health(request).await.unwrap();
        }
        let status = client.unary(WHO_AM_I, Request::new(text(""))).await.unwrap_err();
        assert_eq!(parts(&status).2, "NO_CREDENTIALS");
    }
}

#[tokio::test]
async fn a_service_may_hide_every_cause() {
    let setting = Setting::new();
    let methods = MethodPolicies::new().method(LIST, scope("x")).public(WHO_AM_I).public(HEALTH);
    let form = GrpcStatus::new().same_for_all(Code::PermissionDenied, "Request unauthorized.");
    let layer = JwtAuthLayer::new(setting.auth()).methods(methods).unwrap().grpc_status(form);
    let client = setting.serve(layer).await;
    let (good, bad) = (setting.token().build(), setting.token().expired().build());
    for (path, request) in [
        (LIST, Request::new(text(""))),
        (LIST, with_token(&bad, text(""))),
        (LIST, with_token(&good, text(""))),
        (LIST, with_metadata("authorization", "Bearer", text(""))),
        ("/other.Service/Method", with_token(&good, text(""))),
        // The handler's own question.
        (WHO_AM_I, with_token(&bad, text(""))),
    ] {
        let status = client.unary(path, request).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied);
        assert_eq!(status.message(), "Request unauthorized.");
        assert!(status.details().is_empty());
        assert_eq!(challenge(&status), None);
    }
    client.health(with_token(&bad, text(""))).await.unwrap();
}

#[tokio::test]
async fn a_service_may_have_texts_of_its_own() {
    let setting = Setting::new();
    let methods = MethodPolicies::new().method(LIST, scope("x")).public(WHO_AM_I);
    let form = GrpcStatus::new().message(|rejection: &Rejection| match rejection.error() {
        Some(error) => format!("no: {}\n100 %", error.kind().code()).into(),
        None => "no layer".into(),
    });
    let layer = JwtAuthLayer::new(setting.auth()).methods(methods).unwrap().grpc_status(form);
    let client = setting.serve(layer).await;
    let (good, bad) = (setting.token().build(), setting.token().expired().build());
    for (path, token, code, kind) in [
        (LIST, &bad, Code::Unauthenticated, "token_expired"),
        (LIST, &good, Code::PermissionDenied, "insufficient_scope"),
        // The handler's own question.
        (WHO_AM_I, &bad, Code::Unauthenticated, "token_expired"),
    ] {
        let status = client.unary(path, with_token(token, text(""))).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (code, &*format!("no: {kind}\n100 %")));
        // Codes stay what they are for programs.
        let info = status.get_error_details().error_info().cloned().unwrap();
        assert_eq!(info.reason, kind.to_ascii_uppercase());
    }
}

#[tokio::test]
async fn a_text_that_cannot_be_made_is_that_of_a_fault() {
    let setting = Setting::new();
    let methods = MethodPolicies::new().method(LIST, scope("x")).public(WHO_AM_I);
    let form = GrpcStatus::new().message(|_: &Rejection| panic!("in a message"));
    let layer = JwtAuthLayer::new(setting.auth()).methods(methods).unwrap().grpc_status(form);
    let client = setting.serve(layer).await;
    let bad = setting.token().expired().build();
    for path in [LIST, WHO_AM_I] {
        let status = client.unary(path, with_token(&bad, text(""))).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Internal, "the service has a fault"));
        assert_eq!((parts(&status).2.as_str(), challenge(&status)), ("INTERNAL_ERROR", None));
    }
}

#[tokio::test]
async fn the_form_can_leave_out_details_and_change_the_challenge() {
    let setting = Setting::new();
    let layer = JwtAuthLayer::new(setting.auth()).grpc_status(GrpcStatus::new().without_details());
    let client = setting.serve(layer).await;
    let status = client.unary(LIST, Request::new(text(""))).await.unwrap_err();
    assert!(status.details().is_empty());
    assert_eq!(challenge(&status), Some(r#"Bearer realm="orders""#));

    let layer =
        JwtAuthLayer::new(setting.auth()).map_challenge(|challenge, error| match error.kind() {
            AuthErrorKind::TokenExpired => challenge.with_grpc_status(7).without_www_authenticate(),
            _ => challenge.with_grpc_status(200),
        });
    let client = setting.serve(layer).await;
    let expired = with_token(&setting.token().expired().build(), text(""));
    let status = client.unary(LIST, expired).await.unwrap_err();
    assert_eq!((status.code(), challenge(&status)), (Code::PermissionDenied, None));
    let status = client.unary(LIST, Request::new(text(""))).await.unwrap_err();
    assert_eq!(status.code(), Code::Unknown);
}

#[tokio::test]
async fn a_policy_may_wait_and_look_at_the_method() {
    let setting = Setting::new();
    let asked = policy::check_async(async |caller: Principal, _: Arc<Grant>| {
        tokio::task::yield_now().await;
        match caller.subject() {
            "alice" => Ok(()),
            _ => Err(AuthErrorKind::NotPermitted.into()),
        }
    });
    let by_method = policy::deny_all().except_route(WHO_AM_I, asked);
    let methods = MethodPolicies::new().service("orders.v1.Orders", by_method.clone());
    let table = JwtAuthLayer::new(setting.auth()).methods(methods).unwrap();
    let around =
        Routes::new(RequireLayer::new(by_method).named_layer(Orders::new(&setting.clock).0));
    for client in
        [setting.serve(table).await, serve(JwtAuthLayer::new(setting.auth()), around).await]
    {
        for (path, subject, code) in [
            (WHO_AM_I, "alice", Code::Ok),
            (WHO_AM_I, "bob", Code::PermissionDenied),
            (LIST, "alice", Code::PermissionDenied),
        ] {
            let token = setting.token().subject(subject).build();
            let answer = client.unary(path, with_token(&token, text(""))).await;
            assert_eq!(answer.map_or_else(|status| status.code(), |_| Code::Ok), code, "{path}");
        }
    }
}

#[test]
fn a_table_that_cannot_be_meant_is_rejected_at_start() {
    let setting = Setting::new();
    let error = |methods: MethodPolicies| {
        JwtAuthLayer::new(setting.auth()).methods(methods).unwrap_err().to_string()
    };
    let table = MethodPolicies::new;
    for name in [
        "",
        "/",
        "orders.v1.Orders/List",
        "/List",
        "//List",
        "/orders.v1.Orders/",
        "/orders.v1.Orders",
        "/orders.v1.Orders/List/",
        "/orders.v1.Orders/*",
        "/orders..Orders/List",
        "/.Orders/List",
        "/orders.v1.Orders/List ",
        "/orders.v1.Orders/Li%73t",
        "/orders.v1.Orders/1st",
        "/a b/List",
    ] {
        assert!(
            error(table().method(name, role("x"))).contains("/package.Service/Method"),
            "{name}"
        );
        assert!(error(table().public(name)).contains("/package.Service/Method"), "{name}");
        assert!(error(table().any_caller(name)).contains("/package.Service/Method"), "{name}");
    }
    for name in ["", "/orders.v1.Orders", "orders.v1.", "orders.v1.Orders/", "orders.v1.*"] {
        assert!(
            error(table().service(name, role("x"))).contains("write `package.Service`"),
            "{name}"
        );
        assert!(error(table().public_service(name)).contains("write `package.Service`"), "{name}");
    }
    assert!(error(table().public(LIST).method(LIST, role("x"))).contains("two rules"));
    let in_path = table().methods("orders.v1.Orders", ["/List"], &role("x"));
    assert!(error(in_path).contains("/package.Service/Method"));
    let service = "orders.v1.Orders";
    let twice = table().public_service(service).service(service, role("x"));
    assert!(error(twice).contains("two rules for `orders.v1.Orders`"));
    assert!(error(table().others(role("x")).others(role("y"))).contains("two rules"));
    assert!(error(table()).contains("no rule"));
}

#[tokio::test]
async fn an_interceptor_inside_sees_the_caller() {
    let setting = Setting::new();
    let interceptor = InterceptorLayer::new(|request: Request<()>| {
        let is_bob = request.caller()?.subject() == "bob";
        if is_bob { Err(Status::resource_exhausted("bob")) } else { Ok(request) }
    });
    let orders = InterceptorLayer::new(Ok).named_layer(Orders::new(&setting.clock).0);
    let layer = ServiceBuilder::new()
        .layer(JwtAuthLayer::new(setting.auth()))
        .layer(interceptor)
        .into_inner();
    let routes = Routes::new(RequireLayer::new(role("admin")).named_layer(orders));
    let client = serve(layer, routes).await;
    for (subject, roles, code) in [
        ("alice", &["admin"][..], Code::Ok),
        ("alice", &[], Code::PermissionDenied),
        ("bob", &["admin"], Code::ResourceExhausted),
    ] {
        let token = setting.token().subject(subject).roles(roles.iter().copied()).build();
        let answer = client.unary(LIST, with_token(&token, text(""))).await;
        assert_eq!(answer.map_or_else(|status| status.code(), |_| Code::Ok), code, "{subject}");
    }
    let status = client.unary(LIST, Request::new(text(""))).await.unwrap_err();
    assert_eq!(parts(&status).2, "NO_CREDENTIALS");
}
