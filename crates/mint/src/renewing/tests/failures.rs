//! Sources that fail, and calls that are given up.

use super::*;
use crate::{
    TokenError,
    renewing::{CachedToken, Freshness},
};

#[tokio::test]
async fn a_failed_renewal_leaves_the_old_token_and_is_tried_again_after_pauses() {
    let (token, source, clock) = scripted([Answer::Token]);
    source.then((0..100).map(|_| Answer::Failure));
    token.token().await.unwrap();
    // A call every tenth of a second, to the end of the token.
    let mut requested_at = Vec::new();
    for tenth in 5_400..6_000 {
        clock.set(tenth * 100);
        let before = source.asked();
        assert_eq!(token.token().await.unwrap().token(), "token-1");
        settle().await;
        if source.asked() > before {
            requested_at.push(tenth / 10 - 540);
        }
    }
    assert_eq!(requested_at, [0, 1, 3, 7, 15, 25, 35, 45, 55]);
    // From then on calls fail, at once and without asking, until the pause is over.
    clock.set(600_000);
    let before = source.asked();
    let rejected = token.token().await.unwrap_err();
    assert!(matches!(rejected, TokenError::Source(_)));
    assert_eq!(source.asked(), before);
    source.answers.lock().unwrap().clear();
    clock.set(605_000);
    assert_eq!(token.token().await.unwrap().token(), format!("token-{}", before + 1));
}

#[tokio::test]
async fn a_success_ends_the_pauses() {
    let (token, source, clock) = scripted([Answer::Failure, Answer::Failure]);
    token.token().await.unwrap_err();
    clock.set(1_000);
    token.token().await.unwrap_err();
    clock.set(2_999);
    token.token().await.unwrap_err();
    assert_eq!(source.asked(), 2);
    clock.set(3_000);
    token.token().await.unwrap();
    source.then([Answer::Failure]);
    clock.set(700_000);
    token.token().await.unwrap_err();
    clock.set(701_000);
    token.token().await.unwrap();
}

#[tokio::test]
async fn a_clock_that_is_set_ends_a_pause() {
    for millis in [-1, 3_600_000] {
        let (token, _, clock) = scripted([Answer::Failure]);
        token.token().await.unwrap_err();
        token.token().await.unwrap_err();
        clock.set(millis);
        token.token().await.unwrap();
    }
}

#[tokio::test]
async fn all_who_wait_are_told_of_one_failure() {
    let (token, source, _) = scripted([Answer::Failure]);
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let token = token.clone();
            tokio::spawn(async move { token.token().await.unwrap_err().to_string() })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), "the source of tokens has failed");
    }
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn a_source_that_panics_fails_and_is_asked_again() {
    let (token, _, clock) = scripted([Answer::Panic]);
    assert!(matches!(token.token().await, Err(TokenError::Panicked)));
    clock.set(1_000);
    assert_eq!(token.token().await.unwrap().token(), "token-2");
}

#[tokio::test]
async fn a_source_that_hangs_is_given_up() {
    let (token, _, clock) = scripted([Answer::Gate]);
    let call = tokio::spawn({
        let token = token.clone();
        async move { token.token().await }
    });
    settle().await;
    clock.set(9_999);
    settle().await;
    assert!(!call.is_finished());
    clock.set(10_000);
    assert!(matches!(call.await.unwrap(), Err(TokenError::TimedOut)));
    clock.set(11_000);
    assert_eq!(token.token().await.unwrap().token(), "token-2");
}

#[tokio::test]
async fn a_call_that_is_given_up_takes_no_renewal_with_it() {
    let (token, source, _) = scripted([Answer::Gate]);
    let call = tokio::spawn({
        let token = token.clone();
        async move { token.token().await }
    });
    settle().await;
    call.abort();
    settle().await;
    source.gate.add_permits(1);
    assert_eq!(token.token().await.unwrap().token(), "token-1");
    assert_eq!(source.asked(), 1);
}

#[test]
fn a_renewal_that_goes_away_with_its_runtime_holds_up_nobody() {
    let (token, source, _) = scripted([Answer::Gate]);
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let first = runtime();
    first.spawn({
        let token = token.clone();
        async move { token.token().await }
    });
    while source.asked() == 0 {
        std::thread::yield_now();
    }
    // Waits in another runtime for what the first one does.
    let second = runtime();
    let waiting = second.spawn(async move { token.token().await.unwrap().token().to_owned() });
    first.shutdown_background();
    assert_eq!(second.block_on(waiting).unwrap(), "token-2");
}

#[test]
fn a_runtime_that_has_ended_holds_up_nobody() {
    let (token, _, _) = scripted([]);
    let ended = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let handle = ended.handle().clone();
    drop(ended);
    let _entered = handle.enter();
    let mut call = std::pin::pin!(token.token());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(first) = call.as_mut().poll(&mut context) else {
        panic!("the source answers at once")
    };
    assert_eq!(first.unwrap().token(), "token-1");
}

#[test]
fn a_call_without_a_runtime_that_is_given_up_leaves_the_renewal_to_the_next() {
    let (token, source, _) = scripted([Answer::Gate]);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    {
        let mut call = std::pin::pin!(token.token());
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    let mut call = std::pin::pin!(token.token());
    assert!(call.as_mut().poll(&mut context).is_ready());
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn what_is_no_token_or_is_over_is_a_failure() {
    for text in ["", "a b", "a\nb", "ä", "Bearer abc", "abc\r\nx: y"] {
        let (token, ..) = scripted([Answer::Text(text)]);
        assert!(matches!(token.token().await, Err(TokenError::Malformed)), "{text:?}");
        assert!(token.current().is_none());
    }
    let (token, source, _) = scripted([Answer::For(Duration::ZERO)]);
    for _ in 0..2 {
        assert!(matches!(token.token().await, Err(TokenError::Expired)));
        assert!(token.current().is_none());
    }
    assert_eq!(source.asked(), 1, "it counts as a failure, with a pause");
}

#[tokio::test]
async fn a_token_that_comes_after_its_end_is_not_given_out() {
    let (token, source, clock) = scripted([Answer::Gate]);
    let call = tokio::spawn({
        let token = token.clone();
        async move { token.token().await }
    });
    settle().await;
    // The source answers, and by then the token is over.
    source.gate.add_permits(1);
    clock.set(600_000);
    assert!(matches!(call.await.unwrap(), Err(TokenError::Expired)));
    assert!(token.current().is_none());
}

#[tokio::test]
async fn a_call_that_was_held_up_gets_no_token_that_is_over_by_now() {
    let (token, _, clock) = scripted([]);
    let mut call = std::pin::pin!(token.token());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(call.as_mut().poll(&mut context).is_pending());
    settle().await;
    assert!(token.current().is_some());
    clock.set(600_000);
    assert!(matches!(call.await, Err(TokenError::Expired)));
}

#[test]
fn nothing_shows_the_token() {
    let issued = IssuedToken::new("secret-text").expires_in(Duration::from_secs(60));
    let cached =
        CachedToken::new(issued.clone(), NumericDate::EPOCH, Duration::ZERO, Duration::ZERO, 0);
    assert_eq!(cached.freshness(NumericDate::EPOCH), Freshness::Fresh);
    let (token, _, clock) = scripted([Answer::Text("secret-text")]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(token.token()).unwrap();
    assert_eq!(text(&token).unwrap(), "secret-text");
    let builder = RenewingToken::from_source(Scripted::new([])).clock(clock);
    for shown in [
        format!("{issued:?}"),
        format!("{cached:?}"),
        format!("{token:#?}"),
        format!("{builder:?}"),
    ] {
        assert!(!shown.contains("secret"), "{shown}");
    }
}
