//! A rotation while a real service is under load.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    routing::get,
};
use conformance::AUDIENCE;
use portcullis::{
    Algorithm, Authenticator, Issuer,
    keys::{RefreshPolicy, RemoteJwkSet},
};
use portcullis_axum::{Caller, JwtAuthLayer};
use portcullis_testkit::{KeyServer, Reply, TestIssuer};
use tower::ServiceExt;

use super::support::{World, key, set, settle, soon, token};

fn app(auth: Authenticator) -> Router {
    Router::new()
        .route("/", get(|caller: Caller| async move { caller.subject().to_owned() }))
        .layer(JwtAuthLayer::new(auth))
}

async fn status(app: Router, token: String) -> StatusCode {
    let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
}

#[tokio::test]
async fn requests_with_a_new_key_wait_in_the_layer_and_are_accepted() {
    let world = World::ready().await;
    let app = app(world.auth.clone());
    world.issuer.rotate(Algorithm::ES256);
    world.publish();
    world.source.hold();
    let waiting: Vec<_> =
        (0..20).map(|_| tokio::spawn(status(app.clone(), world.token()))).collect();
    settle().await;
    assert!(waiting.iter().all(|request| !request.is_finished()));
    world.source.release();
    for request in waiting {
        assert_eq!(request.await.unwrap(), StatusCode::OK);
    }
}

#[tokio::test]
async fn requests_whose_key_could_not_be_looked_up_are_503_in_the_layer() {
    let world = World::ready().await;
    world.source.answer(super::support::Answer::Error);
    let status = status(app(world.auth.clone()), world.junk("junk")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotations_under_load_reject_no_good_token() {
    let server = Arc::new(KeyServer::start());
    let issuer = TestIssuer::new(server.url(""));
    let publish = {
        let server = Arc::clone(&server);
        move |json: String| {
            // The answer takes its time, so that requests pile up behind it.
            server.reply("/jwks.json", Reply::json(json).delay(Duration::from_millis(30)));
        }
    };
    publish(set(&[key(&issuer)]));
    // Long, because the machine may be busy.
    let policy = RefreshPolicy::default().wait(Duration::from_secs(10));
    let source = RemoteJwkSet::new(server.url("/jwks.json")).refresh_policy(policy);
    let auth = Authenticator::builder()
        .issuer(Issuer::new(issuer.name()).key_source(source))
        .audience(AUDIENCE)
        .build()
        .unwrap();
    soon(auth.ready()).await.unwrap();
    let app = app(auth.clone());
    // As many as the bucket pays for at once.
    for _ in 0..3 {
        let (old_token, old) = (token(&issuer), key(&issuer).clone());
        issuer.rotate(Algorithm::ES256);
        publish(set(&[&old, key(&issuer)]));
        let new_token = token(&issuer);
        let requests: Vec<_> = (0..200)
            .map(|index| {
                let token = if index % 2 == 0 { &old_token } else { &new_token };
                tokio::spawn(status(app.clone(), token.clone()))
            })
            .collect();
        for request in requests {
            assert_eq!(soon(request).await.unwrap(), StatusCode::OK);
        }
    }
    // One at the start, and one for each rotation.
    assert_eq!(server.hits("/jwks.json"), 4);
    auth.shutdown().await;
}
