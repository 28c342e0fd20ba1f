//! Policies on an app, a scope, a resource and a handler.

use std::{future::ready, sync::Arc, time::Duration};

use actix_web::{App, HttpResponse, http::Method, rt::time::sleep, test, web};
use portcullis_actix_web::{
    AuthErrorKind, Caller, Grant, JwtAuth, Principal, RejectionExt, Require,
    policy::{self, role, scope},
};

use super::support::{World, allowed, get, rejected, request, send, who};

#[actix_web::test]
async fn policies_hold_on_a_scope_a_resource_and_a_single_handler() {
    let world = World::new();
    let app = App::new()
        .service(
            web::scope("/jobs")
                .route("", web::get().to(who))
                .route("", web::post().to(who).wrap(Require::new(scope("jobs:write"))))
                .service(
                    web::resource("/{id}")
                        .route(web::delete().to(who))
                        .wrap(Require::new(role("admin"))),
                )
                .wrap(Require::new(scope("jobs:read"))),
        )
        .route("/who", web::get().to(who))
        .wrap(JwtAuth::new(world.auth.clone()));
    let app = test::init_service(app).await;
    let nobody = world.token().build();
    let reader = world.token().scope("jobs:read").build();
    let writer = world.token().scope("jobs:read jobs:write").build();
    let outsider = world.token().scope("jobs:write").roles(["admin"]).build();
    let admin = world.token().scope("jobs:read").roles(["admin"]).build();
    for (method, path, token, status) in [
        (Method::GET, "/who", &nobody, 200),
        (Method::GET, "/jobs", &nobody, 403),
        (Method::GET, "/jobs", &reader, 200),
        (Method::POST, "/jobs", &reader, 403),
        (Method::POST, "/jobs", &writer, 200),
        // An inner policy asks for more, and never for less.
        (Method::POST, "/jobs", &outsider, 403),
        (Method::DELETE, "/jobs/7", &outsider, 403),
        (Method::DELETE, "/jobs/7", &writer, 403),
        (Method::DELETE, "/jobs/7", &admin, 200),
    ] {
        let answer = send(&app, request(method.clone(), path, Some(token))).await;
        assert_eq!(answer.status, status, "{method} {path} {answer:?}");
    }
    let challenge = Some(
        r#"Bearer realm="orders", error="insufficient_scope", error_description="a scope is missing", scope="jobs:write""#,
    );
    let post = send(&app, request(Method::POST, "/jobs", Some(&reader))).await;
    assert_eq!(post, rejected(403, challenge, "Forbidden", "insufficient_scope"));
}

fn may_create() -> Require {
    Require::new(scope("jobs:write"))
}

#[actix_web::post("/jobs", wrap = "may_create()")]
async fn create(caller: Caller) -> String {
    caller.subject().to_owned()
}

#[actix_web::test]
async fn a_policy_can_stand_at_a_handler_s_macro() {
    let world = World::new();
    let app = App::new().service(create).wrap(JwtAuth::new(world.auth.clone()));
    let app = test::init_service(app).await;
    for (token, status) in [(world.token(), 403), (world.token().scope("jobs:write"), 200)] {
        let request = request(Method::POST, "/jobs", Some(&token.build()));
        assert_eq!(send(&app, request).await.status, status);
    }
}

#[actix_web::test]
async fn a_policy_can_look_at_parameters_of_the_path() {
    let world = World::new();
    let own_tenant = || Require::new(policy::path_parameter("tenant").equals_claim("tenant"));
    let app = App::new()
        .service(
            web::scope("/t/{tenant}")
                .route("/scope", web::get().to(who))
                .wrap(own_tenant())
                .wrap(JwtAuth::new(world.auth.clone())),
        )
        .service(
            web::resource("/r/{tenant}")
                .route(web::get().to(who))
                .wrap(own_tenant())
                .wrap(JwtAuth::new(world.auth.clone())),
        )
        .route(
            "/h/{tenant}",
            web::get().to(who).wrap(own_tenant()).wrap(JwtAuth::new(world.auth.clone())),
        );
    let app = test::init_service(app).await;
    let acme = world.token().claim("tenant", "ac me/+%41").build();
    for path in ["/t/ac%20me%2F%2B%2541/scope", "/r/ac%20me%2F+%2541", "/h/ac%20me%2f+%2541"] {
        assert_eq!(get(&app, path, Some(&acme)).await, allowed("alice"), "{path}");
    }
    for path in ["/t/other/scope", "/r/other", "/h/other", "/h/ac%20me%2F+A", "/h/acme"] {
        let answer = get(&app, path, Some(&acme)).await;
        assert_eq!((answer.status, answer.code.as_deref()), (403, Some("not_permitted")), "{path}");
    }
}

#[actix_web::test]
async fn a_parameter_that_is_not_there_yet_or_is_there_twice_never_allows() {
    let world = World::new();
    let own_tenant = || Require::new(policy::path_parameter("tenant").equals_claim("tenant"));
    let not_own = || Require::new(policy::path_parameter("tenant").equals_claim("tenant").not());
    let auth = || JwtAuth::new(world.auth.clone());
    let early = App::new().route("/{tenant}", web::get().to(who)).wrap(own_tenant()).wrap(auth());
    let early = test::init_service(early).await;
    let opposite = App::new().route("/{tenant}", web::get().to(who)).wrap(not_own()).wrap(auth());
    let opposite = test::init_service(opposite).await;
    let twice = App::new().service(
        web::scope("/x/{tenant}")
            .service(web::resource("/{tenant}").route(web::get().to(who)).wrap(own_tenant()))
            .wrap(auth()),
    );
    let twice = test::init_service(twice).await;
    let acme = world.token().claim("tenant", "acme").build();
    for answer in [
        get(&early, "/acme", Some(&acme)).await,
        get(&opposite, "/acme", Some(&acme)).await,
        get(&opposite, "/other", Some(&acme)).await,
    ] {
        assert_eq!((answer.status, answer.code.as_deref()), (403, Some("not_permitted")));
    }
    // The route is known here, and cannot do: that is a fault of the service.
    for path in ["/x/acme/acme", "/x/acme/other"] {
        assert_eq!(get(&twice, path, Some(&acme)).await.status, 500, "{path}");
    }
}

#[actix_web::test]
async fn exceptions_for_routes_hold_where_the_route_is_known_and_allow_nobody_else() {
    let world = World::new();
    let policy = || Require::new(role("admin").except_route("/f/{name}", scope("a")));
    let auth = || JwtAuth::new(world.auth.clone());
    let resource = |path: &str| web::resource(path.to_owned()).route(web::get().to(who));
    let inside = App::new()
        .service(
            web::scope("/f")
                .service(resource("/secret").wrap(policy()))
                .service(resource("/{name}").wrap(policy())),
        )
        .wrap(auth());
    let inside = test::init_service(inside).await;
    let around = App::new()
        .service(resource("/f/secret"))
        .service(resource("/f/{name}"))
        .wrap(policy())
        .wrap(auth());
    let around = test::init_service(around).await;
    let scoped = App::new()
        .service(web::scope("/f/x").route("", web::get().to(who)).wrap(policy()))
        .service(resource("/f/{name}"))
        .wrap(auth());
    let scoped = test::init_service(scoped).await;
    let reader = world.token().scope("a").build();
    let admin = world.token().roles(["admin"]).build();
    for (path, by_reader, by_admin) in [
        ("/f/public", 200, 403),
        ("/f/a%20b", 200, 403),
        ("/f/secret", 403, 200),
        ("/f/%73ecret", 403, 200),
    ] {
        assert_eq!(get(&inside, path, Some(&reader)).await.status, by_reader, "{path}");
        assert_eq!(get(&inside, path, Some(&admin)).await.status, by_admin, "{path}");
        for token in [&reader, &admin] {
            assert_eq!(get(&around, path, Some(token)).await.status, 403, "{path}");
        }
    }
    for path in ["/f/x", "/f/%78"] {
        assert_eq!(get(&scoped, path, Some(&reader)).await.status, 403, "{path}");
    }
}

#[actix_web::test]
async fn an_asynchronous_rule_is_waited_for() {
    let world = World::new();
    let slow = policy::check_async(async |caller: Principal, _: Arc<Grant>| {
        sleep(Duration::ZERO).await;
        match caller.subject() {
            "alice" => Ok(()),
            "bob" => Err(AuthErrorKind::NotPermitted.into()),
            _ => Err(AuthErrorKind::ResolverUnavailable.into()),
        }
    });
    let app = App::new()
        .route("/", web::get().to(who))
        .wrap(Require::new(slow))
        .wrap(JwtAuth::new(world.auth.clone()));
    let app = test::init_service(app).await;
    for (subject, status) in [("alice", 200), ("bob", 403), ("carol", 503)] {
        let token = world.token().subject(subject).build();
        assert_eq!(get(&app, "/", Some(&token)).await.status, status, "{subject}");
    }
    assert_eq!(get(&app, "/", None).await.status, 401);
}

#[actix_web::test]
async fn a_grant_of_a_middleware_around_does_not_stand_in_for_one_of_another_type() {
    let world = World::new();
    let numbers = portcullis_actix_web::Authenticator::builder()
        .issuer(world.issuer.trusted())
        .audience(super::support::AUDIENCE)
        .with_grant_from(|_| Ok(7_u8))
        .build()
        .unwrap();
    let app = App::new()
        .route("/", web::get().to(|| ready("")).wrap(Require::new(role("admin"))))
        .wrap(JwtAuth::new(numbers))
        .wrap(JwtAuth::new(world.auth.clone()));
    let app = test::init_service(app).await;
    let admin = world.token().roles(["admin"]).build();
    let expected = rejected(500, None, "Internal Server Error", "internal_error");
    assert_eq!(get(&app, "/", Some(&admin)).await, expected);
}

#[actix_web::test]
async fn a_handler_rejects_as_a_policy_would_and_in_words_of_its_own() {
    async fn only_bob(caller: Caller) -> HttpResponse {
        match policy::allow_if(caller.subject() == "bob", || "it is bob's") {
            Ok(()) => HttpResponse::Ok().finish(),
            Err(error) => {
                let rejection = caller.reject(error);
                let reason = rejection.reason().unwrap();
                assert_eq!(rejection.kind(), AuthErrorKind::NotPermitted);
                rejection.text(reason.to_string())
            }
        }
    }
    let world = World::new();
    let app = App::new().route("/", web::get().to(only_bob)).wrap(JwtAuth::new(world.auth.clone()));
    let app = test::init_service(app).await;
    let token = |subject| world.token().subject(subject).build();
    assert_eq!(get(&app, "/", Some(&token("bob"))).await, allowed(""));
    let request = request(Method::GET, "/", Some(&token("alice"))).to_request();
    let response = test::call_service(&app, request).await;
    assert_eq!(response.headers().get("content-type").unwrap(), "text/plain; charset=utf-8");
    let answer = super::support::answer(response).await;
    assert_eq!((answer.status, &*answer.body), (403, "it is bob's"));
    assert!(answer.challenge.unwrap().starts_with(r#"Bearer realm="orders", error="#));
}
