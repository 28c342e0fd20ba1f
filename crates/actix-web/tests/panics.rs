//! No request makes anything panic, not even a panic that is caught: a program that is built with
//! `panic = "abort"` ends with the first one. The hook for panics belongs to the process, so that this
//! test is alone in its own.

use std::{
    panic,
    sync::atomic::{AtomicUsize, Ordering},
};

use actix_web::{
    App, Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::{Next, from_fn},
    test::{self, TestRequest},
    web::{self, ServiceConfig},
};
use portcullis_actix_web::{
    Authenticator, Caller, JwtAuth, RemoveTokens, Require, TokenLocation,
    policy::{authenticated, deny_all},
};
use portcullis_testkit::TestIssuer;

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// A middleware that keeps a clone of the request for as long as the service inside works.
async fn hold<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let held = request.request().clone();
    let response = next.call(request).await;
    drop(held);
    response
}

async fn who(caller: Caller) -> String {
    caller.subject().to_owned()
}

fn configure(config: &mut ServiceConfig, auth: &Authenticator) {
    let jwt = || JwtAuth::new(auth.clone());
    let by_route = || Require::new(deny_all().except_route("/route/{id}", authenticated()));
    config
        .service(web::resource("/held").to(who).wrap(jwt()).wrap(from_fn(hold)))
        .service(web::resource("/free").to(who).wrap(jwt()))
        .service(web::resource("/optional").to(who).wrap(jwt().optional()).wrap(from_fn(hold)))
        .service(
            web::resource("/preflight").to(who).wrap(jwt().pass_preflight()).wrap(from_fn(hold)),
        )
        .service(
            web::resource(["/route/{id}", "/other/{id}"])
                .to(who)
                .wrap(by_route())
                .wrap(jwt())
                .wrap(from_fn(hold)),
        )
        .default_service(web::to(who).wrap(by_route()).wrap(jwt()).wrap(from_fn(hold)));
}

#[actix_web::test]
async fn no_request_makes_anything_panic() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        before(info);
    }));
    let issuer = TestIssuer::new("https://idp.test");
    let places = [
        TokenLocation::bearer(),
        TokenLocation::query("access_token"),
        TokenLocation::cookie("session"),
        TokenLocation::web_socket_protocol("access_token"),
    ];
    let auth = Authenticator::builder()
        .issuer(issuer.trusted())
        .audience("orders")
        .locations(places)
        .remove_tokens()
        .build()
        .unwrap();
    let good = issuer.token().audience("orders").build();
    let app = || App::new().configure(|config| configure(config, &auth));
    let without = test::init_service(app()).await;
    let with = test::init_service(RemoveTokens::new(auth.clone(), app())).await;
    let paths = ["/held", "/free", "/optional", "/preflight", "/route/1", "/other/1", "/none"];
    let mut statuses = Vec::new();
    for (path, token, method) in paths.iter().flat_map(|&path| {
        let tokens = [&*good, "x", ""].map(|token| (path, token));
        let each = |(path, token)| [Method::GET, Method::OPTIONS].map(|own| (path, token, own));
        tokens.into_iter().flat_map(each)
    }) {
        let get = |path: &str| {
            let request = TestRequest::with_uri(path).method(method.clone());
            request
                .insert_header(("origin", "https://page.test"))
                .insert_header(("access-control-request-method", "GET"))
        };
        let requests = || {
            [
                get(path).insert_header(("authorization", format!("Bearer {token}"))),
                get(&format!("{path}?access_token={token}&a=1")),
                get(path).insert_header(("cookie", format!("a=1; session={token}"))),
                get(path)
                    .insert_header(("sec-websocket-protocol", format!("access_token, {token}"))),
            ]
        };
        for request in requests() {
            let response = test::call_service(&without, request.to_request()).await;
            statuses.push(response.status().as_u16());
        }
        for request in requests() {
            let response = test::call_service(&with, request.to_request()).await;
            statuses.push(response.status().as_u16());
        }
    }
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
    for status in [200, 400, 401, 403, 500] {
        assert!(statuses.contains(&status), "{status} is not among {statuses:?}");
    }
}
