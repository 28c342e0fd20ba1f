//! One layer inside another one, and their engines make grants of different types: the inner layer replaces
//! everything that the outer one left in the request, in every adapter.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::convert::Infallible;

use axum::{Router, routing::any};
use http::{Method, Request, Response};
use portcullis::{
    AuthContext, Authenticator, Grant, Principal, Requirement, TokenLocation, adapter::Anonymous,
};
use portcullis_testkit::TestIssuer;
use portcullis_tower::JwtAuthLayer;
use tower::{Layer, ServiceExt, service_fn};

/// What the handler found is in this field of the response.
const FOUND: &str = "found";

/// The grant of the inner engine.
#[derive(Debug)]
struct Rights;

/// An administrator among the users has a token of their own and one of a partner, in two header fields. Staff
/// have a token in a third one.
struct World {
    users: TestIssuer,
    partner: TestIssuer,
    staff: TestIssuer,
}

/// What the inner layer finds, and what it does with that.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Inner {
    Caller,
    /// No token, and the layer is optional.
    Anonymous,
    /// An invalid token, and the layer admits it.
    Failed,
    /// A CORS preflight, which the layer passes.
    Preflight,
}

impl Inner {
    const ALL: [Self; 4] = [Self::Caller, Self::Anonymous, Self::Failed, Self::Preflight];

    /// What a handler inside must find.
    fn expected(self) -> &'static str {
        match self {
            Self::Caller => "boss",
            Self::Anonymous | Self::Preflight => "anonymous",
            Self::Failed => "anonymous: token_expired",
        }
    }
}

impl World {
    fn new() -> Self {
        let [users, partner, staff] =
            ["https://users.test", "https://partner.test", "https://staff.test"]
                .map(TestIssuer::new);
        Self { users, partner, staff }
    }

    fn outer(&self) -> Authenticator {
        let both = ["https://users.test", "https://partner.test"].map(Requirement::issuer);
        Authenticator::builder()
            .issuer(self.users.trusted())
            .issuer(self.partner.trusted())
            .audience("orders")
            .locations([TokenLocation::bearer(), TokenLocation::header("x-partner-token")])
            .build()
            .unwrap()
            .with_requirement(Requirement::all(both))
            .unwrap()
    }

    fn inner(&self) -> Authenticator<Rights> {
        Authenticator::builder()
            .issuer(self.staff.trusted())
            .audience("orders")
            .locations([TokenLocation::header("x-staff-token")])
            .with_grant_from(|_| Ok(Rights))
            .build()
            .unwrap()
    }

    /// Returns the header fields of a request.
    fn fields(&self, inner: Inner) -> Vec<(&'static str, String)> {
        let admin = self.users.token().audience("orders").roles(["admin"]).scope("admin");
        let partner = self.partner.token().audience("orders").subject("partner");
        let staff = self.staff.token().audience("orders").subject("boss");
        let mut fields = vec![
            ("authorization", format!("Bearer {}", admin.build())),
            ("x-partner-token", partner.build()),
        ];
        match inner {
            Inner::Caller => fields.push(("x-staff-token", staff.build())),
            Inner::Failed => fields.push(("x-staff-token", staff.expired().build())),
            Inner::Anonymous => {}
            Inner::Preflight => {
                fields.push(("origin", "https://page.test".to_owned()));
                fields.push(("access-control-request-method", "POST".to_owned()));
            }
        }
        fields
    }

    fn request<B>(&self, inner: Inner, body: B) -> Request<B> {
        let method = if inner == Inner::Preflight { Method::OPTIONS } else { Method::POST };
        let request = Request::builder().method(method).uri("/orders.v1.Orders/List");
        let fields = self.fields(inner).into_iter();
        fields
            .fold(request, |request, (name, value)| request.header(name, value))
            .body(body)
            .unwrap()
    }

    fn outer_layer(&self) -> JwtAuthLayer {
        JwtAuthLayer::new(self.outer())
    }

    fn inner_layer(&self, inner: Inner) -> JwtAuthLayer<Rights> {
        let layer = JwtAuthLayer::new(self.inner());
        match inner {
            Inner::Caller => layer,
            Inner::Anonymous => layer.optional(),
            Inner::Failed => layer.dangerous_admit_failed(),
            Inner::Preflight => layer.pass_preflight(),
        }
    }
}

/// Describes the context in the extensions of a request, the only value that a layer leaves.
fn describe(context: &AuthContext) -> String {
    let is_inner = context.grant::<Rights>().is_some();
    assert_eq!(context.caller().is_some(), is_inner, "the inner engine made the grant");
    assert_eq!(context.caller().is_none(), context.anonymous().is_some());
    let mut found = context.caller().map_or("anonymous", Principal::subject).to_owned();
    if let Some(failure) = context.anonymous().and_then(Anonymous::failure) {
        found = format!("{found}: {}", failure.kind().code());
    }
    let others =
        context.other_callers::<Grant>().is_empty() && context.other_callers::<Rights>().is_empty();
    match (context.grant::<Grant>(), others) {
        (None, true) => found,
        _ => format!("{found}, and something of the outer caller"),
    }
}

fn found<B>(response: &Response<B>) -> &str {
    response.headers().get(FOUND).map_or("no handler", |found| found.to_str().unwrap())
}

#[tokio::test]
async fn nothing_of_an_outer_caller_is_left_in_tower() {
    let world = World::new();
    for inner in Inner::ALL {
        let handler = service_fn(async |request: Request<()>| {
            let found = describe(request.extensions().get().unwrap());
            Ok::<_, Infallible>(
                Response::builder().header(FOUND, found).body(bytes::Bytes::new()).unwrap(),
            )
        });
        let service = world.outer_layer().layer(world.inner_layer(inner).layer(handler));
        let response = service.oneshot(world.request(inner, ())).await.unwrap();
        assert_eq!(found(&response), inner.expected(), "{inner:?}");
    }
}

#[tokio::test]
async fn nothing_of_an_outer_caller_is_left_in_axum() {
    let world = World::new();
    for inner in Inner::ALL {
        let handler = |request: axum::extract::Request| async move {
            [(FOUND, describe(request.extensions().get().unwrap()))]
        };
        let router = Router::new()
            .route("/orders.v1.Orders/List", any(handler))
            .layer(world.inner_layer(inner))
            .layer(world.outer_layer());
        let request = world.request(inner, axum::body::Body::empty());
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(found(&response), inner.expected(), "{inner:?}");
    }
}

#[tokio::test]
async fn nothing_of_an_outer_caller_is_left_in_tonic() {
    use portcullis_tonic::{JwtAuthLayer, RequestExt};
    use tonic::body::Body;

    let world = World::new();
    // The layer of tonic passes no preflights.
    for inner in [Inner::Caller, Inner::Anonymous, Inner::Failed] {
        let handler = service_fn(async |request: Request<Body>| {
            let found = describe(request.extensions().get().unwrap());
            let request = tonic::Request::from_http(request);
            assert_eq!(request.granted::<Grant>().unwrap_err().code(), code_of(&found));
            let response = Response::builder().header(FOUND, found);
            Ok::<_, Infallible>(response.body(Body::empty()).unwrap())
        });
        let layer = JwtAuthLayer::new(world.inner());
        let layer = match inner {
            Inner::Anonymous => layer.optional(),
            Inner::Failed => layer.dangerous_admit_failed(),
            _ => layer,
        };
        let service = JwtAuthLayer::new(world.outer()).layer(layer.layer(handler));
        let response = service.oneshot(world.request(inner, Body::empty())).await.unwrap();
        assert_eq!(found(&response), inner.expected(), "{inner:?}");
    }
}

/// The status of a handler that asks for a grant of the outer engine's type.
fn code_of(found: &str) -> tonic::Code {
    if found == "boss" { tonic::Code::Internal } else { tonic::Code::Unauthenticated }
}

#[actix_web::test]
async fn nothing_of_an_outer_caller_is_left_in_actix_web() {
    use actix_web::{App, HttpMessage, HttpRequest, HttpResponse, test, web};
    use portcullis_actix_web::JwtAuth;

    let world = World::new();
    for inner in Inner::ALL {
        let handler = async |request: HttpRequest| {
            let found = describe(request.extensions().get().unwrap());
            HttpResponse::Ok().insert_header((FOUND, found)).finish()
        };
        let middleware = JwtAuth::new(world.inner());
        let middleware = match inner {
            Inner::Caller => middleware,
            Inner::Anonymous => middleware.optional(),
            Inner::Failed => middleware.dangerous_admit_failed(),
            Inner::Preflight => middleware.pass_preflight(),
        };
        let app = App::new()
            .route("/", web::to(handler))
            .wrap(middleware)
            .wrap(JwtAuth::new(world.outer()));
        let app = test::init_service(app).await;
        let method = if inner == Inner::Preflight { "OPTIONS" } else { "POST" };
        let request = test::TestRequest::with_uri("/").method(method.parse().unwrap());
        let request =
            world.fields(inner).into_iter().fold(request, test::TestRequest::insert_header);
        let response = test::call_service(&app, request.to_request()).await;
        let found = response.headers().get(FOUND).map(|found| found.to_str().unwrap());
        assert_eq!(found, Some(inner.expected()), "{inner:?}");
    }
}
