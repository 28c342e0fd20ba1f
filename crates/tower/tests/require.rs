//! Policies that look at the route, behind a router that is not axum's.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use portcullis::{
    AuthError, Authenticator, Policy,
    policy::{authenticated, deny_all, path_parameter},
};
use portcullis_testkit::TestIssuer;
use portcullis_tower::{JwtAuthLayer, PathParameters, RequireLayer};
use tower::{ServiceBuilder, ServiceExt};

#[tokio::test]
async fn a_router_tells_the_route_by_an_extension() {
    let issuer = TestIssuer::new("https://idp.test");
    let auth = Authenticator::builder().issuer(issuer.trusted()).audience("api").build().unwrap();
    let token = issuer.token().audience("api").build();
    let own = || path_parameter("user").equals_claim("sub");
    let route = |route: &str, parameters: &[(&'static str, &'static str)]| {
        PathParameters::new(route, parameters.iter().copied())
    };
    let except = || -> Policy {
        deny_all()
            .except_method("GET", "/users/{user}", own())
            .except_route("/open", authenticated())
    };
    for (policy, route, expected) in [
        (own(), Some(route("/users/{user}", &[("user", "alice")])), Ok(())),
        (own(), Some(route("/users/{user}", &[("user", "bob")])), Err("not_permitted")),
        (own(), Some(route("/users/{user}", &[("User", "alice")])), Err("internal_error")),
        // Nobody knows which of the two the handler takes.
        (
            own(),
            Some(route("/{user}/{user}", &[("user", "alice"), ("user", "alice")])),
            Err("internal_error"),
        ),
        (own(), None, Err("not_permitted")),
        (own().not(), None, Err("not_permitted")),
        (except(), Some(route("/users/{user}", &[("user", "alice")])), Ok(())),
        (except(), Some(route("/open", &[("user", "bob")])), Ok(())),
        (except(), Some(route("/other", &[("user", "alice")])), Err("not_permitted")),
        (except(), None, Err("not_permitted")),
    ] {
        let what = format!("{policy:?} on {route:?}");
        let service = ServiceBuilder::new()
            .layer(JwtAuthLayer::new(auth.clone()))
            .layer(RequireLayer::new(policy))
            .service_fn(async |_: Request<()>| {
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
            });
        let mut request =
            Request::builder().header("authorization", format!("Bearer {token}")).body(()).unwrap();
        if let Some(route) = route {
            request.extensions_mut().insert(route);
        }
        let response = service.oneshot(request).await.unwrap();
        let error = response.extensions().get::<AuthError>().map(|error| error.kind().code());
        assert_eq!(error.map_or(Ok(()), Err), expected, "{what}");
        assert_eq!(response.status().is_success(), expected.is_ok(), "{what}");
    }
}
