//! Policies that differ by route: the route is the pattern that the router has matched, or unknown.

use actix_web::{
    App,
    dev::{Service, ServiceRequest, ServiceResponse},
    guard,
    http::Method,
    middleware::{Next, from_fn},
    test,
    web::{self, ServiceConfig},
};
use portcullis_actix_web::{
    JwtAuth, Policy, Require,
    policy::{authenticated, deny_all, role},
};

use super::support::{World, get, request, send, who};

/// Adds services, one of which has the policy under test.
type Configure = fn(&mut ServiceConfig, Require);

async fn status(configure: Configure, policy: Policy, method: &Method, path: &str) -> u16 {
    let world = World::new();
    let app = App::new()
        .configure(|config| configure(config, Require::new(policy)))
        .wrap(JwtAuth::new(world.auth.clone()));
    let app = test::init_service(app).await;
    let token = world.token().build();
    send(&app, request(method.clone(), path, Some(&token))).await.status
}

/// Asserts which route policies see; `None`: no route is known, and every caller is rejected.
async fn assert_route(configure: Configure, method: Method, path: &str, expected: Option<&str>) {
    let is_known = authenticated().except_route("another route", authenticated());
    let known = status(configure, is_known, &method, path).await;
    match expected {
        None => assert_eq!(known, 403, "{method} {path}"),
        Some(route) => {
            assert_eq!(known, 200, "{method} {path}");
            let only_this = deny_all().except_route(route, authenticated());
            assert_eq!(status(configure, only_this, &method, path).await, 200, "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn a_resource_with_several_patterns_has_a_route_by_its_first_pattern_only() {
    let open = || role("admin").except_route("/a/{id}", authenticated());
    let secret = || authenticated().except_route("/b/{id}", role("admin"));
    let on_resource: Configure = |config, require| {
        let resource = web::resource(["/a/{id}", "/b/{id}"]);
        config.service(resource.route(web::get().to(who)).wrap(require));
    };
    let on_route: Configure = |config, require| {
        let resource = web::resource(["/a/{id}", "/b/{id}"]);
        config.service(resource.route(web::get().to(who).wrap(require)));
    };
    let in_scopes: Configure = |config, require| {
        let resource = web::resource(["/{id}", "/{id}/b"]).route(web::get().to(who)).wrap(require);
        config.service(web::scope("/x/{tenant}").service(web::scope("/y").service(resource)));
    };
    for configure in [on_resource, on_route] {
        for (policy, a, b) in [(open(), 200, 403), (secret(), 200, 403)] {
            assert_eq!(status(configure, policy.clone(), &Method::GET, "/a/1").await, a);
            assert_eq!(status(configure, policy, &Method::GET, "/b/1").await, b);
        }
        assert_route(configure, Method::GET, "/a/1", Some("/a/{id}")).await;
        assert_route(configure, Method::GET, "/%61/%2F", Some("/a/{id}")).await;
        assert_route(configure, Method::GET, "/b/1", None).await;
        assert_route(configure, Method::GET, "/b/a", None).await;
        assert_route(configure, Method::GET, "/%62/1", None).await;
    }
    let nested = Some("/x/{tenant}/y/{id}");
    assert_route(in_scopes, Method::GET, "/x/1/y/2", nested).await;
    assert_route(in_scopes, Method::GET, "/x/1/y/2/b", None).await;
}

/// Patterns of one resource that differ in what their parameters match.
#[actix_web::test]
async fn a_pattern_counts_only_where_the_path_matches_all_of_it() {
    let tail: Configure = |config, require| {
        let resource = web::resource(["/f/{path}", "/f/{path}*"]);
        config.service(resource.to(who).wrap(require));
    };
    assert_route(tail, Method::GET, "/f/a", Some("/f/{path}")).await;
    assert_route(tail, Method::GET, "/f/a/b", None).await;
    assert_route(tail, Method::GET, "/f/", None).await;

    let expression: Configure = |config, require| {
        let resource = web::resource([r"/n/{id:\d{1,3}}", "/n/{id}", "/n/{name}/x"]);
        config.service(resource.to(who).wrap(require));
    };
    assert_route(expression, Method::GET, "/n/12", Some(r"/n/{id:\d{1,3}}")).await;
    assert_route(expression, Method::GET, "/n/1234", None).await;
    assert_route(expression, Method::GET, "/n/a", None).await;
    assert_route(expression, Method::GET, "/n/1/x", None).await;

    let fixed: Configure = |config, require| {
        config.service(web::resource(["/home", "/home/", "/"]).to(who).wrap(require));
    };
    assert_route(fixed, Method::GET, "/home", Some("/home")).await;
    assert_route(fixed, Method::GET, "/h%6Fme", Some("/home")).await;
    assert_route(fixed, Method::GET, "/home/", None).await;
    assert_route(fixed, Method::GET, "/", None).await;
}

#[actix_web::test]
async fn a_pattern_of_any_form_is_a_route() {
    let configure: Configure = |config, require| {
        let wrapped = |pattern: &str| web::resource(pattern).to(who).wrap(require.clone());
        config
            .service(wrapped("/"))
            .service(wrapped("/plain"))
            .service(wrapped("/slash/"))
            .service(wrapped("/one/{a}-{b}/{c:[a-z]{2}}"))
            .service(wrapped("/tail/{rest}*"))
            .service(wrapped("/all/{rest:.*}"))
            .service(
                web::scope("/s/{x}")
                    .service(wrapped(""))
                    .service(wrapped("/"))
                    .service(web::scope("/t").service(wrapped("/{y}")).service(wrapped(""))),
            )
            .service(web::scope("/u/{x}").service(wrapped("/{x}")))
            .service(web::scope("").service(wrapped("/inside")));
    };
    for (path, route) in [
        ("/", "/"),
        ("/plain", "/plain"),
        ("/plai%6E", "/plain"),
        ("/plain?x=/plain/y", "/plain"),
        ("/slash/", "/slash/"),
        ("/one/1-2/ab", "/one/{a}-{b}/{c:[a-z]{2}}"),
        ("/one/1-2-3/%61b", "/one/{a}-{b}/{c:[a-z]{2}}"),
        ("/tail/", "/tail/{rest}*"),
        ("/tail/a/b%2Fc", "/tail/{rest}*"),
        ("/all/", "/all/{rest:.*}"),
        ("/all/a/b", "/all/{rest:.*}"),
        ("/s/1", "/s/{x}"),
        ("/s/1/", "/s/{x}/"),
        ("/s/1/t", "/s/{x}/t"),
        ("/s/%7Bx%7D/t/%C3%A4", "/s/{x}/t/{y}"),
        ("/u/1/2", "/u/{x}/{x}"),
        ("/inside", "/inside"),
    ] {
        assert_route(configure, Method::GET, path, Some(route)).await;
    }
}

#[actix_web::test]
async fn the_route_is_that_of_the_resource_whose_guards_let_the_request_through() {
    let configure: Configure = |config, require| {
        config
            .service(web::resource("/w/{id}").guard(guard::Get()).to(who).wrap(require.clone()))
            .service(web::resource("/w/{id:a.*}").guard(guard::Put()).to(who).wrap(require.clone()))
            .service(web::resource("/w/action").guard(guard::Post()).to(who).wrap(require));
    };
    assert_route(configure, Method::GET, "/w/action", Some("/w/{id}")).await;
    assert_route(configure, Method::PUT, "/w/action", Some("/w/{id:a.*}")).await;
    assert_route(configure, Method::POST, "/w/action", Some("/w/action")).await;
    assert_route(configure, Method::POST, "/%77/%61ction", Some("/w/action")).await;
}

#[actix_web::test]
async fn no_route_is_known_around_a_router_and_where_no_resource_matches() {
    let on_scope: Configure = |config, require| {
        config.service(web::resource("/f/{name:z+}").guard(guard::Post()).to(who)).service(
            web::scope("/f/{name}")
                .service(web::resource("").guard(guard::Get()).to(who))
                .service(web::resource("/x").to(who))
                .default_service(web::to(who))
                .wrap_fn(|request, service| service.call(request))
                .wrap(require),
        );
    };
    for (method, path) in [
        (Method::GET, "/f/a"),
        (Method::GET, "/f/zz"),
        (Method::PUT, "/f/a"),
        (Method::GET, "/f/a/"),
        (Method::GET, "/f/a/x"),
        (Method::GET, "/f/a/y"),
    ] {
        assert_route(on_scope, method, path, None).await;
    }
    // The type of the scope is not visible through this middleware.
    let behind_from_fn: Configure = |config, require| {
        config.service(web::resource("/f/{name:z+}").guard(guard::Post()).to(who)).service(
            web::scope("/f/{name}")
                .service(web::resource("").guard(guard::Get()).to(who))
                .default_service(web::to(who))
                .wrap(from_fn(|request: ServiceRequest, next: Next<_>| next.call(request)))
                .wrap(require),
        );
    };
    for (method, path) in [(Method::GET, "/f/a"), (Method::GET, "/f/zz"), (Method::PUT, "/f/a")] {
        assert_route(behind_from_fn, method, path, None).await;
    }
    let by_default: Configure = |config, require| {
        config
            .service(
                web::scope("/d")
                    .service(web::resource("/x").guard(guard::Get()).to(who))
                    .default_service(web::to(who).wrap(require.clone())),
            )
            .default_service(web::to(who).wrap(require));
    };
    for path in ["/d", "/d/", "/d/y", "/d/x/", "/e", "/"] {
        assert_route(by_default, Method::GET, path, None).await;
    }
    assert_route(by_default, Method::POST, "/d/x", None).await;
}

/// A middleware that keeps a clone of the request for as long as the service inside works.
async fn hold<B: actix_web::body::MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let held = request.request().clone();
    let response = next.call(request).await;
    drop(held);
    response
}

#[actix_web::test]
async fn the_route_of_a_request_that_others_hold_is_known() {
    let configure: Configure = |config, require| {
        config.service(web::resource("/a/{id}").to(who).wrap(require).wrap(from_fn(hold)));
    };
    assert_route(configure, Method::GET, "/a/1", Some("/a/{id}")).await;
}

#[actix_web::test]
async fn a_path_that_does_not_exist_is_not_found_for_callers_that_no_policy_rejects() {
    let world = World::new();
    let app = App::new()
        .service(web::resource("/a").to(who).wrap(Require::new(deny_all())))
        .wrap(JwtAuth::new(world.auth.clone()));
    let app = test::init_service(app).await;
    let token = world.token().build();
    assert_eq!(get(&app, "/b", Some(&token)).await.status, 404);
}
