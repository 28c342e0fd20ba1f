//! A stream that ends when its token is revoked or expires.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    App, HttpResponse,
    body::{BodySize, MessageBody},
    test, web,
};
use portcullis_actix_web::{
    AuthError, Authenticator, Caller, JwtAuth, NumericDate,
    future::BoxFuture,
    revocation::{Revocations, Revoked},
};
use portcullis_testkit::{ManualClock, TestIssuer};

const ISSUER: &str = "https://idp.test";

/// Says hello, waits until the token is invalid, and says why.
struct Events {
    has_begun: bool,
    invalid: Option<BoxFuture<'static, AuthError>>,
}

impl MessageBody for Events {
    type Error = actix_web::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<web::Bytes, Self::Error>>> {
        if !std::mem::replace(&mut self.has_begun, true) {
            return Poll::Ready(Some(Ok("hello".into())));
        }
        let Some(invalid) = &mut self.invalid else { return Poll::Ready(None) };
        let Poll::Ready(error) = invalid.as_mut().poll(cx) else { return Poll::Pending };
        self.invalid = None;
        Poll::Ready(Some(Ok(error.kind().code().into())))
    }
}

async fn events(caller: Caller) -> HttpResponse {
    HttpResponse::Ok().body(Events { has_begun: false, invalid: Some(caller.until_invalid()) })
}

#[actix_web::test]
async fn a_stream_ends_when_its_token_becomes_invalid() {
    for code in ["token_revoked", "token_expired"] {
        let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
        let issuer = TestIssuer::new(ISSUER).clock(clock.clone());
        let auth = Authenticator::builder()
            .issuer(issuer.trusted())
            .audience("live")
            .clock(clock.clone())
            .revocations(Revocations::memory())
            .build()
            .unwrap();
        auth.ready().await.unwrap();
        let app = App::new().route("/events", web::get().to(events));
        let app = test::init_service(app.wrap(JwtAuth::new(auth.clone()))).await;
        let token = issuer.token().audience("live").claim("jti", "1").build();
        let request = test::TestRequest::get().uri("/events");
        let request = request.insert_header(("authorization", format!("Bearer {token}")));
        let response = test::call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), 200);
        let mut body = Box::pin(response.into_body());
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let mut next = || match body.as_mut().poll_next(&mut cx) {
            Poll::Ready(Some(bytes)) => String::from_utf8(bytes.ok().unwrap().to_vec()).unwrap(),
            Poll::Ready(None) => "the end".to_owned(),
            Poll::Pending => "pending".to_owned(),
        };
        assert_eq!((next(), next()), ("hello".to_owned(), "pending".to_owned()));
        if code == "token_revoked" {
            auth.revoke(&[auth.revocation(ISSUER, Revoked::Token("1".into()))]).await.unwrap();
        } else {
            clock.advance(Duration::from_secs(3_660));
        }
        assert_eq!((next(), next()), (code.to_owned(), "the end".to_owned()));
    }
}
