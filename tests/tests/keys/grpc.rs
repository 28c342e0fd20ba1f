//! Keys that are fetched while gRPC calls wait.

use std::convert::Infallible;

use axum::http::{Request, Response};
use portcullis::{Algorithm, Authenticator};
use portcullis_tonic::{JwtAuthLayer, MethodPolicies, RequestExt};
use tonic::{Status, body::Body};
use tower::{Layer, ServiceExt, service_fn};

use super::support::{Answer, World, settle};

const LIST: &str = "/orders.v1.Orders/List";
const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// The status of a call, and the subject that the service has seen.
async fn call(auth: Authenticator, method: &'static str, token: String) -> (i32, String) {
    let methods = MethodPolicies::new().any_caller(LIST).public(HEALTH);
    let service = service_fn(|request: Request<Body>| async {
        let request = tonic::Request::from_http(request);
        let subject =
            request.caller().map_or("nobody".to_owned(), |caller| caller.subject().to_owned());
        Ok::<_, Infallible>(
            Response::builder().header("subject", subject).body(Body::empty()).unwrap(),
        )
    });
    let service = JwtAuthLayer::new(auth).methods(methods).unwrap().layer(service);
    let request = Request::post(method).header("authorization", format!("Bearer {token}"));
    let response = service.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let subject = response.headers().get("subject").map(|name| name.to_str().unwrap().to_owned());
    let status = Status::from_header_map(response.headers());
    (status.map_or(0, |status| status.code().into()), subject.unwrap_or_default())
}

#[tokio::test]
async fn calls_with_a_new_key_wait_and_public_ones_do_not() {
    let world = World::ready().await;
    world.issuer.rotate(Algorithm::ES256);
    world.publish();
    world.source.hold();
    let waiting = tokio::spawn(call(world.auth.clone(), LIST, world.token()));
    settle().await;
    assert!(!waiting.is_finished());
    let public = call(world.auth.clone(), HEALTH, world.token()).await;
    assert_eq!(public, (0, "nobody".to_owned()));
    world.source.release();
    assert_eq!(waiting.await.unwrap(), (0, "alice".to_owned()));
    assert_eq!(call(world.auth.clone(), HEALTH, world.token()).await, (0, "alice".to_owned()));
}

#[tokio::test]
async fn calls_whose_key_could_not_be_looked_up_are_unavailable() {
    let world = World::ready().await;
    world.source.answer(Answer::Error);
    assert_eq!(call(world.auth.clone(), LIST, world.junk("junk")).await, (14, String::new()));
    assert_eq!(call(world.auth.clone(), HEALTH, world.junk("junk")).await.0, 0);
}
