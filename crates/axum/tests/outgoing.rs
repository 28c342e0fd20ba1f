//! A hyper client with the layer for outgoing calls, against an axum server with ours.

#![cfg(feature = "mint")]

use std::time::Duration;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::Request,
    routing::{get, post},
};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use portcullis_axum::{
    AddBearerTokenLayer, Algorithm, Authenticator, Caller, Issuer, JwtAuthLayer, NumericDate,
    keys::SigningKey,
    mint::{IssuedToken, Minter, RenewingToken},
    revocation::{Revocations, Revoked},
};
use portcullis_testkit::ManualClock;
use serde_json::json;
use tokio::net::TcpListener;
use tower::{ServiceBuilder, ServiceExt};

#[tokio::test]
async fn a_post_whose_token_was_revoked_is_sent_once_more() {
    let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let auth = Authenticator::builder()
        .issuer(Issuer::new("workers").key(key.verification_key().unwrap()))
        .audience("orders")
        .clock(clock.clone())
        .revocations(Revocations::memory())
        .build()
        .unwrap();
    auth.ready().await.unwrap();
    let app = Router::new()
        .route("/", post(|body: String| async move { body }))
        .layer(JwtAuthLayer::new(auth.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let minter = Minter::new(key).issuer("workers").clock(clock.clone());
    let claims = json!({"sub": "worker-7", "aud": "orders"});
    let token = RenewingToken::minted(minter, &claims).build().unwrap();
    let client = ServiceBuilder::new()
        .layer(AddBearerTokenLayer::new(token.clone()).origin(&uri).unwrap().retry_rejected())
        .service(Client::builder(TokioExecutor::new()).build_http());
    let send = async || {
        let request = Request::post(&uri).body("all of it".to_owned()).unwrap();
        let response = client.clone().oneshot(request).await.unwrap();
        let status = response.status();
        (status.as_u16(), to_bytes(Body::new(response.into_body()), 100).await.unwrap())
    };
    assert_eq!(send().await, (200, "all of it".into()));
    let revoke = async |token: &IssuedToken| {
        let caller = auth.authenticate_token(token.token()).await.unwrap();
        let id = caller.principal().token_id().unwrap().to_owned();
        auth.revoke(&[auth.revocation("workers", Revoked::Token(id.into()))]).await.unwrap();
    };
    let first = token.current().unwrap();
    revoke(&first).await;
    assert_eq!(send().await, (200, "all of it".into()));
    let second = token.current().unwrap();
    assert!(!first.is_same(&second));
    // After a token was discarded, no other is for 30 seconds.
    revoke(&second).await;
    assert_eq!(send().await.0, 401);
    clock.advance(Duration::from_secs(30));
    assert_eq!(send().await.0, 200);
}

#[tokio::test]
async fn every_call_of_a_hyper_client_is_accepted_over_several_renewals() {
    let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let issuer = Issuer::new("workers").key(key.verification_key().unwrap());
    let auth = Authenticator::builder()
        .issuer(issuer.leeway(Duration::ZERO))
        .audience("orders")
        .clock(clock.clone())
        .build()
        .unwrap();
    let app = Router::new()
        .route("/", get(|caller: Caller| async move { caller.token_id().unwrap().to_owned() }))
        .layer(JwtAuthLayer::new(auth));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let minter = Minter::new(key).issuer("workers").clock(clock.clone());
    let claims = json!({"sub": "worker-7", "aud": "orders"});
    let token = RenewingToken::minted(minter, &claims).build().unwrap();
    // As the URI of a request names this machine, no origin is needed.
    let client = ServiceBuilder::new()
        .layer(AddBearerTokenLayer::new(token))
        .service(Client::builder(TokioExecutor::new()).build_http());
    let mut ids = Vec::new();
    for _ in 0..60 {
        let request = Request::get(&uri).body(Body::empty()).unwrap();
        let response = client.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        ids.push(to_bytes(Body::new(response.into_body()), 100).await.unwrap());
        clock.advance(Duration::from_secs(60));
    }
    ids.dedup();
    // Each serves for nine minutes, and for the call that starts the renewal.
    assert_eq!(ids.len(), 7);
}
