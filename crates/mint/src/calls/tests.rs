//! The rules of calls, without a framework.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64_simd::URL_SAFE_NO_PAD;
use portcullis_jose::NumericDate;
use portcullis_testkit::ManualClock;

use super::*;
use crate::{IssuedToken, MintError, RenewingToken};

const START: NumericDate = NumericDate::from_seconds(1_800_000_000);

/// A token whose source returns `token-1`, `token-2` and so on.
fn token() -> (RenewingToken, Arc<AtomicUsize>, ManualClock) {
    let (asked, clock) = (Arc::new(AtomicUsize::new(0)), ManualClock::at(START));
    let counter = Arc::clone(&asked);
    let source = move || {
        let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
        async move { Ok(IssuedToken::new(format!("token-{number}"))) }
    };
    let token = RenewingToken::from_source(source).clock(clock.clone()).build().unwrap();
    (token, asked, clock)
}

fn reissuing() -> (CallCredentials, RenewingToken) {
    let (token, ..) = token();
    let credentials = CallCredentials::new(token.clone()).origin("https", "a.test").unwrap();
    (credentials.reissue_header("Refreshed-API-Token").unwrap(), token)
}

fn jwt(claims: &str) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode_to_string(claims))
}

#[tokio::test]
async fn only_a_response_that_rejects_the_token_is_worth_a_second_try() {
    for (status, grpc_status, expected) in [
        (401, None, true),
        (200, Some("16"), true),
        (200, None, false),
        (200, Some("7"), false),
        (200, Some("0"), false),
        (400, None, false),
        (403, None, false),
        (407, None, false),
        (500, None, false),
    ] {
        let (token, asked, _) = token();
        let credentials = CallCredentials::new(token.clone());
        let sent = token.token().await.unwrap();
        let header = |name: &str| grpc_status.filter(|_| name == "grpc-status").map(str::as_bytes);
        assert_eq!(credentials.evaluate(&sent, status, header), expected, "{status}");
        assert_eq!(token.current().is_none(), expected, "{status}");
        if expected {
            assert_eq!(credentials.second_token(&sent).await.unwrap().token(), "token-2");
            assert_eq!(asked.load(Ordering::SeqCst), 2);
        }
    }
}

#[tokio::test]
async fn a_source_that_returns_the_rejected_token_again_ends_the_call() {
    let same = || async { Ok(IssuedToken::new("same")) };
    let token = RenewingToken::from_source(same).build().unwrap();
    let credentials = CallCredentials::new(token.clone());
    let sent = token.token().await.unwrap();
    assert!(credentials.evaluate(&sent, 401, |_| None));
    assert!(credentials.second_token(&sent).await.is_none());
}

#[tokio::test]
async fn without_another_token_the_first_response_is_the_result() {
    let clock = ManualClock::at(START);
    let asked = AtomicUsize::new(0);
    let source = move || {
        let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if is_first { Ok(IssuedToken::new("a")) } else { Err("away".into()) } }
    };
    let token = RenewingToken::from_source(source).clock(clock).build().unwrap();
    let credentials = CallCredentials::new(token.clone());
    let sent = token.token().await.unwrap();
    assert!(credentials.evaluate(&sent, 401, |_| None));
    assert!(credentials.second_token(&sent).await.is_none());
}

#[tokio::test]
async fn a_reissued_token_replaces_the_one_that_was_sent() {
    let exp = START.seconds() + 3_600;
    for (value, expiry) in [
        (jwt(&format!(r#"{{"exp":{exp}}}"#)), exp),
        // As long as tokens are valid whose source does not say it.
        (jwt("{}"), START.seconds() + 600),
        ("opaque".to_owned(), START.seconds() + 600),
    ] {
        let (credentials, token) = reissuing();
        let sent = token.token().await.unwrap();
        let header = |name: &str| (name == "refreshed-api-token").then_some(value.as_bytes());
        // Any status but that of a rejected token.
        assert!(!credentials.evaluate(&sent, 500, header));
        let current = token.current().unwrap();
        assert_eq!(current.token(), value);
        assert_eq!(current.expiry().unwrap().seconds(), expiry);
    }
}

#[tokio::test]
async fn what_is_no_valid_token_replaces_nothing() {
    let over = format!(r#"{{"exp":{}}}"#, START.seconds());
    for value in [
        "".to_owned(),
        "a b".to_owned(),
        "Bearer abc".to_owned(),
        "a,b".to_owned(),
        "é".to_owned(),
        "a".repeat(16 * 1024 + 1),
        "a.b.c".to_owned(),
        jwt("[]"),
        jwt(r#"{"exp":"soon"}"#),
        jwt(r#"{"exp":1,"exp":2}"#),
        jwt(&over),
    ] {
        let (credentials, token) = reissuing();
        let sent = token.token().await.unwrap();
        assert!(!credentials.evaluate(&sent, 200, |_| Some(value.as_bytes())));
        assert_eq!(token.current().unwrap().token(), "token-1", "{value}");
    }
}

#[tokio::test]
async fn a_reissued_token_is_ignored_unless_it_was_asked_for() {
    let (token, ..) = token();
    let credentials = CallCredentials::new(token.clone()).origin("https", "a.test").unwrap();
    let sent = token.token().await.unwrap();
    assert!(!credentials.evaluate(&sent, 200, |_| Some(b"abc")));
    assert_eq!(token.current().unwrap().token(), "token-1");
    let (credentials, token) = reissuing();
    let sent = token.token().await.unwrap();
    // A server that rejects a token replaces none.
    assert!(credentials.evaluate(&sent, 401, |_| Some(b"abc")));
    assert!(token.current().is_none());
    assert_eq!(token.token().await.unwrap().token(), "token-2");
    // A late response to the token before.
    assert!(!credentials.evaluate(&sent, 200, |_| Some(b"abc")));
    assert_eq!(token.current().unwrap().token(), "token-2");
}

#[tokio::test]
async fn a_reissue_header_needs_an_origin_and_a_name() {
    let (token, ..) = token();
    let anywhere = CallCredentials::new(token);
    let known = anywhere.clone().origin("https", "a.test").unwrap();
    for rejected in [
        anywhere.reissue_header("x-token"),
        known.clone().reissue_header(""),
        known.clone().reissue_header("x token"),
        known.clone().reissue_header("x-töken"),
    ] {
        assert!(matches!(rejected, Err(MintError::InvalidOrigin { .. })));
    }
    assert!(known.reissue_header("x-token").is_ok());
}

#[tokio::test]
async fn a_request_gets_a_token_by_its_uri_and_its_own_credentials() {
    let (token, asked, clock) = token();
    let credentials = CallCredentials::new(token).origin("https", "a.test:8443").unwrap();
    let of = |own, authority| credentials.for_request(own, Some("https"), Some(authority));
    assert!(matches!(of(true, "b.test"), Ok(CallToken::Own)));
    assert!(matches!(of(false, "b.test"), Err(DestinationError::OtherOrigin)));
    assert!(matches!(of(false, "a.test:8443"), Ok(CallToken::Wait)));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    credentials.token().await.unwrap();
    assert!(
        matches!(of(false, "a.test:8443"), Ok(CallToken::Ready(token)) if token.authorization() == "Bearer token-1")
    );
    clock.advance(Duration::from_secs(600));
    assert!(matches!(of(false, "a.test:8443"), Ok(CallToken::Wait)));
    let token = credentials.token_for_request(true, None, None).await.unwrap();
    assert!(token.is_none());
    let token = credentials.token_for_request(false, None, None).await.unwrap();
    assert_eq!(token.unwrap().token(), "token-2");
    let rejected = credentials.token_for_request(false, Some("http"), Some("a.test")).await;
    assert!(matches!(rejected, Err(AddBearerTokenError::Destination(_))));
}
