//! Streams whose token expires while they go on.

use std::time::Duration;

use portcullis_testkit::{ManualClock, TestIssuer};
use portcullis_tonic::{
    Authenticator, JwtAuthLayer, MethodPolicies, NumericDate,
    revocation::{Revocations, Revoked},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Code, Request, Status, service::Routes};
use tonic_types::StatusExt;

use crate::orders::{Backstage, Client, Orders, serve, text, with_token};

const WATCH: &str = "/orders.v1.Orders/Watch";
const CHAT: &str = "/orders.v1.Orders/Chat";

struct Setting {
    issuer: TestIssuer,
    clock: ManualClock,
    client: Client,
    backstage: Backstage,
    auth: Authenticator,
}

impl Setting {
    async fn new(configure: impl FnOnce(JwtAuthLayer) -> JwtAuthLayer) -> Self {
        let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
        let issuer = TestIssuer::new("https://idp.test").clock(clock.clone());
        let auth = Authenticator::builder()
            .issuer(issuer.trusted())
            .audience("orders")
            .clock(clock.clone())
            .revocations(Revocations::memory().allow_missing_jti())
            .build()
            .unwrap();
        auth.ready().await.unwrap();
        let (orders, backstage) = Orders::new(&clock);
        let client = serve(configure(JwtAuthLayer::new(auth.clone())), Routes::new(orders)).await;
        Self { issuer, clock, client, backstage, auth }
    }

    /// With a token that is good for an hour, and a minute of leeway.
    fn request<T>(&self, message: T) -> Request<T> {
        let token = self.issuer.token().audience("orders").expires_in(Duration::from_secs(3600));
        with_token(&token.build(), message)
    }
}

/// What should come at once, and does not come at all if something is broken.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.unwrap()
}

fn assert_expired(status: &Status) {
    assert_eq!((status.code(), status.message()), (Code::Unauthenticated, "the token has expired"));
    assert_eq!(status.get_error_details().error_info().unwrap().reason, "TOKEN_EXPIRED");
    assert!(status.metadata().get("www-authenticate").is_some());
}

#[tokio::test]
async fn a_stream_of_responses_ends_at_the_expiry() {
    let setting = Setting::new(JwtAuthLayer::end_streams_at_expiry).await;
    let request = setting.request(text(""));
    let mut responses = setting.client.server_streaming(WATCH, request).await.unwrap();
    let watched = &setting.backstage.watched;
    for moment in [0, 1800, 1859] {
        setting.clock.advance(Duration::from_secs(moment));
        watched.send(text(moment.to_string())).unwrap();
        let message = responses.message().await.unwrap().unwrap();
        assert_eq!(message.text, moment.to_string());
    }
    setting.clock.advance(Duration::from_secs(1));
    assert_expired(&soon(responses.message()).await.unwrap_err());
    // The service notices that nobody listens.
    soon(watched.closed()).await;
}

#[tokio::test]
async fn a_stream_of_responses_ends_when_the_token_is_revoked() {
    let setting = Setting::new(JwtAuthLayer::end_streams_at_expiry).await;
    let request = setting.request(text(""));
    let mut responses = setting.client.server_streaming(WATCH, request).await.unwrap();
    let watched = &setting.backstage.watched;
    watched.send(text("early")).unwrap();
    assert_eq!(responses.message().await.unwrap().unwrap().text, "early");
    let now = NumericDate::from_seconds(1_800_000_000);
    for subject in ["bob", "alice"] {
        let revoked = Revoked::Subject(subject.into(), now);
        let entry = setting.auth.revocation("https://idp.test", revoked);
        setting.auth.revoke(&[entry]).await.unwrap();
        if subject == "bob" {
            watched.send(text("late")).unwrap();
            assert_eq!(soon(responses.message()).await.unwrap().unwrap().text, "late");
        }
    }
    let status = soon(responses.message()).await.unwrap_err();
    let told = (status.code(), status.message());
    assert_eq!(told, (Code::Unauthenticated, "the token was revoked"));
    assert_eq!(status.get_error_details().error_info().unwrap().reason, "TOKEN_REVOKED");
    soon(watched.closed()).await;
}

#[tokio::test]
async fn a_stream_that_is_never_idle_ends_too() {
    let setting = Setting::new(JwtAuthLayer::end_streams_at_expiry).await;
    let request = setting.request(text(""));
    let flood = setting.client.server_streaming("/orders.v1.Orders/Flood", request).await;
    let mut flood = flood.unwrap();
    let status = loop {
        match soon(flood.message()).await {
            Ok(message) => assert!(message.is_some()),
            Err(status) => break status,
        }
    };
    assert_expired(&status);
}

#[tokio::test]
async fn a_stream_goes_on_unless_told_otherwise() {
    let setting = Setting::new(|layer| layer).await;
    let request = setting.request(text(""));
    let mut responses = setting.client.server_streaming(WATCH, request).await.unwrap();
    for message in ["early", "late", "later"] {
        setting.backstage.watched.send(text(message)).unwrap();
        assert_eq!(soon(responses.message()).await.unwrap().unwrap().text, message);
        setting.clock.advance(Duration::from_secs(1_000_000));
    }
}

#[tokio::test]
async fn the_stream_of_a_public_method_does_not_end_with_a_token() {
    let setting = Setting::new(|layer| {
        layer.end_streams_at_expiry().methods(MethodPolicies::new().public(WATCH)).unwrap()
    })
    .await;
    let request = setting.request(text(""));
    let mut responses = setting.client.server_streaming(WATCH, request).await.unwrap();
    for message in ["early", "late", "later"] {
        setting.backstage.watched.send(text(message)).unwrap();
        assert_eq!(soon(responses.message()).await.unwrap().unwrap().text, message);
        setting.clock.advance(Duration::from_secs(1_000_000));
    }
}

#[tokio::test]
async fn both_directions_of_a_conversation_end() {
    let mut setting = Setting::new(JwtAuthLayer::end_streams_at_expiry).await;
    let (say, said) = mpsc::unbounded_channel();
    let request = setting.request(UnboundedReceiverStream::new(said));
    let mut echoes = setting.client.streaming(CHAT, request).await.unwrap();
    say.send(text("hello")).unwrap();
    assert_eq!(echoes.message().await.unwrap().unwrap().text, "hello");
    assert_eq!(setting.backstage.heard.recv().await.unwrap().unwrap(), Some(text("hello")));

    setting.clock.advance(Duration::from_secs(3660));
    assert_expired(&soon(setting.backstage.heard.recv()).await.unwrap().unwrap_err());
    assert_expired(&soon(echoes.message()).await.unwrap_err());
}

#[tokio::test]
async fn a_handler_that_reads_requests_gets_the_expiry_as_an_error() {
    let mut setting = Setting::new(|layer| {
        let methods = MethodPolicies::new().any_caller("/orders.v1.Orders/Upload");
        layer.end_streams_at_expiry().methods(methods).unwrap()
    })
    .await;
    let (say, said) = mpsc::unbounded_channel();
    let request = setting.request(UnboundedReceiverStream::new(said));
    say.send(text("one")).unwrap();
    let client = setting.client.clone();
    let call =
        tokio::spawn(
            async move { client.client_streaming("/orders.v1.Orders/Upload", request).await },
        );
    // The call has been judged, and goes on.
    assert_eq!(setting.backstage.heard.recv().await.unwrap().unwrap(), Some(text("one")));
    setting.clock.advance(Duration::from_secs(3660));
    assert_expired(&soon(call).await.unwrap().unwrap_err());
    drop(say);
}

#[tokio::test]
async fn a_single_response_is_not_cut_off() {
    let setting = Setting::new(JwtAuthLayer::end_streams_at_expiry).await;
    let request = setting.request(text(""));
    let answer = setting.client.unary("/orders.v1.Orders/Slow", request).await.unwrap();
    assert_eq!(answer, "done");
    assert!(
        setting.client.unary("/orders.v1.Orders/Slow", setting.request(text(""))).await.is_ok()
    );
}
