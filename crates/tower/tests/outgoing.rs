//! The layer for calls to other services, around a service that tells what reached it.

#![cfg(feature = "mint")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops there")]

use std::{
    collections::VecDeque,
    error::Error,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use http::{HeaderValue, Request, Response, header::AUTHORIZATION};
use portcullis::NumericDate;
use portcullis_mint::{DestinationError, IssuedToken, MintError, RenewingToken, TokenError};
use portcullis_testkit::ManualClock;
use portcullis_tower::{
    AddBearerTokenLayer,
    service::{AddBearerToken, AddBearerTokenError},
};
use tokio::sync::Semaphore;
use tower::{Layer, Service, ServiceExt};

type BoxError = Box<dyn Error + Send + Sync>;

/// Keeps the field `Authorization` of each request. A clone must be made ready before it is called.
#[derive(Debug, Default)]
struct Server {
    seen: Arc<Mutex<Vec<Option<HeaderValue>>>>,
    is_ready: bool,
}

impl Clone for Server {
    fn clone(&self) -> Self {
        Self { seen: Arc::clone(&self.seen), is_ready: false }
    }
}

impl Service<Request<&'static str>> for Server {
    type Response = Response<&'static str>;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<&'static str>) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "called before it was ready");
        self.seen.lock().unwrap().push(request.headers().get(AUTHORIZATION).cloned());
        std::future::ready(match *request.body() {
            "fail" => Err("the server is away".into()),
            body => Ok(Response::new(body)),
        })
    }
}

impl Server {
    fn seen(&self) -> Vec<Option<String>> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|value| Some(value.as_ref()?.to_str().unwrap().to_owned())).collect()
    }
}

/// Brings `token-1`, `token-2` and so on, or fails.
#[derive(Clone, Default)]
struct Source {
    asked: Arc<AtomicUsize>,
    fails: Arc<AtomicUsize>,
    /// Closed it lets everyone pass.
    gate: Option<Arc<Semaphore>>,
}

impl Source {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn token(&self) -> (RenewingToken, ManualClock) {
        let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
        let own = self.clone();
        let source = move || {
            let own = own.clone();
            async move {
                let number = own.asked.fetch_add(1, Ordering::SeqCst) + 1;
                if let Some(gate) = &own.gate {
                    gate.acquire().await?.forget();
                }
                match own.fails.load(Ordering::SeqCst) {
                    0 => Ok(IssuedToken::new(format!("token-{number}"))),
                    _ => Err(BoxError::from("out of order")),
                }
            }
        };
        let token = RenewingToken::from_source(source).clock(clock.clone()).build().unwrap();
        (token, clock)
    }
}

fn client(source: &Source) -> (AddBearerToken<Server>, Server, ManualClock) {
    let (token, clock) = source.token();
    let server = Server::default();
    (AddBearerTokenLayer::new(token).layer(server.clone()), server, clock)
}

fn to(uri: &str) -> Request<&'static str> {
    Request::get(uri).body("ok").unwrap()
}

const SAFE: &str = "https://orders.test/7";

#[tokio::test]
async fn each_request_has_the_token_at_hand_marked_as_sensitive() {
    let source = Source::default();
    let (mut client, server, clock) = client(&source);
    // Renewed at 480 to 540 seconds, which chance decides.
    for millis in [0, 479_000, 61_000, 0] {
        clock.advance(Duration::from_millis(millis));
        let response = client.ready().await.unwrap().call(to(SAFE)).await.unwrap();
        assert_eq!(*response.body(), "ok");
        tokio::task::yield_now().await;
    }
    let seen = server.seen();
    let seen: Vec<_> = seen.iter().map(|value| value.as_deref().unwrap()).collect();
    assert_eq!(seen, ["Bearer token-1", "Bearer token-1", "Bearer token-1", "Bearer token-2"]);
    assert_eq!(source.asked(), 2);
    assert!(server.seen.lock().unwrap().iter().flatten().all(HeaderValue::is_sensitive));
    assert!(!format!("{client:?}").contains("token-"), "{client:?}");
}

#[tokio::test]
async fn a_request_with_credentials_keeps_them() {
    let source = Source::default();
    let (client, server, _) = client(&source);
    let mut request = to("http://orders.test/");
    request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("Basic YTpi"));
    client.oneshot(request).await.unwrap();
    assert_eq!(server.seen(), [Some("Basic YTpi".to_owned())]);
    assert_eq!(source.asked(), 0);
}

#[tokio::test]
async fn a_call_that_waits_goes_to_the_service_that_was_made_ready() {
    let gate = Arc::new(Semaphore::new(0));
    let source = Source { gate: Some(Arc::clone(&gate)), ..Source::default() };
    let (mut client, server, _) = client(&source);
    let mut calls: Vec<_> = Vec::new();
    for _ in 0..1_000 {
        let call = client.ready().await.unwrap().call(to(SAFE));
        calls.push(tokio::spawn(call));
    }
    tokio::task::yield_now().await;
    assert_eq!(server.seen(), []);
    gate.add_permits(1);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(server.seen(), vec![Some("Bearer token-1".to_owned()); 1_000]);
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn a_call_that_is_given_up_holds_up_no_other() {
    let gate = Arc::new(Semaphore::new(0));
    let source = Source { gate: Some(Arc::clone(&gate)), ..Source::default() };
    let (client, server, _) = client(&source);
    let call = tokio::spawn(client.clone().oneshot(to(SAFE)));
    tokio::task::yield_now().await;
    call.abort();
    gate.add_permits(1);
    client.oneshot(to(SAFE)).await.unwrap();
    assert_eq!(server.seen(), [Some("Bearer token-1".to_owned())]);
}

#[tokio::test]
async fn without_a_token_no_call_is_made() {
    let source = Source::default();
    let (client, server, clock) = client(&source);
    client.clone().oneshot(to(SAFE)).await.unwrap();
    source.fails.store(1, Ordering::SeqCst);
    // As long as the old one is good, it serves.
    clock.advance(Duration::from_secs(599));
    client.clone().oneshot(to(SAFE)).await.unwrap();
    tokio::task::yield_now().await;
    clock.advance(Duration::from_secs(1));
    let rejected = client.clone().oneshot(to(SAFE)).await.unwrap_err();
    let rejected = rejected.downcast::<AddBearerTokenError>().unwrap();
    assert!(matches!(*rejected, AddBearerTokenError::Token(TokenError::Source(_))), "{rejected:?}");
    assert_eq!(rejected.source().unwrap().source().unwrap().to_string(), "out of order");
    assert_eq!(server.seen(), vec![Some("Bearer token-1".to_owned()); 2]);
    // The server is back, and the pause over.
    source.fails.store(0, Ordering::SeqCst);
    clock.advance(Duration::from_secs(10));
    client.oneshot(to(SAFE)).await.unwrap();
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn errors_of_the_inner_service_come_through() {
    let (client, ..) = client(&Source::default());
    let request = Request::get(SAFE).body("fail").unwrap();
    assert_eq!(client.oneshot(request).await.unwrap_err().to_string(), "the server is away");
}

#[tokio::test]
async fn a_token_goes_only_where_it_may() {
    let source = Source::default();
    let (token, _) = source.token();
    let any = AddBearerTokenLayer::new(token);
    let known = any.clone().origin("https://orders.test").unwrap();
    let told = any.clone().dangerous_allow_cleartext();
    let told_one = told.clone().origin("http://orders.test:81/ignored").unwrap();
    let rows = [
        (&any, SAFE, None),
        (&any, "http://127.0.0.1:8080/", None),
        (&any, "http://[::1]:8080/", None),
        (&any, "http://localhost/", None),
        (&any, "http://orders.test/", Some(DestinationError::Cleartext)),
        (&any, "http://localhost@orders.test/", Some(DestinationError::Cleartext)),
        // Others may read more of these than the library for URIs does.
        (&any, "http://[::1].orders.test/", Some(DestinationError::Cleartext)),
        (&any, "http://localhost:orders.test/", Some(DestinationError::Cleartext)),
        (&any, "http://x@localhost:80orders.test/", Some(DestinationError::Cleartext)),
        (&any, "http://127.0.0.1:+80/", Some(DestinationError::Cleartext)),
        (&any, "http://x@localhost:/", None),
        (&known, "https://orders.test:/", None),
        (&known, "https://orders.test:99999/", Some(DestinationError::OtherOrigin)),
        (&known, "https://orders.test:443.other.test/", Some(DestinationError::OtherOrigin)),
        (&any, "/orders.v1.Orders/List", Some(DestinationError::Unknown)),
        (&known, SAFE, None),
        (&known, "https://orders.test:443/", None),
        (&known, "/orders.v1.Orders/List", None),
        (&known, "https://other.test/", Some(DestinationError::OtherOrigin)),
        (&known, "http://orders.test/", Some(DestinationError::OtherOrigin)),
        (&known, "https://orders.test@other.test/", Some(DestinationError::OtherOrigin)),
        (&known, "http://127.0.0.1/", Some(DestinationError::OtherOrigin)),
        (&told, "http://orders.test/", None),
        (&told, "/orders.v1.Orders/List", None),
        (&told_one, "http://orders.test:81/", None),
        (&told_one, "http://orders.test/", Some(DestinationError::OtherOrigin)),
    ];
    for (layer, uri, expected) in rows {
        let server = Server::default();
        let result = layer.layer(server.clone()).oneshot(to(uri)).await;
        let rejected = result.err().map(|error| *error.downcast::<AddBearerTokenError>().unwrap());
        let rejected = rejected.map(|error| match error {
            AddBearerTokenError::Destination(error) => error,
            other => panic!("{other}"),
        });
        assert_eq!(rejected, expected, "{uri}");
        assert_eq!(server.seen().len(), usize::from(expected.is_none()), "{uri}");
    }
    for origin in [
        "http://orders.test",
        "orders.test",
        "/orders",
        "ftp://orders.test",
        "\n",
        "https://orders.test:99999",
    ] {
        let rejected = any.clone().origin(origin);
        assert!(matches!(rejected, Err(MintError::InvalidOrigin { .. })), "{origin}");
    }
}

#[test]
fn a_request_costs_no_allocation_where_a_token_is_at_hand() {
    let (client, server, _) = client(&Source::default());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(client.clone().oneshot(to(SAFE))).unwrap();
    server.seen.lock().unwrap().reserve(10);
    let send = |mut service: AddBearerToken<Server>, set: Option<HeaderValue>| {
        let mut request = to(SAFE);
        // The map of fields allocates with its first one, whoever puts it there.
        request.headers_mut().reserve(4);
        if let Some(value) = set {
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let mut context = Context::from_waker(Waker::noop());
        let measured = allocation_counter::measure(|| {
            assert!(service.poll_ready(&mut context).is_ready());
            let call = std::pin::pin!(service.call(request));
            assert!(call.poll(&mut context).is_ready());
        });
        measured.count_total
    };
    let without = send(client.clone(), Some(HeaderValue::from_static("Bearer x")));
    assert_eq!(send(client, None), without);
    assert_eq!(without, 0);
}

/// Answers with these statuses, and then with 200. Keeps field, method, path and body of each request.
#[derive(Clone, Default)]
struct Rejecting {
    statuses: Arc<Mutex<VecDeque<u16>>>,
    seen: Arc<Mutex<Vec<String>>>,
    reissued: Option<&'static str>,
}

impl Rejecting {
    fn new(statuses: impl IntoIterator<Item = u16>) -> Self {
        let statuses = Arc::new(Mutex::new(statuses.into_iter().collect()));
        Self { statuses, ..Self::default() }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl<B: std::fmt::Debug> Service<Request<B>> for Rejecting {
    type Response = Response<()>;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let field = request.headers()[AUTHORIZATION].to_str().unwrap();
        let (method, path, body) = (request.method(), request.uri().path(), request.body());
        self.seen.lock().unwrap().push(format!("{method} {path} {body:?} {field}"));
        let status = self.statuses.lock().unwrap().pop_front().unwrap_or(200);
        let mut response = Response::builder().status(status);
        if let Some(token) = self.reissued {
            response = response.header("Refreshed-API-Token", token);
        }
        std::future::ready(Ok(response.body(()).unwrap()))
    }
}

fn post() -> Request<&'static str> {
    Request::post("https://orders.test/7").header("x", "y").body("all of it").unwrap()
}

#[tokio::test]
async fn a_rejected_request_is_sent_once_more_with_all_of_it() {
    let (token, _) = Source::default().token();
    let server = Rejecting::new([401]);
    let client = AddBearerTokenLayer::new(token).retry_rejected().layer(server.clone());
    assert_eq!(client.oneshot(post()).await.unwrap().status(), 200);
    assert_eq!(
        server.seen(),
        [r#"POST /7 "all of it" Bearer token-1"#, r#"POST /7 "all of it" Bearer token-2"#,]
    );
}

#[tokio::test]
async fn a_request_is_sent_twice_at_most_and_a_flood_of_401_causes_no_renewals() {
    let source = Source::default();
    let (token, clock) = source.token();
    let server = Rejecting::new(vec![401; 1_000]);
    let client = AddBearerTokenLayer::new(token).retry_rejected().layer(server.clone());
    assert_eq!(client.clone().oneshot(post()).await.unwrap().status(), 401);
    assert_eq!((server.seen().len(), source.asked()), (2, 2));
    for _ in 0..100 {
        clock.advance(Duration::from_millis(299));
        assert_eq!(client.clone().oneshot(post()).await.unwrap().status(), 401);
    }
    // One try each, with the token that came last.
    assert_eq!((server.seen().len(), source.asked()), (102, 2));
    clock.advance(Duration::from_millis(100));
    assert_eq!(client.oneshot(post()).await.unwrap().status(), 401);
    assert_eq!((server.seen().len(), source.asked()), (104, 3));
}

#[tokio::test]
async fn concurrent_requests_that_are_rejected_renew_once() {
    let source = Source::default();
    let (token, _) = source.token();
    let server = Rejecting::new(vec![401; 100]);
    let mut client = AddBearerTokenLayer::new(token.clone()).retry_rejected().layer(server.clone());
    token.token().await.unwrap();
    // All of them are sent with the first token.
    let mut sent = Vec::new();
    for _ in 0..100 {
        let ready = ServiceExt::<Request<&'static str>>::ready(&mut client).await.unwrap();
        sent.push(ready.call(post()));
    }
    let calls: Vec<_> = sent.into_iter().map(tokio::spawn).collect();
    let mut accepted = 0;
    for call in calls {
        accepted += usize::from(call.await.unwrap().unwrap().status() == 200);
    }
    assert_eq!(source.asked(), 2);
    assert_eq!(accepted, 100, "{:?}", server.seen());
}

#[tokio::test]
async fn without_retry_the_response_is_returned_and_the_next_request_has_another_token() {
    /// A body that cannot be cloned.
    #[derive(Debug)]
    struct Stream;
    let (token, _) = Source::default().token();
    let server = Rejecting::new([401]);
    let client = AddBearerTokenLayer::new(token).layer(server.clone());
    for status in [401, 200] {
        let request = Request::post(SAFE).body(Stream).unwrap();
        assert_eq!(client.clone().oneshot(request).await.unwrap().status(), status);
    }
    assert_eq!(server.seen(), ["POST /7 Stream Bearer token-1", "POST /7 Stream Bearer token-2"]);
}

#[tokio::test]
async fn a_rejection_of_other_credentials_concerns_no_token() {
    let source = Source::default();
    let (token, _) = source.token();
    let server = Rejecting::new([401]);
    let client = AddBearerTokenLayer::new(token).retry_rejected().layer(server.clone());
    let mut request = post();
    request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("Basic YTpi"));
    assert_eq!(client.oneshot(request).await.unwrap().status(), 401);
    assert_eq!((server.seen().len(), source.asked()), (1, 0));
}

#[tokio::test]
async fn a_second_try_that_has_no_token_returns_the_first_response() {
    let source = Source::default();
    let (token, _) = source.token();
    token.token().await.unwrap();
    source.fails.store(1, Ordering::SeqCst);
    let server = Rejecting::new([401]);
    let client = AddBearerTokenLayer::new(token).retry_rejected().layer(server.clone());
    assert_eq!(client.oneshot(post()).await.unwrap().status(), 401);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_reissued_token_is_used_by_the_next_request() {
    let (token, _) = Source::default().token();
    let server = Rejecting { reissued: Some("reissued"), ..Rejecting::default() };
    let known = AddBearerTokenLayer::new(token).origin("https://orders.test").unwrap();
    let ignoring = known.clone().layer(server.clone());
    ignoring.oneshot(post()).await.unwrap();
    let client = known.reissue_header("Refreshed-API-Token").unwrap().layer(server.clone());
    for _ in 0..2 {
        client.clone().oneshot(post()).await.unwrap();
    }
    let tokens: Vec<_> =
        server.seen().iter().map(|seen| seen.rsplit(' ').next().unwrap().to_owned()).collect();
    assert_eq!(tokens, ["token-1", "token-1", "reissued"]);
}
