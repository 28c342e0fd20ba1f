//! The middleware for awc, over real sockets.

#![cfg(feature = "awc")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use awc::{Client, error::SendRequestError, http::Method};
use portcullis_actix_web::{
    AddBearerToken, NumericDate,
    mint::{AddBearerTokenError, DestinationError, IssuedToken, MintError, RenewingToken},
};
use portcullis_testkit::{KeyServer, ManualClock, RecordedRequest, Reply};

/// A token whose source returns `token-1`, `token-2` and so on.
fn token() -> (RenewingToken, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let source = move || {
        let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
        async move { Ok(IssuedToken::new(format!("token-{number}"))) }
    };
    let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
    (RenewingToken::from_source(source).clock(clock).build().unwrap(), asked)
}

fn server() -> KeyServer {
    let server = KeyServer::start();
    server.reply("/", Reply::empty());
    server
}

fn bearer(server: &KeyServer) -> (AddBearerToken, RenewingToken, Arc<AtomicUsize>) {
    let (token, asked) = token();
    (AddBearerToken::new(token.clone()).origin(server.url("")).unwrap(), token, asked)
}

fn client(bearer: AddBearerToken) -> Client {
    Client::builder().wrap(bearer).finish()
}

/// Returns the field `Authorization` and the body of each request.
fn seen(server: &KeyServer) -> Vec<String> {
    let shown = |request: &RecordedRequest| {
        let field = request.header("authorization").unwrap_or("none");
        format!("{} {field} {}", request.method(), String::from_utf8_lossy(request.body()))
    };
    server.requests("/").iter().map(shown).collect()
}

fn destination(error: SendRequestError) -> DestinationError {
    let SendRequestError::Custom(error, _) = error else { panic!("{error}") };
    match error.downcast_ref::<AddBearerTokenError>() {
        Some(AddBearerTokenError::Destination(error)) => *error,
        _ => panic!("{error}"),
    }
}

#[actix_web::test]
async fn each_request_has_the_token() {
    let server = server();
    let (bearer, _, asked) = bearer(&server);
    let client = client(bearer);
    client.get(server.url("/")).send().await.unwrap();
    client.post(server.url("/")).send_body("b").await.unwrap();
    let frozen = client.put(server.url("/")).freeze().unwrap();
    frozen.send_body("c").await.unwrap();
    assert_eq!(
        seen(&server),
        ["GET Bearer token-1 ", "POST Bearer token-1 b", "PUT Bearer token-1 c"]
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[actix_web::test]
async fn a_request_with_credentials_keeps_them() {
    let server = server();
    let (bearer, _, asked) = bearer(&server);
    server.reply("/", Reply::empty().status(401));
    let client = client(bearer.clone());
    let request = || client.get(server.url("/")).insert_header(("authorization", "Basic YTpi"));
    request().send().await.unwrap();
    request().freeze().unwrap().send().await.unwrap();
    bearer.send(&request().freeze().unwrap(), "").await.unwrap();
    let frozen = client.get(server.url("/")).freeze().unwrap();
    frozen.extra_header(("authorization", "Basic YTpi")).send().await.unwrap();
    assert_eq!(seen(&server), vec!["GET Basic YTpi "; 4]);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[actix_web::test]
async fn a_token_goes_to_the_origins_alone() {
    let server = server();
    let (token, asked) = token();
    let nowhere = client(AddBearerToken::new(token.clone()).dangerous_allow_cleartext());
    let rejected = nowhere.get(server.url("/")).send().await.unwrap_err();
    assert_eq!(destination(rejected), DestinationError::OtherOrigin);
    let elsewhere = AddBearerToken::new(token).origin("https://a.test").unwrap();
    let rejected = client(elsewhere.clone()).get(server.url("/")).send().await.unwrap_err();
    assert_eq!(destination(rejected), DestinationError::OtherOrigin);
    let frozen = Client::default().get(server.url("/")).freeze().unwrap();
    let rejected = elsewhere.send(&frozen, "").await.unwrap_err();
    assert_eq!(destination(rejected), DestinationError::OtherOrigin);
    assert_eq!((seen(&server).len(), asked.load(Ordering::SeqCst)), (0, 0));
}

#[actix_web::test]
async fn a_redirect_to_another_origin_carries_no_token() {
    let (server, other) = (server(), server());
    let (bearer, token, _) = bearer(&server);
    server.reply("/", Reply::redirect(307, other.url("/")));
    // awc follows redirects around its middlewares: the call fails there.
    let rejected = client(bearer.clone()).post(server.url("/")).send_body("b").await.unwrap_err();
    assert_eq!(destination(rejected), DestinationError::OtherOrigin);
    assert_eq!(seen(&other).len(), 0);
    // Without the middleware awc removes the token, and the other server gets the request.
    let bearer = bearer.reissue_header("x-token").unwrap();
    for reply in [Reply::empty(), Reply::empty().header("x-token", "other")] {
        other.reply("/", reply);
        let frozen = Client::default().post(server.url("/")).freeze().unwrap();
        bearer.send(&frozen, "b").await.unwrap();
    }
    assert_eq!(seen(&server), vec!["POST Bearer token-1 b"; 3]);
    assert_eq!(seen(&other), vec!["POST none b"; 2]);
    assert_eq!(token.current().unwrap().token(), "token-1");
}

#[actix_web::test]
async fn a_redirect_within_the_origin_keeps_the_token() {
    let server = server();
    let (bearer, ..) = bearer(&server);
    server.reply("/moved", Reply::redirect(302, "/"));
    client(bearer).get(server.url("/moved")).send().await.unwrap();
    assert_eq!(seen(&server), ["GET Bearer token-1 "]);
}

#[actix_web::test]
async fn after_a_rejection_the_next_request_has_another_token() {
    let server = server();
    let (bearer, _, asked) = bearer(&server);
    server.reply_once("/", Reply::empty().status(401));
    let client = client(bearer);
    for status in [401, 200] {
        let response = client.post(server.url("/")).send_body("b").await.unwrap();
        assert_eq!(response.status(), status);
    }
    assert_eq!(seen(&server), ["POST Bearer token-1 b", "POST Bearer token-2 b"]);
    server.reply("/", Reply::empty().status(401));
    for _ in 0..5 {
        client.get(server.url("/")).send().await.unwrap();
    }
    // Within 30 seconds no other token is discarded.
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[actix_web::test]
async fn a_request_that_is_sent_with_its_body_is_sent_twice_at_most() {
    let server = server();
    let (bearer, _, asked) = bearer(&server);
    server.reply_once("/", Reply::empty().status(401));
    let frozen = Client::default().get(server.url("/")).freeze().unwrap();
    let response = bearer.send(&frozen, "all of it").await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(seen(&server), ["GET Bearer token-1 all of it", "GET Bearer token-2 all of it"]);
    server.reply("/", Reply::empty().status(401));
    for _ in 0..3 {
        assert_eq!(bearer.send(&frozen, "").await.unwrap().status(), 401);
    }
    assert_eq!((seen(&server).len(), asked.load(Ordering::SeqCst)), (5, 2));
}

#[actix_web::test]
async fn a_post_request_is_not_sent_again_because_of_the_response_to_which_a_redirect_leads() {
    let server = server();
    let (bearer, token, asked) = bearer(&server);
    server.reply("/orders", Reply::redirect(303, server.url("/")));
    server.reply("/", Reply::empty().status(401));
    let frozen = Client::default().post(server.url("/orders")).freeze().unwrap();
    assert_eq!(bearer.send(&frozen, "b").await.unwrap().status(), 401);
    assert_eq!(server.requests("/orders").len(), 1);
    // awc has removed the token, so that it was not rejected.
    assert_eq!(seen(&server), ["GET none "]);
    assert_eq!(token.current().unwrap().token(), "token-1");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[actix_web::test]
async fn only_get_and_head_requests_are_sent_again() {
    for (method, times) in [("GET", 2), ("HEAD", 2), ("POST", 1), ("PUT", 1), ("DELETE", 1)] {
        let server = server();
        let (bearer, ..) = bearer(&server);
        server.reply("/", Reply::empty().status(401));
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let frozen = Client::default().request(method.clone(), server.url("/")).freeze().unwrap();
        assert_eq!(bearer.send(&frozen, "").await.unwrap().status(), 401);
        assert_eq!(seen(&server).len(), times, "{method}");
    }
}

#[actix_web::test]
async fn a_server_that_rejects_every_token_gets_two_requests_for_one_call() {
    let server = server();
    let (bearer, _, asked) = bearer(&server);
    server.reply("/", Reply::empty().status(401));
    let frozen = Client::default().get(server.url("/")).freeze().unwrap();
    assert_eq!(bearer.send(&frozen, "").await.unwrap().status(), 401);
    assert_eq!((seen(&server).len(), asked.load(Ordering::SeqCst)), (2, 2));
}

#[actix_web::test]
async fn a_reissued_token_is_used_by_the_next_request() {
    let server = server();
    let (bearer, _, asked) = bearer(&server);
    server.reply("/", Reply::empty().header("Refreshed-API-Token", "reissued"));
    client(bearer.clone()).get(server.url("/")).send().await.unwrap();
    let client = client(bearer.reissue_header("Refreshed-API-Token").unwrap());
    for _ in 0..2 {
        client.get(server.url("/")).send().await.unwrap();
    }
    assert_eq!(
        seen(&server),
        ["GET Bearer token-1 ", "GET Bearer token-1 ", "GET Bearer reissued "]
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[actix_web::test]
async fn the_handshake_of_a_web_socket_has_the_token() {
    let server = server();
    let (bearer, ..) = bearer(&server);
    let client = client(bearer);
    let url = server.url("/").replace("http:", "ws:");
    // The server does not speak the protocol.
    assert!(client.ws(url).connect().await.is_err());
    assert_eq!(seen(&server), ["GET Bearer token-1 "]);
    assert!(client.ws("wss://a.test/").connect().await.is_err());
}

#[test]
fn an_origin_that_would_leak_is_a_mistake_of_the_configuration() {
    let (token, _) = token();
    for origin in ["http://a.test", "a.test", "\n", "ftp://a.test", "/a"] {
        let rejected = AddBearerToken::new(token.clone()).origin(origin);
        assert!(matches!(rejected, Err(MintError::InvalidOrigin { .. })), "{origin}");
    }
}
