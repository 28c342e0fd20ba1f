//! Tokens are taken out of requests, and of what is kept of them.

use std::future::ready;

use actix_web::{
    App, Error, HttpRequest,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse},
    error::ErrorImATeapot,
    http::{Method, StatusCode, header},
    middleware::{Next, NormalizePath, from_fn},
    test, web,
};
use portcullis_actix_web::{
    Authenticator, JwtAuth, RemoveTokens, TokenLocation, error::LayerError,
};

use super::support::{AUDIENCE, World, allowed, answer, rejected, request, send};

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
    let app = test::init_service(RemoveTokens::new(world.auth.clone(), app)).await;
    let inside = App::new().route("/{x}", web::get().to(handler).wrap(auth()));
    let inside = test::init_service(RemoveTokens::new(world.auth.clone(), inside)).await;
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
    // Rejections too, and a token that was not even used.
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
    let app = test::init_service(RemoveTokens::new(world.auth.clone(), app)).await;
    let sent = format!("//a//b/?access_token={}&c=1", world.token().build());
    assert_eq!(send(&app, request(Method::GET, &sent, None)).await, allowed("/a/b?c=1"));
}

#[actix_web::test]
async fn responses_that_are_errors_of_the_framework_are_not_stored_either() {
    let world = World::new();
    let app = App::new()
        .route("/", web::get().to(|| ready("")))
        .wrap_fn(|_, _| ready(Err::<ServiceResponse, _>(ErrorImATeapot("no"))))
        .wrap(JwtAuth::new(world.auth.clone()));
    let app = test::init_service(RemoveTokens::new(world.auth.clone(), app)).await;
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
        .locations(TokenLocation::header_query_cookie("access_token"))
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
        .wrap(JwtAuth::new(auth.clone()));
    let app = test::init_service(RemoveTokens::new(auth, app)).await;
    let token = world.token().build();
    let cookies = request(Method::GET, "/", Some(&token))
        .append_header((header::COOKIE, format!("theme=dark; access_token={token}")))
        .append_header((header::COOKIE, "lang=de"));
    assert_eq!(send(&app, cookies).await, allowed(" / theme=dark|lang=de"));
}

/// A middleware that keeps a clone of the request for as long as the service inside works. actix-web
/// panics if such a request is changed.
async fn hold<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let held = request.request().clone();
    let response = next.call(request).await;
    drop(held);
    response
}

#[actix_web::test]
async fn tokens_are_removed_from_requests_that_others_hold() {
    let world = World::new();
    let app = || {
        App::new().service(
            web::resource("/")
                .route(web::get().to(|request: HttpRequest| ready(uris(&request))))
                .wrap(JwtAuth::new(world.auth.clone()))
                .wrap(from_fn(hold)),
        )
    };
    let token = world.token().build();
    let in_query = || request(Method::GET, &format!("/?access_token={token}&a"), None);
    let with = test::init_service(RemoveTokens::new(world.auth.clone(), app())).await;
    assert_eq!(send(&with, in_query()).await, allowed("/?a"));
    let without = test::init_service(app()).await;
    assert_eq!(send(&without, in_query()).await.status, 500);
}

#[actix_web::test]
async fn a_token_that_handlers_would_see_is_a_fault_of_the_service_unless_it_is_rejected() {
    let world = World::new();
    let handler = || ready("");
    let app = App::new()
        .route("/", web::to(handler).wrap(JwtAuth::new(world.auth.clone())))
        .route("/any", web::to(handler).wrap(JwtAuth::new(world.auth.clone()).optional()))
        .route(
            "/failed",
            web::to(handler).wrap(JwtAuth::new(world.auth.clone()).dangerous_admit_failed()),
        )
        .route("/pass", web::to(handler).wrap(JwtAuth::new(world.auth.clone()).pass_preflight()));
    let app = test::init_service(app).await;
    let token = world.token().build();
    // What makes `OPTIONS` a preflight.
    let request = |method, uri: &str, token| {
        request(method, uri, token)
            .insert_header((header::ORIGIN, "https://page.test"))
            .insert_header((header::ACCESS_CONTROL_REQUEST_METHOD, "GET"))
    };
    let expected = rejected(500, None, "Internal Server Error", "internal_error");
    for (method, path, token) in [
        (Method::GET, "/", &*token),
        (Method::GET, "/any", &*token),
        (Method::GET, "/failed", "bad"),
        (Method::OPTIONS, "/pass", &*token),
    ] {
        let in_query = request(method, &format!("{path}?access_token={token}"), None).to_request();
        let response = test::call_service(&app, in_query).await;
        assert_eq!(response.headers().get(header::CACHE_CONTROL).unwrap(), "no-store", "{path}");
        let error = response.response().extensions().get::<LayerError>().copied();
        assert_eq!(error, Some(LayerError::TokensNotRemoved), "{path}");
        assert_eq!(answer(response).await, expected, "{path}");
    }
    let text = LayerError::TokensNotRemoved.to_string();
    assert!(text.contains("`RemoveTokens::new(auth.clone(), app)`"), "{text}");
    // No handler sees these: the client gets the usual rejection.
    for (method, path) in [(Method::GET, "/"), (Method::GET, "/any"), (Method::OPTIONS, "/pass")] {
        let bad = request(method, &format!("{path}?access_token=bad"), None).to_request();
        let response = test::call_service(&app, bad).await;
        assert_eq!(response.headers().get(header::CACHE_CONTROL).unwrap(), "no-store", "{path}");
        assert_eq!(answer(response).await.code.as_deref(), Some("malformed_token"), "{path}");
        // Where there is nothing to remove, nothing is missing.
        assert_eq!(send(&app, request(Method::GET, path, Some(&token))).await, allowed(""));
    }
}

#[actix_web::test]
async fn middlewares_around_see_no_token_either() {
    let world = World::new();
    let app = App::new()
        .route("/", web::get().to(|request: HttpRequest| ready(uris(&request))))
        .wrap(JwtAuth::new(world.auth.clone()))
        .wrap_fn(|request, service| {
            let seen = request.uri().to_string();
            let response = service.call(request);
            async move {
                assert_eq!(seen, "/?a=1");
                response.await
            }
        });
    let app = test::init_service(RemoveTokens::new(world.auth.clone(), app)).await;
    let sent = format!("/?access_token={}&a=1", world.token().build());
    assert_eq!(send(&app, request(Method::GET, &sent, None)).await, allowed("/?a=1"));
}

#[actix_web::test]
async fn several_engines_remove_their_tokens_one_around_the_other() {
    const PROTOCOL: &str = "sec-websocket-protocol";
    let world = World::new();
    let engine = |places: [TokenLocation; 3]| {
        Authenticator::builder()
            .issuer(world.issuer.trusted())
            .audience(AUDIENCE)
            .locations(places)
            .remove_tokens()
            .build()
            .unwrap()
    };
    let socket = || TokenLocation::web_socket_protocol("access_token");
    let one = engine([TokenLocation::query("one"), TokenLocation::cookie("one"), socket()]);
    let two = engine([TokenLocation::query("two"), TokenLocation::cookie("two"), socket()]);
    let handler = |request: HttpRequest| {
        let field = |name| request.headers().get(name).map(|value| value.to_str().unwrap());
        ready(format!("{} {:?} {:?}", uris(&request), field("cookie"), field(PROTOCOL)))
    };
    let app = App::new()
        .route("/one", web::get().to(handler).wrap(JwtAuth::new(one.clone())))
        .route("/two", web::get().to(handler).wrap(JwtAuth::new(two.clone())))
        .route(
            "/both",
            web::get().to(handler).wrap(JwtAuth::new(one.clone())).wrap(JwtAuth::new(one.clone())),
        );
    let only_one = App::new().route("/two", web::get().to(handler).wrap(JwtAuth::new(two.clone())));
    let app = RemoveTokens::new(two.clone(), RemoveTokens::new(one.clone(), app));
    let app = test::init_service(RemoveTokens::new(two, app)).await;
    let only_one = test::init_service(RemoveTokens::new(one, only_one)).await;
    let token = world.token().build();
    let get = |path: &str| request(Method::GET, path, None);
    let cookies = |path| {
        let cookies = format!("one={token}; a=1; two={token}");
        get(path).insert_header((header::COOKIE, cookies))
    };
    let protocols =
        |path| get(path).insert_header((PROTOCOL, format!("access_token, {token}, chat")));
    for path in ["/one", "/two", "/both"] {
        let sent = format!("{path}?one={token}&a=1&two={token}");
        let seen = allowed(&format!("{path}?a=1 None None"));
        assert_eq!(send(&app, get(&sent)).await, seen);
        let seen = allowed(&format!(r#"{path} Some("a=1") None"#));
        assert_eq!(send(&app, cookies(path)).await, seen);
        let seen = allowed(&format!(r#"{path} None Some("access_token, chat")"#));
        assert_eq!(send(&app, protocols(path)).await, seen);
    }
    for request in [get(&format!("/two?two={token}")), cookies("/two")] {
        assert_eq!(send(&only_one, request).await.status, 500);
    }
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
