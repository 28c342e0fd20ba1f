//! Who is let in, and what the rest is told.

use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{
    App, HttpResponse,
    http::{Method, StatusCode, header},
    test, web,
};
use portcullis_actix_web::{
    AuthContext, AuthError, AuthErrorKind, Authenticator, Caller, CallerRejection, Grant, JwtAuth,
    Optional, OtherCallers, Rejection, RemoveTokens, Require, Requirement, TokenLocation,
    error::LayerError, policy::role,
};
use portcullis_testkit::TestIssuer;

use super::support::{AUDIENCE, World, allowed, answer, get, rejected, request, send, who};

async fn who_if_anyone(Optional(caller): Optional<Caller>) -> String {
    caller.map_or_else(|| "nobody".to_owned(), |caller| caller.subject().to_owned())
}

#[actix_web::test]
async fn lets_good_tokens_in_and_rejects_the_rest() {
    let world = World::new();
    let app = App::new().route("/who", web::get().to(who)).wrap(JwtAuth::new(world.auth.clone()));
    let app = test::init_service(app).await;
    let good = world.token().build();
    assert_eq!(get(&app, "/who", Some(&good)).await, allowed("alice"));

    let no_code = Some(r#"Bearer realm="orders""#);
    let expected = rejected(401, no_code, "Unauthorized", "no_credentials");
    assert_eq!(get(&app, "/who", None).await, expected);
    let expired = world.token().expired().build();
    let challenge = Some(
        r#"Bearer realm="orders", error="invalid_token", error_description="the token has expired""#,
    );
    let expected = rejected(401, challenge, "Unauthorized", "token_expired");
    assert_eq!(get(&app, "/who", Some(&expired)).await, expected);
    let challenge = Some(
        r#"Bearer realm="orders", error="invalid_request", error_description="the request carries more than one token""#,
    );
    let expected = rejected(400, challenge, "Bad Request", "multiple_tokens");
    let twice = format!("/who?access_token={good}");
    assert_eq!(get(&app, &twice, Some(&good)).await, expected);
}

#[actix_web::test]
async fn two_authorization_fields_are_two_tokens() {
    let world = World::new();
    let app = App::new().route("/who", web::get().to(who)).wrap(JwtAuth::new(world.auth.clone()));
    let app = test::init_service(app).await;
    let value = format!("Bearer {}", world.token().build());
    let twice = request(Method::GET, "/who", None)
        .append_header(("authorization", value.clone()))
        .append_header(("authorization", value));
    assert_eq!(send(&app, twice).await.code.as_deref(), Some("multiple_tokens"));
}

#[actix_web::test]
async fn guards_an_app_a_scope_a_resource_and_a_route() {
    let world = World::new();
    let auth = || JwtAuth::new(world.auth.clone());
    let app = App::new()
        .service(web::scope("/scope").route("/x", web::get().to(who)).wrap(auth()))
        .service(web::resource("/resource").route(web::get().to(who)).wrap(auth()))
        .route("/route", web::get().to(who).wrap(auth()))
        .route("/route", web::post().to(|| ready("open")))
        .route("/open", web::get().to(|| ready("open")));
    let app = test::init_service(app).await;
    let good = world.token().build();
    for path in ["/scope/x", "/resource", "/route"] {
        assert_eq!(get(&app, path, Some(&good)).await, allowed("alice"), "{path}");
        assert_eq!(get(&app, path, None).await.code.as_deref(), Some("no_credentials"), "{path}");
    }
    // What is unknown inside of a scope is guarded, and what is outside of all is not.
    assert_eq!(get(&app, "/scope/unknown", None).await.status, 401);
    assert_eq!(get(&app, "/scope/unknown", Some(&good)).await.status, 404);
    assert_eq!(get(&app, "/open", None).await, allowed("open"));
    assert_eq!(send(&app, request(Method::POST, "/route", None)).await, allowed("open"));
}

#[actix_web::test]
async fn optional_admits_requests_without_credentials_and_never_bad_ones() {
    let world = World::new();
    let app = App::new()
        .route("/", web::get().to(who_if_anyone))
        .route("/must", web::get().to(who))
        // It reads no caller, so that nothing but the middleware can reject.
        .route("/open", web::get().to(|| ready("open")))
        .route("/role", web::get().to(who).wrap(Require::new(role("a"))))
        .wrap(JwtAuth::new(world.auth.clone()).optional());
    let app = test::init_service(app).await;
    let good = world.token().build();
    let bad = world.token().wrong_signature().build();
    assert_eq!(get(&app, "/", None).await, allowed("nobody"));
    assert_eq!(get(&app, "/", Some(&good)).await, allowed("alice"));
    assert_eq!(get(&app, "/open", None).await, allowed("open"));
    for path in ["/", "/open", "/must"] {
        let answer = get(&app, path, Some(&bad)).await;
        assert_eq!(answer.code.as_deref(), Some("signature_mismatch"), "{path}");
    }
    let expected =
        rejected(401, Some(r#"Bearer realm="orders""#), "Unauthorized", "no_credentials");
    for path in ["/must", "/role"] {
        assert_eq!(get(&app, path, None).await, expected);
    }
}

#[actix_web::test]
async fn preflight_passes_by_an_explicit_switch_only() {
    let world = World::new();
    let preflight = |method| {
        request(method, "/?access_token=secret&a=1", None)
            .insert_header((header::ORIGIN, "https://page.test"))
            .insert_header((header::ACCESS_CONTROL_REQUEST_METHOD, "POST"))
    };
    let handler = |uri: actix_web::http::Uri| ready(uri.to_string());
    let judged = App::new()
        .route("/", web::to(handler))
        .wrap(Require::new(role("admin")))
        .wrap(JwtAuth::new(world.auth.clone()));
    let judged = test::init_service(judged).await;
    assert_eq!(send(&judged, preflight(Method::OPTIONS)).await.status, 401);

    let passed = App::new()
        .route("/", web::to(handler))
        .wrap(Require::new(role("admin")))
        .wrap(JwtAuth::new(world.auth.clone()).pass_preflight());
    let passed = test::init_service(RemoveTokens::new(world.auth.clone(), passed)).await;
    let response = test::call_service(&passed, preflight(Method::OPTIONS).to_request()).await;
    assert_eq!(response.headers().get(header::CACHE_CONTROL).unwrap(), "no-store");
    assert_eq!(answer(response).await, allowed("/?a=1"));
    // No preflight: another method, or a header missing.
    assert_eq!(send(&passed, preflight(Method::GET)).await.status, 401);
    let no_origin = request(Method::OPTIONS, "/", None)
        .insert_header((header::ACCESS_CONTROL_REQUEST_METHOD, "POST"));
    assert_eq!(send(&passed, no_origin).await.status, 401);
    let no_method =
        request(Method::OPTIONS, "/", None).insert_header((header::ORIGIN, "https://page.test"));
    assert_eq!(send(&passed, no_method).await.status, 401);
}

#[actix_web::test]
async fn the_application_can_answer_in_its_own_form_and_middlewares_around_see_the_error() {
    let world = World::new();
    let own = |rejection: &Rejection| {
        assert!(rejection.challenge().status() >= 400);
        // From nothing, not from what the rejection would make.
        HttpResponse::Forbidden().body(r#"{"detail":"Forbidden"}"#)
    };
    let app = App::new()
        .route("/", web::get().to(who).wrap(Require::new(role("x")).response_for_rejection(own)))
        .wrap(JwtAuth::new(world.auth.clone()).response_for_rejection(own));
    let app = test::init_service(app).await;
    for (token, kind) in [
        (world.token().expired(), AuthErrorKind::TokenExpired),
        (world.token(), AuthErrorKind::InsufficientRole),
    ] {
        let request = request(Method::GET, "/", Some(&token.build()));
        let response = test::call_service(&app, request.to_request()).await;
        let error = response.response().extensions().get::<AuthError>().unwrap().clone();
        assert_eq!(error.kind(), kind);
        let answer = answer(response).await;
        assert_eq!((answer.status, answer.body.as_str()), (403, r#"{"detail":"Forbidden"}"#));
    }
}

#[actix_web::test]
async fn challenges_can_be_changed_before_a_response_is_made_of_them() {
    let world = World::new();
    let map = |challenge: portcullis_actix_web::adapter::Challenge, error: &AuthError| match error
        .kind()
    {
        AuthErrorKind::NoCredentials => challenge,
        _ => challenge.with_status(422).without_www_authenticate(),
    };
    let app = App::new()
        .route("/", web::get().to(who).wrap(Require::new(role("x")).map_challenge(map)))
        .wrap(JwtAuth::new(world.auth.clone()).map_challenge(map));
    let app = test::init_service(app).await;
    assert_eq!(get(&app, "/", None).await.status, 401);
    for (token, code) in
        [(world.token().expired(), "token_expired"), (world.token(), "insufficient_role")]
    {
        let answer = get(&app, "/", Some(&token.build())).await;
        assert_eq!(answer, rejected(422, None, "Client Error", code));
    }
}

#[actix_web::test]
async fn every_request_has_one_verdict() {
    let world = World::new();
    let (good, bad) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (Arc::clone(&good), Arc::clone(&bad));
    let auth = JwtAuth::new(world.auth.clone()).on_verdict(move |verdict| {
        let count = if verdict.result.is_ok() { &counts.0 } else { &counts.1 };
        count.fetch_add(1, Ordering::Relaxed);
    });
    let app = test::init_service(App::new().route("/", web::get().to(who)).wrap(auth)).await;
    get(&app, "/", Some(&world.token().build())).await;
    get(&app, "/", Some(&world.token().expired().build())).await;
    get(&app, "/", None).await;
    assert_eq!((good.load(Ordering::Relaxed), bad.load(Ordering::Relaxed)), (1, 2));
}

#[actix_web::test]
async fn faults_of_the_service_are_not_told_as_those_of_the_caller() {
    let issuer = TestIssuer::new("https://idp.test");
    let auth = Authenticator::builder()
        .issuer(issuer.trusted())
        .audience(AUDIENCE)
        .with_grant_from(|_| -> Result<u8, _> {
            Err(AuthError::with_source(
                AuthErrorKind::ResolverUnavailable,
                "the database is down at 10.0.0.7",
            ))
        })
        .build()
        .unwrap();
    let app = App::new().route("/", web::get().to(who)).wrap(JwtAuth::new(auth));
    let app = test::init_service(app).await;
    let token = issuer.token().audience(AUDIENCE).build();
    let request = request(Method::GET, "/", Some(&token)).to_request();
    let response = test::call_service(&app, request).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers().get(header::RETRY_AFTER).unwrap(), "5");
    let expected = rejected(503, None, "Service Unavailable", "resolver_unavailable");
    assert_eq!(answer(response).await, expected);
}

/// Two engines on one way: everyone has a token of the first, and staff one of the second too, in a
/// header of its own.
fn staff_engine() -> (TestIssuer, Authenticator) {
    let staff = TestIssuer::new("https://staff.test");
    let auth = Authenticator::builder()
        .issuer(staff.trusted())
        .audience(AUDIENCE)
        .locations([TokenLocation::header("x-staff-token")])
        .build()
        .unwrap();
    (staff, auth)
}

#[actix_web::test]
async fn the_caller_of_a_middleware_around_is_not_the_caller_of_the_one_inside() {
    let world = World::new();
    let (staff, staff_auth) = staff_engine();
    let left = |context: web::ReqData<AuthContext>| {
        ready(format!("{} {}", context.caller().is_some(), context.grant::<Grant>().is_some()))
    };
    let app = App::new()
        .route("/who", web::get().to(who_if_anyone))
        .route("/left", web::get().to(left))
        .route("/admin", web::get().to(who_if_anyone).wrap(Require::new(role("admin"))))
        .wrap(JwtAuth::new(staff_auth).optional())
        .wrap(JwtAuth::new(world.auth.clone()));
    let app = test::init_service(app).await;
    // Admin among the users is nobody among the staff.
    let user = world.token().roles(["admin"]).build();
    assert_eq!(get(&app, "/who", Some(&user)).await, allowed("nobody"));
    assert_eq!(get(&app, "/left", Some(&user)).await, allowed("false false"));
    assert_eq!(get(&app, "/admin", Some(&user)).await.code.as_deref(), Some("no_credentials"));
    let boss = staff.token().audience(AUDIENCE).subject("boss").roles(["admin"]).build();
    let request =
        request(Method::GET, "/admin", Some(&user)).insert_header(("x-staff-token", boss));
    assert_eq!(send(&app, request).await, allowed("boss"));
}

#[actix_web::test]
async fn a_preflight_that_a_middleware_around_passes_is_judged_by_one_inside_that_does_not() {
    let world = World::new();
    let (_, staff_auth) = staff_engine();
    let app = App::new()
        .route("/admin", web::to(who_if_anyone).wrap(Require::new(role("admin"))))
        .wrap(JwtAuth::new(world.auth.clone()).optional())
        .wrap(JwtAuth::new(staff_auth).pass_preflight());
    let app = test::init_service(app).await;
    let user = world.token().build();
    for (token, code) in [(Some(&user), "insufficient_role"), (None, "no_credentials")] {
        let preflight = request(Method::OPTIONS, "/admin", token.map(String::as_str))
            .insert_header((header::ORIGIN, "https://page.test"))
            .insert_header((header::ACCESS_CONTROL_REQUEST_METHOD, "POST"));
        assert_eq!(send(&app, preflight).await.code.as_deref(), Some(code));
    }
}

#[actix_web::test]
async fn a_caller_of_the_middleware_inside_is_one_where_the_one_around_has_none() {
    let world = World::new();
    let (_, staff_auth) = staff_engine();
    let app = App::new()
        .route("/who", web::get().to(who))
        .wrap(JwtAuth::new(world.auth.clone()))
        .wrap(JwtAuth::new(staff_auth).optional());
    let app = test::init_service(app).await;
    assert_eq!(get(&app, "/who", Some(&world.token().build())).await, allowed("alice"));
}

#[actix_web::test]
async fn the_callers_of_further_tokens_are_left_for_handlers() {
    let world = World::new();
    let staff = TestIssuer::new("https://staff.test");
    let auth = Authenticator::builder()
        .issuer(world.issuer.trusted())
        .issuer(staff.trusted())
        .audience(AUDIENCE)
        .locations([TokenLocation::bearer(), TokenLocation::header("x-staff-token")])
        .build()
        .unwrap();
    let [user, member] = ["https://idp.test", "https://staff.test"].map(Requirement::issuer);
    let both = auth.with_requirement(Requirement::all([user, member])).unwrap();
    let others = |caller: Caller, others: OtherCallers| {
        let others: Vec<_> = others.0.iter().map(|other| other.principal().subject()).collect();
        ready(format!("{} {others:?}", caller.subject()))
    };
    let app = App::new().route("/", web::get().to(others)).wrap(JwtAuth::new(both));
    let app = test::init_service(app).await;
    let boss = staff.token().audience(AUDIENCE).subject("boss").build();
    let request = request(Method::GET, "/", Some(&world.token().build()));
    let request = request.insert_header(("x-staff-token", boss));
    assert_eq!(send(&app, request).await, allowed(r#"alice ["boss"]"#));
}

#[actix_web::test]
async fn a_route_asks_for_tokens_of_its_own_issuer() {
    let world = World::new();
    let own =
        world.auth.clone().with_requirement(Requirement::any_issuer().audience("admin")).unwrap();
    let app = App::new().route("/", web::get().to(who)).wrap(JwtAuth::new(own));
    let app = test::init_service(app).await;
    let token = world.token().build();
    assert_eq!(get(&app, "/", Some(&token)).await.code.as_deref(), Some("wrong_audience"));
}

#[actix_web::test]
async fn a_missing_middleware_is_a_fault_of_the_service() {
    let app = App::new()
        .route("/who", web::get().to(who))
        .route("/optional", web::get().to(who_if_anyone))
        .route("/policy", web::get().to(|| ready("")).wrap(Require::new(role("a"))));
    let app = test::init_service(app).await;
    let expected = rejected(500, None, "Internal Server Error", "internal_error");
    for path in ["/who", "/optional", "/policy"] {
        let request = request(Method::GET, path, None).to_request();
        let response = test::call_service(&app, request).await;
        let error = response.response().extensions().get::<LayerError>().copied();
        assert_eq!(error, Some(LayerError::Missing), "{path}");
        assert_eq!(answer(response).await, expected, "{path}");
    }
    let text = LayerError::Missing.to_string();
    assert!(text.contains("`.wrap(JwtAuth::new(auth.clone()))`"), "{text}");
}

#[actix_web::test]
async fn a_function_of_the_application_that_panics_rejects_the_request() {
    let world = World::new();
    let token = world.token().build();
    let observed = JwtAuth::new(world.auth.clone()).optional().on_verdict(|_| panic!("in a hook"));
    let app =
        test::init_service(App::new().route("/", web::get().to(who_if_anyone)).wrap(observed))
            .await;
    let fault = || rejected(500, None, "Internal Server Error", "internal_error");
    for token in [Some(&*token), Some("x"), None] {
        assert_eq!(get(&app, "/", token).await, fault());
    }
    let auth = Authenticator::builder()
        .issuer(world.issuer.trusted())
        .audience(AUDIENCE)
        .with_grant_from(|_| -> Result<u8, _> { panic!("in a mapping") })
        .build()
        .unwrap();
    let app = App::new().route("/", web::get().to(who)).wrap(JwtAuth::new(auth));
    let app = test::init_service(app).await;
    assert_eq!(get(&app, "/", Some(&token)).await, fault());
}

#[actix_web::test]
async fn a_public_path_is_open_and_a_policy_inside_still_requires_a_caller() {
    let world = World::new();
    let handler = |caller: Result<Caller, CallerRejection>| {
        ready(caller.map_or_else(|_| "nobody".to_owned(), |caller| caller.subject().to_owned()))
    };
    let middleware = JwtAuth::new(world.auth.clone()).public(|uri| match uri.path() {
        "/open" | "/policy" => true,
        "/closed" => false,
        path => panic!("{path} is not expected"),
    });
    let app = App::new()
        .route("/open", web::get().to(handler))
        .route("/policy", web::get().to(handler).wrap(Require::new(role("admin"))))
        .route("/closed", web::get().to(handler))
        .wrap(middleware.optional());
    let app = test::init_service(app).await;
    let good = world.token().build();
    let expired = world.token().expired().build();
    assert_eq!(get(&app, "/open", Some(&expired)).await, allowed("nobody"));
    assert_eq!(get(&app, "/open", Some(&good)).await, allowed("alice"));
    for (path, token, status) in [
        ("/closed", Some(&*expired), 401),
        ("/policy", Some(&*expired), 401),
        ("/policy", None, 401),
        // The function panics: no request passes, whatever its credentials.
        ("/other", None, 500),
        ("/other", Some(&*good), 500),
    ] {
        assert_eq!(get(&app, path, token).await.status, status, "{path}");
    }
}
