//! A client with the layer for outgoing calls, against a server with ours.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis_testkit::ManualClock;
use portcullis_tonic::{
    AddBearerTokenLayer, Algorithm, Authenticator, Issuer, JwtAuthLayer, NumericDate,
    clock::Clock,
    keys::SigningKey,
    mint::{DestinationError, IssuedToken, Minter, RenewingToken, TokenError},
    service::{AddBearerToken, AddBearerTokenError, RecordMessages},
};
use serde_json::json;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{
    Code, Request, Status,
    body::Body,
    client::Grpc,
    codegen::http::{self, uri::PathAndQuery},
    service::Routes,
    transport::{Channel, Uri},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_prost::ProstCodec;
use tower::{ServiceBuilder, ServiceExt};

use crate::orders::{Orders, Text, serve_at, text, with_metadata};

type BoxError = Box<dyn Error + Send + Sync>;

const WHO_AM_I: PathAndQuery = PathAndQuery::from_static("/orders.v1.Orders/WhoAmI");

struct Setting {
    clock: ManualClock,
    minter: Minter,
    channel: Channel,
    origin: Uri,
}

impl Setting {
    /// A server that trusts a key, with as little leeway as there is.
    async fn new() -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let issuer = Issuer::new("workers").key(key.verification_key().unwrap());
        let auth = Authenticator::builder()
            .issuer(issuer.leeway(Duration::ZERO))
            .audience("orders")
            .clock(clock.clone())
            .build()
            .unwrap();
        let (_, health) = tonic_health::server::health_reporter();
        let routes = Routes::new(Orders::new(&clock).0).add_service(health);
        let (client, origin) = serve_at(JwtAuthLayer::new(auth), routes).await;
        let minter = Minter::new(key).issuer("workers").clock(clock.clone());
        Self { clock, minter, channel: client.channel, origin }
    }

    fn client(&self, token: RenewingToken) -> AddBearerToken<Channel> {
        let layer = AddBearerTokenLayer::new(token).origin(&self.origin).unwrap();
        ServiceBuilder::new().layer(layer).service(self.channel.clone())
    }
}

async fn who_am_i(
    client: &AddBearerToken<Channel>,
    request: Request<Text>,
) -> Result<String, Status> {
    let mut grpc = Grpc::new(client.clone());
    grpc.ready().await.unwrap();
    let codec = ProstCodec::<Text, Text>::default();
    Ok(grpc.unary(request, WHO_AM_I, codec).await?.into_inner().text)
}

#[tokio::test]
async fn every_call_is_accepted_over_several_renewals() {
    let setting = Setting::new().await;
    let minted = Arc::new(AtomicUsize::new(0));
    let source = {
        let (minter, minted) =
            (setting.minter.clone().lifetime(Duration::from_secs(600)), Arc::clone(&minted));
        move || {
            minted.fetch_add(1, Ordering::SeqCst);
            let token = minter.mint(&json!({"sub": "worker-7", "aud": "orders"}));
            std::future::ready(token.map(IssuedToken::from).map_err(BoxError::from))
        }
    };
    let token = RenewingToken::from_source(source).clock(setting.clock.clone()).build().unwrap();
    let client = setting.client(token);
    // For more than an hour, a call every seven seconds.
    for _ in 0..600 {
        assert_eq!(who_am_i(&client, Request::new(text(""))).await.unwrap(), "worker-7");
        setting.clock.advance(Duration::from_secs(7));
    }
    // The first, and one every 483 to 546 seconds, which chance decides.
    assert!((8..=9).contains(&minted.load(Ordering::SeqCst)), "{minted:?}");
}

#[tokio::test]
async fn a_generated_client_takes_the_layer_and_many_calls_at_once_share_a_token() {
    let setting = Setting::new().await;
    let claims = json!({"sub": "worker-7", "aud": "orders"});
    let token = RenewingToken::minted(setting.minter.clone(), &claims).build().unwrap();
    let client = HealthClient::new(setting.client(token.clone()));
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move { client.check(HealthCheckRequest::default()).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    // Minted with the clock of the minter.
    let end = setting.clock.now().saturating_add(Duration::from_secs(600));
    assert_eq!(token.current().unwrap().expiry(), Some(end));
}

#[tokio::test]
async fn a_client_without_the_layer_is_rejected() {
    let setting = Setting::new().await;
    let mut client = HealthClient::new(setting.channel.clone());
    let rejected = client.check(HealthCheckRequest::default()).await.unwrap_err();
    assert_eq!(rejected.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_token_of_the_call_itself_stands() {
    let setting = Setting::new().await;
    let claims = json!({"sub": "worker-7", "aud": "orders"});
    let token = RenewingToken::minted(setting.minter.clone(), &claims).build().unwrap();
    let other = setting.minter.mint(&json!({"sub": "alice", "aud": "orders"})).unwrap();
    let bearer = format!("Bearer {}", other.token());
    let request = with_metadata("authorization", &bearer, text(""));
    assert_eq!(who_am_i(&setting.client(token), request).await.unwrap(), "alice");
}

#[tokio::test]
async fn a_call_without_a_token_is_unavailable_and_tells_why() {
    let setting = Setting::new().await;
    let failing = || std::future::ready(Err::<IssuedToken, _>(BoxError::from("out of order")));
    let token = RenewingToken::from_source(failing).clock(setting.clock.clone()).build().unwrap();
    let rejected = who_am_i(&setting.client(token), Request::new(text(""))).await.unwrap_err();
    assert_eq!(rejected.code(), Code::Unavailable);
    let cause = rejected.source().unwrap().downcast_ref::<AddBearerTokenError>();
    assert!(matches!(cause, Some(AddBearerTokenError::Token(TokenError::Source(_)))), "{cause:?}");
}

#[tokio::test]
async fn a_channel_does_not_say_where_it_leads_so_the_layer_must_be_told() {
    let setting = Setting::new().await;
    let claims = json!({"sub": "worker-7", "aud": "orders"});
    let token = RenewingToken::minted(setting.minter.clone(), &claims).build().unwrap();
    let layer = AddBearerTokenLayer::new(token);
    let untold = ServiceBuilder::new().layer(layer.clone()).service(setting.channel.clone());
    let rejected = who_am_i(&untold, Request::new(text(""))).await.unwrap_err();
    assert_eq!(rejected.code(), Code::Internal);
    let cause = rejected.source().unwrap().downcast_ref::<AddBearerTokenError>();
    let unknown = AddBearerTokenError::Destination(DestinationError::Unknown);
    assert_eq!(cause.unwrap().source().unwrap().to_string(), unknown.source().unwrap().to_string());

    // A client that was made with an origin says it.
    let mut client = HealthClient::with_origin(untold, setting.origin.clone());
    client.check(HealthCheckRequest::default()).await.unwrap();

    let told = layer.dangerous_allow_cleartext();
    let told = ServiceBuilder::new().layer(told).service(setting.channel.clone());
    assert_eq!(who_am_i(&told, Request::new(text(""))).await.unwrap(), "worker-7");
}

#[tokio::test]
async fn errors_of_the_channel_keep_their_codes() {
    let setting = Setting::new().await;
    // Nobody listens there any more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let token =
        RenewingToken::minted(setting.minter.clone(), &json!({"sub": "a"})).build().unwrap();
    let layer = AddBearerTokenLayer::new(token).origin(&*nowhere).unwrap();
    let channel = Channel::from_shared(nowhere).unwrap().connect_lazy();
    let client = ServiceBuilder::new().layer(layer).service(channel);
    let rejected = client.oneshot(http::Request::new(Body::empty()));
    let status = Status::from_error(rejected.await.unwrap_err());
    assert_eq!(status.code(), Code::Unavailable);
    assert!(!status.message().contains("token"), "{status:?}");
}

/// Mints tokens for another audience so many times, and then good ones.
fn bad_at_first(setting: &Setting, bad: usize) -> (RenewingToken, Arc<AtomicUsize>) {
    let (minter, minted) = (setting.minter.clone(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&minted);
    let source = move || {
        let is_bad = counter.fetch_add(1, Ordering::SeqCst) < bad;
        let audience = if is_bad { "other" } else { "orders" };
        let token = minter.mint(&json!({"sub": "worker-7", "aud": audience}));
        std::future::ready(token.map(IssuedToken::from).map_err(BoxError::from))
    };
    let token = RenewingToken::from_source(source).clock(setting.clock.clone()).build().unwrap();
    (token, minted)
}

type RetryingClient = AddBearerToken<Channel, RecordMessages>;

fn retrying(setting: &Setting, token: RenewingToken) -> RetryingClient {
    let layer = AddBearerTokenLayer::new(token).origin(&setting.origin).unwrap().retry_rejected();
    ServiceBuilder::new().layer(layer).service(setting.channel.clone())
}

async fn echo(client: &RetryingClient, request: Text) -> Result<String, Status> {
    let mut grpc = Grpc::new(client.clone());
    grpc.ready().await.unwrap();
    let codec = ProstCodec::<Text, Text>::default();
    Ok(grpc.unary(Request::new(request), WHO_AM_I, codec).await?.into_inner().text)
}

#[tokio::test]
async fn a_rejected_call_is_sent_once_more_with_another_token() {
    let setting = Setting::new().await;
    let (token, minted) = bad_at_first(&setting, 1);
    let client = retrying(&setting, token);
    assert_eq!(echo(&client, text("hello")).await.unwrap(), "worker-7");
    assert_eq!(minted.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_call_is_sent_twice_at_most_and_later_ones_cause_no_renewal() {
    let setting = Setting::new().await;
    let (token, minted) = bad_at_first(&setting, 2);
    let client = retrying(&setting, token);
    for _ in 0..5 {
        let rejected = echo(&client, text("")).await.unwrap_err();
        assert_eq!(rejected.code(), Code::Unauthenticated);
        assert_eq!(minted.load(Ordering::SeqCst), 2);
    }
    setting.clock.advance(Duration::from_secs(30));
    assert_eq!(echo(&client, text("")).await.unwrap(), "worker-7");
}

#[tokio::test]
async fn without_retry_the_next_call_has_another_token() {
    let setting = Setting::new().await;
    let (token, _) = bad_at_first(&setting, 1);
    let client = setting.client(token);
    let rejected = who_am_i(&client, Request::new(text(""))).await.unwrap_err();
    assert_eq!(rejected.code(), Code::Unauthenticated);
    assert_eq!(who_am_i(&client, Request::new(text(""))).await.unwrap(), "worker-7");
}

#[tokio::test]
async fn a_stream_that_is_rejected_at_its_start_loses_no_message() {
    const CHAT: PathAndQuery = PathAndQuery::from_static("/orders.v1.Orders/Chat");
    let setting = Setting::new().await;
    let (token, minted) = bad_at_first(&setting, 1);
    let (sender, messages) = tokio::sync::mpsc::unbounded_channel();
    sender.send(text("first")).unwrap();
    let mut grpc = Grpc::new(retrying(&setting, token));
    grpc.ready().await.unwrap();
    let messages = Request::new(UnboundedReceiverStream::new(messages));
    let codec = ProstCodec::<Text, Text>::default();
    let mut answers = grpc.streaming(messages, CHAT, codec).await.unwrap().into_inner();
    assert_eq!(minted.load(Ordering::SeqCst), 2);
    assert_eq!(answers.message().await.unwrap().unwrap().text, "first");
    for message in ["second", "third"] {
        sender.send(text(message)).unwrap();
        assert_eq!(answers.message().await.unwrap().unwrap().text, message);
    }
}

#[tokio::test]
async fn a_call_with_more_than_64_kib_is_not_sent_again() {
    let setting = Setting::new().await;
    for (len, is_retried) in [(60 * 1024, true), (70 * 1024, false)] {
        let (token, _) = bad_at_first(&setting, 1);
        let result = echo(&retrying(&setting, token), text("a".repeat(len))).await;
        assert_eq!(result.is_ok(), is_retried, "{len}");
    }
}
