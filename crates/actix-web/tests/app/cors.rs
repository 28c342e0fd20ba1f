//! Browsers can read rejections: a middleware for CORS around ours treats them like any response.

use std::future::ready;

use actix_cors::Cors;
use actix_web::{
    App,
    http::{Method, header},
    test, web,
};
use portcullis_actix_web::{JwtAuth, Require, policy::role};

use super::support::{World, allowed, answer, request, who};

const PAGE: &str = "https://page.test";

fn cors() -> Cors {
    Cors::default()
        .allowed_origin(PAGE)
        .allowed_methods(["GET"])
        .allowed_header(header::AUTHORIZATION)
        .expose_headers([header::WWW_AUTHENTICATE])
}

#[actix_web::test]
async fn rejections_of_middlewares_and_extractors_have_the_headers_of_cors() {
    let world = World::new();
    let app = App::new()
        .route("/", web::get().to(who))
        .route("/admin", web::get().to(who).wrap(Require::new(role("admin"))))
        .wrap(JwtAuth::new(world.auth.clone()).optional())
        .wrap(cors());
    let app = test::init_service(app).await;
    let (good, bad) = (world.token().build(), world.token().expired().build());
    for (path, token, status) in [
        ("/", Some(&good), 200),
        ("/", None, 401),
        ("/", Some(&bad), 401),
        ("/admin", None, 401),
        ("/admin", Some(&good), 403),
    ] {
        let request = request(Method::GET, path, token.map(String::as_str));
        let request = request.insert_header((header::ORIGIN, PAGE)).to_request();
        let response = test::call_service(&app, request).await;
        let headers = response.headers();
        assert_eq!(headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).unwrap(), PAGE, "{path}");
        let exposed = headers.get(header::ACCESS_CONTROL_EXPOSE_HEADERS).unwrap();
        assert!(exposed.to_str().unwrap().eq_ignore_ascii_case("www-authenticate"), "{exposed:?}");
        let answer = answer(response).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.challenge.is_some(), status != 200, "{path}");
    }
}

#[actix_web::test]
async fn a_middleware_for_cors_around_answers_preflights_itself() {
    let world = World::new();
    let app = App::new()
        .route("/", web::get().to(|| ready("")))
        .wrap(JwtAuth::new(world.auth.clone()))
        .wrap(cors());
    let app = test::init_service(app).await;
    let preflight = request(Method::OPTIONS, "/", None)
        .insert_header((header::ORIGIN, PAGE))
        .insert_header((header::ACCESS_CONTROL_REQUEST_METHOD, "GET"))
        .insert_header((header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization"))
        .to_request();
    let response = test::call_service(&app, preflight).await;
    let allow = response.headers().get(header::ACCESS_CONTROL_ALLOW_HEADERS).unwrap();
    assert!(allow.to_str().unwrap().eq_ignore_ascii_case("authorization"));
    assert_eq!(answer(response).await, allowed(""));
}
