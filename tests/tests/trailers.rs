//! Trailer fields, which come after the body of a request. They never authenticate it, and a layer, which
//! decides before the body is read, does not remove them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use axum::{Router, body::Body, http::header::AUTHORIZATION, routing::post};
use http_body_util::BodyExt;
use portcullis::Authenticator;
use portcullis_axum::JwtAuthLayer;
use portcullis_testkit::TestIssuer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Returns what the handler finds in the trailers of its request.
async fn trailers(body: Body) -> String {
    let collected = body.collect().await.unwrap();
    let value = collected.trailers().and_then(|trailers| trailers.get(AUTHORIZATION)).cloned();
    value.map_or("no trailer".to_owned(), |value| value.to_str().unwrap().to_owned())
}

/// Sends a request with this field as a trailer, and perhaps the same as a header field.
async fn send(auth: &Authenticator, field: &str, is_header_too: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let layer = JwtAuthLayer::new(auth.clone());
    let router = Router::new().route("/", post(trailers)).layer(layer);
    tokio::spawn(async { axum::serve(listener, router).await });
    let header = if is_header_too { field } else { "" };
    let request = format!(
        "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{header}trailer: authorization\r\n\
         transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n{field}\r\n"
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test]
async fn a_token_in_a_trailer_neither_authenticates_nor_is_removed() {
    let issuer = TestIssuer::new("https://idp.test");
    let auth = Authenticator::builder().issuer(issuer.trusted()).audience("orders");
    let auth = auth.remove_tokens().build().unwrap();
    let token = issuer.token().audience("orders").build();
    let field = format!("authorization: Bearer {token}\r\n");
    let rejected = send(&auth, &field, false).await;
    assert!(rejected.starts_with("HTTP/1.1 401 "), "{rejected}");
    assert!(rejected.contains("no_credentials"), "{rejected}");
    // As the docs of `remove_tokens` say.
    let accepted = send(&auth, &field, true).await;
    assert!(accepted.starts_with("HTTP/1.1 200 "), "{accepted}");
    assert!(accepted.ends_with(&format!("Bearer {token}")), "{accepted}");
}
