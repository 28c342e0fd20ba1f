//! What the layers guard, by how a router is put together.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, header},
    routing::get,
};
use portcullis_axum::{
    Authenticator, Caller, JwtAuthLayer, RequireLayer,
    policy::{role, scope},
};
use portcullis_testkit::{TestIssuer, TokenBuilder};
use tower::ServiceExt;
use tower_http::cors::CorsLayer;

const AUDIENCE: &str = "orders";
const ORIGIN: &str = "https://page.test";

struct Service {
    issuer: TestIssuer,
    app: Router,
}

impl Service {
    fn new(app: impl FnOnce(JwtAuthLayer) -> Router) -> Self {
        let issuer = TestIssuer::new("https://idp.test");
        let auth = Authenticator::builder().issuer(issuer.trusted()).audience(AUDIENCE);
        let app = app(JwtAuthLayer::new(auth.build().unwrap()));
        Self { issuer, app }
    }

    fn token(&self) -> TokenBuilder {
        self.issuer.token().audience(AUDIENCE)
    }

    async fn status(&self, method: &str, path: &str, token: Option<&TokenBuilder>) -> u16 {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {}", token.build()));
        }
        let request = request.body(Body::empty()).unwrap();
        self.app.clone().oneshot(request).await.unwrap().status().as_u16()
    }

    /// Compares the answers to requests without a token, and with one that has no rights.
    async fn expect(&self, rows: &[(&str, &str, u16, u16)]) {
        for (method, path, without, with) in rows {
            let answers = (
                self.status(method, path, None).await,
                self.status(method, path, Some(&self.token())).await,
            );
            assert_eq!(answers, (*without, *with), "{method} {path}");
        }
    }
}

async fn open() {}

async fn who(caller: Caller) -> String {
    caller.subject().to_owned()
}

#[tokio::test]
async fn a_guard_on_a_nested_router_leaves_its_neighbours_open() {
    let service = Service::new(|gate| {
        let inner = Router::new().route("/", get(who)).route("/{id}", get(who)).layer(gate);
        Router::new().route("/open", get(open)).nest("/orders", inner)
    });
    service
        .expect(&[
            ("GET", "/open", 200, 200),
            ("GET", "/orders", 401, 200),
            ("GET", "/orders/7", 401, 200),
            ("POST", "/orders/7", 401, 405),
            ("GET", "/orders/7/items", 404, 404),
            ("GET", "/elsewhere", 404, 404),
        ])
        .await;
}

#[tokio::test]
async fn a_guard_around_nested_routers_holds_for_all_of_them() {
    let service = Service::new(|gate| {
        let items = Router::new().route("/{item}", get(who));
        let orders = Router::new().route("/{id}", get(who)).nest("/{id}/items", items);
        Router::new().nest("/orders", orders).layer(gate)
    });
    service
        .expect(&[
            ("GET", "/orders/7", 401, 200),
            ("GET", "/orders/7/items/1", 401, 200),
            ("GET", "/orders/7/elsewhere", 401, 404),
            ("GET", "/elsewhere", 401, 404),
        ])
        .await;
}

#[tokio::test]
async fn policies_of_nested_routers_add_up() {
    let service = Service::new(|gate| {
        let admin = Router::new()
            .route("/keys", get(who).layer(RequireLayer::new(scope("keys"))))
            .layer(RequireLayer::new(role("admin")));
        Router::new().nest("/admin", admin).layer(RequireLayer::new(scope("api"))).layer(gate)
    });
    let token = || service.token();
    for (token, status) in [
        (token().scope("api keys").roles(["admin"]), 200),
        (token().scope("api keys"), 403),
        (token().scope("keys").roles(["admin"]), 403),
        (token().scope("api").roles(["admin"]), 403),
    ] {
        let answer = service.status("GET", "/admin/keys", Some(&token)).await;
        assert_eq!(answer, status, "{}", token.claims_json());
    }
}

#[tokio::test]
async fn layer_guards_a_fallback_and_route_layer_does_not() {
    let app = || Router::new().route("/who", get(who)).fallback(open);
    let service = Service::new(|gate| app().layer(gate));
    service.expect(&[("GET", "/who", 401, 200), ("GET", "/elsewhere", 401, 200)]).await;
    let service = Service::new(|gate| app().route_layer(gate));
    service.expect(&[("GET", "/who", 401, 200), ("GET", "/elsewhere", 200, 200)]).await;
    // A fallback that wants a caller is closed all the same, if not with a challenge.
    let service =
        Service::new(|gate| Router::new().route("/who", get(who)).fallback(who).route_layer(gate));
    service.expect(&[("GET", "/elsewhere", 500, 500)]).await;
}

#[tokio::test]
async fn a_nested_fallback_is_guarded_by_the_layer_of_its_router() {
    let service = Service::new(|gate| {
        let inner = Router::new().route("/who", get(who)).fallback(open).layer(gate);
        Router::new().nest("/orders", inner).fallback(open)
    });
    service
        .expect(&[
            ("GET", "/orders/who", 401, 200),
            ("GET", "/orders/elsewhere", 401, 200),
            ("GET", "/elsewhere", 200, 200),
        ])
        .await;
}

#[tokio::test]
async fn a_router_answers_wrong_methods_behind_its_guard_and_a_route_in_front_of_it() {
    let service = Service::new(|gate| {
        Router::new()
            .route("/by-layer", get(who).layer(gate.clone()))
            .route("/by-route-layer", get(who).route_layer(gate.clone()))
            .merge(Router::new().route("/by-router", get(who)).route_layer(gate))
    });
    service
        .expect(&[
            ("POST", "/by-layer", 401, 405),
            ("POST", "/by-route-layer", 405, 405),
            ("POST", "/by-router", 401, 405),
        ])
        .await;
}

#[tokio::test]
async fn what_is_added_after_the_guard_stands_outside() {
    let service = Service::new(|gate| {
        Router::new()
            .route("/before", get(who))
            .layer(gate)
            .route("/after", get(open))
            .route("/after/who", get(who))
            .merge(Router::new().route("/merged", get(open)))
    });
    service
        .expect(&[
            ("GET", "/before", 401, 200),
            ("GET", "/after", 200, 200),
            ("GET", "/after/who", 500, 500),
            ("GET", "/merged", 200, 200),
        ])
        .await;
}

#[tokio::test]
async fn a_policy_around_the_guard_is_a_fault_of_the_service() {
    let service = Service::new(|gate| {
        Router::new().route("/", get(open)).layer(gate).layer(RequireLayer::new(scope("a")))
    });
    service.expect(&[("GET", "/", 500, 500)]).await;
}

/// What `docs/cors.md` says of `layer` and `route_layer`.
#[tokio::test]
async fn cors_by_route_layer_misses_answers() {
    let cors = || CorsLayer::new().allow_origin(HeaderValue::from_static(ORIGIN));
    let app = || Router::new().route("/", get(who));
    let by_layer = Service::new(|gate| app().layer(gate).layer(cors()));
    let by_route_layer = Service::new(|gate| app().layer(gate).route_layer(cors()));
    let by_route =
        Service::new(|gate| Router::new().route("/", get(who).layer(gate).route_layer(cors())));
    // Whether a page sees the answers to a request, its preflight, and a request for an unknown path.
    for (name, service, visible) in [
        ("layer", by_layer, [true, true, true]),
        ("a router's route_layer", by_route_layer, [true, true, false]),
        ("a route's route_layer", by_route, [true, false, false]),
    ] {
        let requests = [("GET", "/"), ("OPTIONS", "/"), ("GET", "/elsewhere")];
        for ((method, path), visible) in requests.into_iter().zip(visible) {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header(header::ORIGIN, ORIGIN)
                .header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET");
            let request = request.body(Body::empty()).unwrap();
            let response = service.app.clone().oneshot(request).await.unwrap();
            let headers = response.headers();
            let seen = headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN);
            assert_eq!(seen, visible, "{name}: {method} {path}: {headers:?}");
        }
    }
}
