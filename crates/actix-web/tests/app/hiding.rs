//! Tokens are taken out of requests, and of what is kept of them.

use std::future::ready;

use actix_web::{
    App, HttpRequest,
    dev::Service,
    error::ErrorImATeapot,
    http::{Method, StatusCode, header},
    middleware::NormalizePath,
    test, web,
};
use portcullis_actix_web::{Authenticator, JwtAuth, LayerError, Place};

use super::support::{AUDIENCE, World, allowed, answer, refused, request, send};

/// All that a handler can learn of the URI.
fn uris(request: &HttpRequest) -> String {
    let routed = request.match_info().get_ref().uri().clone();
    assert_eq!(request.uri(), &routed);
    assert_eq!(request.full_url().query(), request.uri().query());
    request.uri().to_string()
}

#[actix_web::test]
async fn tokens_are_taken_out_of_the_query_and_responses_are_not_stored() {
    let world = World::new();
    let handler =
        |path: web::Path<String>, request: HttpRequest| ready(format!("{path} {}", uris(&request)));
    let auth = || JwtAuth::new(world.auth.clone());
    let app = App::new()
        .service(web::scope("/s{a}").route(
            "/{b}",
            web::get().to(|request: HttpRequest| {
                let parameters: Vec<_> = request.match_info().iter().collect();
                ready(format!("{parameters:?} {}", uris(&request)))
            }),
        ))
        .route("/{x}", web::get().to(handler))
        .wrap(auth());
    let app = test::init_service(app).await;
    let inside = App::new().route("/{x}", web::get().to(handler).wrap(auth()));
    let inside = test::init_service(inside).await;
    let token = world.token().build();
    for (sent, seen) in [
        (format!("/x?access_token={token}"), "x /x"),
        (format!("/x%20y?a=1&access_token={token}&b=%20&&c"), "x y /x%20y?a=1&b=%20&&c"),
        (format!("/%2Fa?access%5ftoken={token}&a"), "/a /%2Fa?a"),
        (format!("http://h.test/x?access_token={token}&a"), "x http://h.test/x?a"),
    ] {
        let request = || request(Method::GET, &sent, None).to_request();
        let response = test::call_service(&app, request()).await;
        assert_eq!(response.headers().get(header::CACHE_CONTROL).unwrap(), "no-store", "{sent}");
        assert_eq!(answer(response).await, allowed(seen));
        // On a single route the routing is over.
        let response = test::call_service(&inside, request()).await;
        assert_eq!(answer(response).await, allowed(seen));
    }
    let nested = format!("/s1/2?access_token={token}&c");
    let answer_ = send(&app, request(Method::GET, &nested, None)).await;
    assert_eq!(answer_, allowed(r#"[("a", "1"), ("b", "2")] /s1/2?c"#));
    // Refusals too, and a token that was not even used.
    let bad = request(Method::GET, "/x?access_token=bad", None).to_request();
    let response = test::call_service(&app, bad).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers().get(header::CACHE_CONTROL).unwrap(), "no-store");
    // Without a token in the query nothing changes.
    let plain = request(Method::GET, "/x?a=1&access_tokens=2", Some(&token)).to_request();
    let response = test::call_service(&app, plain).await;
    assert!(response.headers().get(header::CACHE_CONTROL).is_none());
    assert_eq!(answer(response).await, allowed("x /x?a=1&access_tokens=2"));
}

#[actix_web::test]
async fn a_path_that_was_normalized_stays_so() {
    let world = World::new();
    let app = App::new()
        .route("/a/{x}", web::get().to(|request: HttpRequest| ready(uris(&request))))
        .wrap(JwtAuth::new(world.auth.clone()))
        .wrap(NormalizePath::trim());
    let app = test::init_service(app).await;
    let sent = format!("//a//b/?access_token={}&c=1", world.token().build());
    assert_eq!(send(&app, request(Method::GET, &sent, None)).await, allowed("/a/b?c=1"));
}

#[actix_web::test]
async fn responses_that_are_errors_of_the_framework_are_not_stored_either() {
    let world = World::new();
    let app = App::new()
        .route("/", web::get().to(|| ready("")))
        .wrap_fn(|_, _| ready(Err::<actix_web::dev::ServiceResponse, _>(ErrorImATeapot("no"))))
        .wrap(JwtAuth::new(world.auth.clone()));
    let app = test::init_service(app).await;
    let sent = format!("/?access_token={}", world.token().build());
    let error = app.call(request(Method::GET, &sent, None).to_request()).await.unwrap_err();
    let response = error.error_response();
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(response.headers().get(header::CACHE_CONTROL).unwrap(), "no-store");
}

#[actix_web::test]
async fn header_fields_lose_their_tokens_where_the_engine_says_so() {
    let world = World::new();
    let auth = Authenticator::builder()
        .issuer(world.issuer.trusted())
        .audience(AUDIENCE)
        .places(Place::header_query_cookie("access_token"))
        .remove_tokens()
        .build()
        .unwrap();
    let app = App::new()
        .route(
            "/",
            web::get().to(|request: HttpRequest| {
                let all = |name| {
                    let values = request.headers().get_all(name);
                    values.map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join("|")
                };
                ready(format!("{} / {}", all("authorization"), all("cookie")))
            }),
        )
        .wrap(JwtAuth::new(auth));
    let app = test::init_service(app).await;
    let token = world.token().build();
    let cookies = request(Method::GET, "/", Some(&token))
        .append_header((header::COOKIE, format!("theme=dark; access_token={token}")))
        .append_header((header::COOKIE, "lang=de"));
    assert_eq!(send(&app, cookies).await, allowed(" / theme=dark|lang=de"));
}

/// The framework's requests cannot be changed while others hold them, and panic if one tries.
#[actix_web::test]
async fn a_request_that_others_hold_is_refused_where_a_token_would_have_to_be_taken_out() {
    let world = World::new();
    let app = App::new().service(
        web::resource("/")
            .route(web::get().to(|request: HttpRequest| ready(request.uri().to_string())))
            .wrap(JwtAuth::new(world.auth.clone()))
            .wrap_fn(|request, service| {
                let held = request.request().clone();
                let future = service.call(request);
                async move {
                    let response = future.await;
                    drop(held);
                    response
                }
            }),
    );
    let app = test::init_service(app).await;
    let token = world.token().build();
    let in_query = request(Method::GET, &format!("/?access_token={token}"), None).to_request();
    let response = test::call_service(&app, in_query).await;
    assert_eq!(response.headers().get(header::CACHE_CONTROL).unwrap(), "no-store");
    let error = response.response().extensions().get::<LayerError>().copied();
    assert_eq!(error, Some(LayerError::SharedRequest));
    let expected = refused(500, None, "Internal Server Error", "internal_error");
    assert_eq!(answer(response).await, expected);
    // Where there is nothing to take out, nothing has to change.
    assert_eq!(send(&app, request(Method::GET, "/?a", Some(&token))).await, allowed("/?a"));
}

#[actix_web::test]
async fn nothing_of_the_token_or_the_configuration_leaks() {
    let world = World::new();
    let app =
        App::new().route("/", web::get().to(|| ready(""))).wrap(JwtAuth::new(world.auth.clone()));
    let app = test::init_service(app).await;
    let token = || world.token().claim("note", "top-secret-claim");
    for token in [
        token().audience("others-audience"),
        token().claim("aud", 7),
        token().claim("iss", "https://evil.test"),
        token().header("kid", "unknown-kid"),
        token().wrong_signature(),
    ] {
        let request = request(Method::GET, "/", Some(&token.build())).to_request();
        let response = test::call_service(&app, request).await;
        let headers = format!("{:?}", response.headers()).replace(r#"realm=\"orders\""#, "");
        let body = answer(response).await.body;
        for secret in [
            "top-secret-claim",
            "idp.test",
            "es256",
            AUDIENCE,
            "alice",
            "unknown-kid",
            "others",
            "evil",
        ] {
            assert!(!headers.contains(secret), "{headers}");
            assert!(!body.contains(secret), "{body}");
        }
    }
}
