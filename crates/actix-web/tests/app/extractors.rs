//! What handlers may take as arguments.

use std::future::ready;

use actix_web::{App, HttpMessage, HttpRequest, test, web};
use portcullis_actix_web::{
    AuthContext, AuthErrorKind, Authenticator, Caller, CallerRejection, Claims, Grant, Granted,
    JwtAuth, Optional, Require, policy,
};
use portcullis_testkit::TestIssuer;
use serde::Deserialize;
use serde_json::{Value, json};

use super::support::{AUDIENCE, World, allowed, get, rejected};

#[derive(Debug, Deserialize, PartialEq)]
struct Rights {
    tenant: String,
    level: u8,
}

#[actix_web::test]
async fn an_application_has_a_grant_of_its_own_type() {
    let issuer = TestIssuer::new("https://idp.test");
    let auth = Authenticator::builder()
        .issuer(issuer.trusted())
        .audience(AUDIENCE)
        .with_grant::<Rights>()
        .build()
        .unwrap();
    let high = Require::new(policy::grant(|rights: &Rights| rights.level > 3));
    let app = App::new()
        .route("/", web::get().to(|rights: Granted<Rights>| ready(rights.tenant.clone())))
        .route("/high", web::get().to(|| ready("")).wrap(high))
        .route("/other", web::get().to(|_: Granted<Grant>| ready("")))
        .route("/other-optional", web::get().to(|_: Optional<Granted<Grant>>| ready("")))
        .route("/other-policy", web::get().to(|| ready("")).wrap(Require::new(policy::scope("a"))))
        .wrap(JwtAuth::new(auth));
    let app = test::init_service(app).await;
    let token = |level: Value| {
        issuer.token().audience(AUDIENCE).claim("tenant", "acme").claim("level", level).build()
    };
    assert_eq!(get(&app, "/", Some(&token(json!(3)))).await, allowed("acme"));
    let answer = get(&app, "/high", Some(&token(json!(3)))).await;
    assert_eq!(answer.code.as_deref(), Some("not_permitted"));
    assert_eq!(get(&app, "/high", Some(&token(json!(4)))).await.status, 200);
    let answer = get(&app, "/", Some(&token(json!("three")))).await;
    assert_eq!(answer.code.as_deref(), Some("malformed_claim"));
    let expected = rejected(500, None, "Internal Server Error", "internal_error");
    for path in ["/other", "/other-optional", "/other-policy"] {
        assert_eq!(get(&app, path, Some(&token(json!(4)))).await, expected, "{path}");
    }
}

#[actix_web::test]
async fn handlers_read_claims_as_their_own_type() {
    #[derive(Deserialize)]
    struct Profile {
        email: String,
    }
    let world = World::new();
    let app = App::new()
        .route("/", web::get().to(|Claims(profile): Claims<Profile>| ready(profile.email)))
        .route(
            "/optional",
            web::get().to(|Optional(claims): Optional<Claims<Profile>>| {
                ready(claims.map_or_else(|| "none".to_owned(), |claims| claims.0.email))
            }),
        )
        .wrap(JwtAuth::new(world.auth.clone()).optional());
    let app = test::init_service(app).await;
    let token = world.token().claim("email", "a@b.test").build();
    assert_eq!(get(&app, "/", Some(&token)).await, allowed("a@b.test"));
    assert_eq!(get(&app, "/optional", Some(&token)).await, allowed("a@b.test"));
    assert_eq!(get(&app, "/", None).await.code.as_deref(), Some("no_credentials"));
    assert_eq!(get(&app, "/optional", None).await, allowed("none"));
    let token = world.token().claim("email", 7).build();
    for path in ["/", "/optional"] {
        let answer = get(&app, path, Some(&token)).await;
        assert_eq!(answer.code.as_deref(), Some("malformed_claim"), "{path}");
    }
    let names = json!({"email": "source"});
    let token = world.token().claim("_claim_names", names).build();
    for path in ["/", "/optional"] {
        let answer = get(&app, path, Some(&token)).await;
        let expected = (403, None, Some("claim_not_included"));
        assert_eq!((answer.status, answer.challenge.as_deref(), answer.code.as_deref()), expected);
    }
}

#[actix_web::test]
async fn the_framework_s_own_ways_to_the_extensions_work() {
    let world = World::new();
    let app = App::new()
        .route(
            "/",
            web::get().to(|context: web::ReqData<AuthContext>| {
                ready(context.caller().unwrap().subject().to_owned())
            }),
        )
        .route(
            "/request",
            web::get().to(|request: HttpRequest| {
                let extensions = request.extensions();
                let context = extensions.get::<AuthContext>().unwrap();
                ready(context.grant::<Grant>().unwrap().scope().iter().count().to_string())
            }),
        )
        .wrap(JwtAuth::new(world.auth.clone()));
    let app = test::init_service(app).await;
    let token = world.token().scope("a b").build();
    assert_eq!(get(&app, "/", Some(&token)).await, allowed("alice"));
    assert_eq!(get(&app, "/request", Some(&token)).await, allowed("2"));
}

#[actix_web::test]
async fn a_handler_can_look_at_why_there_is_no_caller() {
    let world = World::new();
    let handler = |caller: Result<Caller, CallerRejection>| {
        ready(match caller {
            Ok(caller) => caller.subject().to_owned(),
            Err(rejection) => rejection.rejection().challenge().code().to_owned(),
        })
    };
    let app = App::new().route("/bare", web::get().to(handler)).service(
        web::scope("/guarded")
            .route("/x", web::get().to(handler))
            .wrap(JwtAuth::new(world.auth.clone()).dangerous_admit_failed()),
    );
    let app = test::init_service(app).await;
    let good = world.token().build();
    assert_eq!(get(&app, "/bare", Some(&good)).await, allowed("internal_error"));
    assert_eq!(get(&app, "/guarded/x", Some(&good)).await, allowed("alice"));
    assert_eq!(get(&app, "/guarded/x", None).await, allowed("no_credentials"));
    let expired = world.token().expired().build();
    assert_eq!(get(&app, "/guarded/x", Some(&expired)).await, allowed("token_expired"));
}

#[actix_web::test]
async fn a_failure_that_is_let_through_stays_visible_and_is_not_taken_for_none() {
    let world = World::new();
    let app = App::new()
        .route(
            "/failure",
            web::get().to(|context: web::ReqData<AuthContext>| {
                let anonymous = context.anonymous().unwrap();
                ready(format!("{:?}", anonymous.failure().map(|error| error.kind())))
            }),
        )
        .route(
            "/optional",
            web::get().to(|Optional(caller): Optional<Caller>| ready(caller.is_some().to_string())),
        )
        .route(
            "/option",
            web::get().to(|caller: Option<Caller>| ready(caller.is_some().to_string())),
        )
        .wrap(JwtAuth::new(world.auth.clone()).dangerous_admit_failed());
    let app = test::init_service(app).await;
    let expired = world.token().expired().build();
    let seen = format!("{:?}", Some(AuthErrorKind::TokenExpired));
    assert_eq!(get(&app, "/failure", Some(&expired)).await, allowed(&seen));
    assert_eq!(get(&app, "/failure", None).await, allowed("None"));
    assert_eq!(get(&app, "/optional", None).await, allowed("false"));
    let answer = get(&app, "/optional", Some(&expired)).await;
    assert_eq!((answer.status, answer.code.as_deref()), (401, Some("token_expired")));
    // What the framework makes of it, which is why there is `Optional`.
    assert_eq!(get(&app, "/option", Some(&expired)).await, allowed("false"));
}

#[actix_web::test]
async fn optional_never_admits_a_token_that_a_mapping_function_has_rejected() {
    let issuer = TestIssuer::new("https://idp.test");
    let auth = Authenticator::builder()
        .issuer(issuer.trusted())
        .audience(AUDIENCE)
        .with_grant_from(|_| -> Result<u8, _> { Err(AuthErrorKind::NoCredentials.into()) })
        .build()
        .unwrap();
    let app = App::new()
        .route("/", web::get().to(|_: Optional<Caller>| ready("")))
        .wrap(JwtAuth::new(auth).optional());
    let app = test::init_service(app).await;
    let answer = get(&app, "/", Some(&issuer.token().audience(AUDIENCE).build())).await;
    assert_eq!((answer.status, answer.code.as_deref()), (403, Some("not_permitted")));
}
