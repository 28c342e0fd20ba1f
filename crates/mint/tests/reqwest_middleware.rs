//! The middleware for `reqwest`, over real sockets.

#![cfg(feature = "reqwest-middleware")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use portcullis::NumericDate;
use portcullis_mint::{
    AddBearerToken, AddBearerTokenError, DestinationError, IssuedToken, MintError, RenewingToken,
    TokenError,
};
use portcullis_testkit::{KeyServer, ManualClock, Reply};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error};

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

fn client(middleware: AddBearerToken) -> ClientWithMiddleware {
    ClientBuilder::new(reqwest::Client::new()).with(middleware).build()
}

fn server() -> KeyServer {
    let server = KeyServer::start();
    server.reply("/", Reply::empty());
    server
}

/// Returns the field `Authorization` and the body of each request.
fn seen(server: &KeyServer) -> Vec<String> {
    let shown = |request: &portcullis_testkit::RecordedRequest| {
        let field = request.header("authorization").unwrap_or("none");
        format!("{} {field} {}", request.method(), String::from_utf8_lossy(request.body()))
    };
    server.requests("/").iter().map(shown).collect()
}

#[tokio::test]
async fn each_request_has_the_token() {
    let (server, (token, asked)) = (server(), token());
    let client = client(AddBearerToken::new(token));
    for _ in 0..2 {
        let response = client.get(server.url("/")).send().await.unwrap();
        assert_eq!(response.status(), 200);
    }
    assert_eq!(seen(&server), ["GET Bearer token-1 ", "GET Bearer token-1 "]);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_rejected_request_is_sent_once_more_with_its_body() {
    let (server, (token, asked)) = (server(), token());
    server.reply_once("/", Reply::empty().status(401));
    let client = client(AddBearerToken::new(token));
    let response = client.post(server.url("/")).body("all of it").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(seen(&server), ["POST Bearer token-1 all of it", "POST Bearer token-2 all of it"]);
    // A server that rejects every token: one second try, and none for the next requests.
    server.reply("/", Reply::empty().status(401));
    for _ in 0..3 {
        let response = client.get(server.url("/")).send().await.unwrap();
        assert_eq!(response.status(), 401);
    }
    assert_eq!((seen(&server).len(), asked.load(Ordering::SeqCst)), (5, 2));
}

#[tokio::test]
async fn a_request_is_sent_twice_at_most() {
    let (server, (token, asked)) = (server(), token());
    server.reply("/", Reply::empty().status(401));
    let client = client(AddBearerToken::new(token));
    let response = client.get(server.url("/")).send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!((seen(&server).len(), asked.load(Ordering::SeqCst)), (2, 2));
}

#[tokio::test]
async fn a_stream_is_not_sent_again_and_the_next_request_has_another_token() {
    struct Pieces(Option<&'static str>);
    impl http_body::Body for Pieces {
        type Data = bytes::Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
            let piece = self.0.take().map(|text| http_body::Frame::data(text.into()));
            std::task::Poll::Ready(piece.map(Ok))
        }
    }
    let (server, (token, _)) = (server(), token());
    server.reply_once("/", Reply::empty().status(401));
    let client = client(AddBearerToken::new(token));
    for status in [401, 200] {
        let body = reqwest::Body::wrap(Pieces(Some("piece")));
        let response = client.post(server.url("/")).body(body).send().await.unwrap();
        assert_eq!(response.status(), status);
    }
    let requests = server.requests("/");
    let fields: Vec<_> = requests.iter().map(|request| request.header("authorization")).collect();
    assert_eq!(fields, [Some("Bearer token-1"), Some("Bearer token-2")]);
}

#[tokio::test]
async fn a_request_with_credentials_keeps_them() {
    let (server, (token, asked)) = (server(), token());
    server.reply("/", Reply::empty().status(401));
    let client = client(AddBearerToken::new(token));
    let request = client.get(server.url("/")).header("authorization", "Basic YTpi");
    assert_eq!(request.send().await.unwrap().status(), 401);
    assert_eq!(seen(&server), ["GET Basic YTpi "]);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_call_that_may_not_have_a_token_is_not_made() {
    let (server, (token, asked)) = (server(), token());
    let middleware = AddBearerToken::new(token).origin("https://a.test").unwrap();
    let rejected = client(middleware).get(server.url("/")).send().await.unwrap_err();
    let Error::Middleware(rejected) = rejected else { panic!("{rejected}") };
    let rejected = rejected.downcast_ref::<AddBearerTokenError>().unwrap();
    let expected = DestinationError::OtherOrigin;
    assert!(matches!(rejected, AddBearerTokenError::Destination(error) if *error == expected));
    assert_eq!((seen(&server).len(), asked.load(Ordering::SeqCst)), (0, 0));

    let failing = || async { Err::<IssuedToken, _>("away".into()) };
    let token = RenewingToken::from_source(failing).build().unwrap();
    let rejected = client(AddBearerToken::new(token)).get(server.url("/")).send().await;
    let Error::Middleware(rejected) = rejected.unwrap_err() else { panic!("of the middleware") };
    let rejected = rejected.downcast_ref::<AddBearerTokenError>().unwrap();
    assert!(matches!(rejected, AddBearerTokenError::Token(TokenError::Source(_))));
    assert_eq!(seen(&server).len(), 0);
}

#[tokio::test]
async fn a_redirect_to_another_origin_carries_no_token() {
    let (server, other, (token, asked)) = (server(), server(), token());
    let middleware = AddBearerToken::new(token.clone())
        .origin(&server.url(""))
        .unwrap()
        .origin(&other.url(""))
        .unwrap()
        .reissue_header("x-token")
        .unwrap();
    let client = client(middleware);
    server.reply("/", Reply::redirect(307, other.url("/")));
    // What the other server says concerns no token, even if it may have one.
    for reply in [
        Reply::empty().status(401),
        Reply::empty().status(401).header("x-token", "other"),
        Reply::empty().header("x-token", "other"),
    ] {
        other.reply("/", reply);
        client.post(server.url("/")).body("b").send().await.unwrap();
    }
    assert_eq!(seen(&server), vec!["POST Bearer token-1 b"; 3]);
    assert_eq!(seen(&other), vec!["POST none b"; 3]);
    assert_eq!(token.current().unwrap().token(), "token-1");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // Another name of the same machine is another host.
    let localhost = other.url("/").replace("127.0.0.1", "localhost");
    server.reply("/", Reply::redirect(302, localhost));
    let _ = client.get(server.url("/")).send().await;
    assert!(seen(&other).iter().all(|seen| !seen.contains("token")), "{:?}", seen(&other));
}

#[tokio::test]
async fn a_redirect_within_the_origin_keeps_the_token() {
    let (server, (token, _)) = (server(), token());
    server.reply("/moved", Reply::redirect(302, server.url("/")));
    client(AddBearerToken::new(token)).get(server.url("/moved")).send().await.unwrap();
    assert_eq!(seen(&server), ["GET Bearer token-1 "]);
}

#[tokio::test]
async fn a_response_after_a_redirect_within_the_origin_neither_repeats_the_request_nor_concerns_the_token()
 {
    let (server, (token, asked)) = (server(), token());
    let middleware = AddBearerToken::new(token.clone()).origin(&server.url("")).unwrap();
    let client = client(middleware.reissue_header("x-token").unwrap());
    server.reply("/orders", Reply::redirect(303, server.url("/")));
    for reply in [Reply::empty().status(401), Reply::empty().header("x-token", "other")] {
        server.reply("/", reply);
        client.post(server.url("/orders")).body("b").send().await.unwrap();
    }
    assert_eq!(server.requests("/orders").len(), 2);
    assert_eq!(seen(&server), vec!["GET Bearer token-1 "; 2]);
    assert_eq!(token.current().unwrap().token(), "token-1");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_fragment_does_not_hide_a_rejection() {
    let (server, (token, _)) = (server(), token());
    server.reply_once("/", Reply::empty().status(401));
    let client = client(AddBearerToken::new(token));
    let response = client.get(server.url("/#part")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(seen(&server), ["GET Bearer token-1 ", "GET Bearer token-2 "]);
}

#[tokio::test]
async fn a_reissued_token_is_used_by_the_next_request() {
    let (server, (token, asked)) = (server(), token());
    server.reply("/", Reply::empty().header("Refreshed-API-Token", "reissued"));
    let known = AddBearerToken::new(token).origin(&server.url("/ignored")).unwrap();
    client(known.clone()).get(server.url("/")).send().await.unwrap();
    let client = client(known.reissue_header("Refreshed-API-Token").unwrap());
    for _ in 0..2 {
        client.get(server.url("/")).send().await.unwrap();
    }
    assert_eq!(
        seen(&server),
        ["GET Bearer token-1 ", "GET Bearer token-1 ", "GET Bearer reissued "]
    );
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn an_origin_that_would_leak_is_a_mistake_of_the_configuration() {
    let (token, _) = token();
    for origin in ["http://a.test", "a.test", "", "ftp://a.test", "https://"] {
        let rejected = AddBearerToken::new(token.clone()).origin(origin);
        assert!(matches!(rejected, Err(MintError::InvalidOrigin { .. })), "{origin}");
    }
    let told = AddBearerToken::new(token).dangerous_allow_cleartext();
    assert!(told.origin("http://a.test").is_ok());
}
