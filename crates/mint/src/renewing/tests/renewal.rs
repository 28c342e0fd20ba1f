//! When a token is renewed, and by whom.

use super::*;
use crate::renewing::NextStep;

#[tokio::test]
async fn a_thousand_calls_that_need_the_first_token_ask_once() {
    let (token, source, _) = scripted([Answer::Gate]);
    let calls: Vec<_> = (0..1_000)
        .map(|_| {
            let token = token.clone();
            tokio::spawn(async move { token.token().await.unwrap().token().to_owned() })
        })
        .collect();
    settle().await;
    source.gate.add_permits(1);
    for call in calls {
        assert_eq!(call.await.unwrap(), "token-1");
    }
    assert_eq!(source.asked(), 1);
}

#[test]
fn calls_on_many_threads_ask_once_for_each_token() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    for _ in 0..50 {
        let (token, source, clock) = scripted([]);
        for (life, millis) in [(1, 0), (2, 540_000), (3, 1_200_000)] {
            clock.set(millis);
            runtime.block_on(async {
                let calls: Vec<_> = (0..100)
                    .map(|_| {
                        let token = token.clone();
                        tokio::spawn(async move { token.token().await.unwrap() })
                    })
                    .collect();
                for call in calls {
                    call.await.unwrap();
                }
                while text(&token).unwrap() != format!("token-{life}") {
                    tokio::task::yield_now().await;
                }
            });
            assert_eq!(source.asked(), life);
        }
    }
}

#[tokio::test]
async fn a_token_is_renewed_at_its_life_less_the_margin_and_not_before() {
    let (token, source, clock) = scripted([]);
    assert_eq!(token.token().await.unwrap().token(), "token-1");
    clock.set(539_999);
    assert_eq!(text(&token).unwrap(), "token-1");
    settle().await;
    assert_eq!(source.asked(), 1);

    clock.set(540_000);
    assert_eq!(text(&token).unwrap(), "token-1", "the old one serves meanwhile");
    settle().await;
    assert_eq!((source.asked(), text(&token).unwrap().as_str()), (2, "token-2"));

    clock.set(540_000 + 539_999);
    assert_eq!(text(&token).unwrap(), "token-2");
    settle().await;
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn one_renewal_is_in_progress_and_everyone_goes_on_with_the_old_token() {
    let (token, source, clock) = scripted([Answer::Token, Answer::Gate]);
    token.token().await.unwrap();
    clock.set(540_000);
    for _ in 0..100 {
        assert_eq!(token.token().await.unwrap().token(), "token-1");
        settle().await;
    }
    assert_eq!(source.asked(), 2);
    source.gate.add_permits(1);
    settle().await;
    assert_eq!(text(&token).unwrap(), "token-2");
}

#[tokio::test]
async fn who_has_found_a_token_due_looks_again_before_another_renewal() {
    let (token, source, _) = scripted([]);
    token.token().await.unwrap();
    // What comes after the look at the old token: meanwhile the new one has come.
    let step = token.shared.next_step(&mut token.shared.lock());
    assert!(matches!(step, NextStep::Use(_)));
    assert_eq!(source.asked(), 1);
}

#[tokio::test]
async fn a_token_that_ends_during_its_renewal_is_waited_for() {
    let (source, clock) = (Scripted::new([Answer::Token, Answer::Gate]), Moved::new());
    let builder = RenewingToken::from_source(source.clone()).timeout(Duration::from_secs(100));
    let token = built(builder, &clock);
    token.token().await.unwrap();
    clock.set(540_000);
    token.current().unwrap();
    settle().await;
    clock.set(600_000);
    let call = tokio::spawn({
        let token = token.clone();
        async move { token.token().await.unwrap().token().to_owned() }
    });
    settle().await;
    assert!(!call.is_finished());
    source.gate.add_permits(1);
    assert_eq!(call.await.unwrap(), "token-2");
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn no_token_is_given_out_from_its_end_on() {
    let (token, source, clock) = scripted([Answer::Token, Answer::Gate]);
    token.token().await.unwrap();
    clock.set(600_000);
    assert!(token.current().is_none());
    let call = tokio::spawn({
        let token = token.clone();
        async move { token.token().await.unwrap().token().to_owned() }
    });
    settle().await;
    assert!(!call.is_finished());
    source.gate.add_permits(1);
    assert_eq!(call.await.unwrap(), "token-2");
}

#[tokio::test]
async fn a_clock_that_is_set_back_leaves_no_token_of_the_future() {
    let (token, source, clock) = scripted([]);
    token.token().await.unwrap();
    // By no more than the margin: servers take it, and a new one comes.
    clock.set(-60_000);
    assert_eq!(text(&token).unwrap(), "token-1");
    settle().await;
    assert_eq!(text(&token).unwrap(), "token-2");
    // By more: it is not used any more.
    clock.set(-120_001);
    assert!(token.current().is_none());
    let renewed = token.token().await.unwrap();
    assert_eq!(renewed.token(), "token-3");
    assert!(renewed.expiry().unwrap() <= clock.now().saturating_add(Duration::from_secs(600)));
    assert_eq!(source.asked(), 3);
}

#[tokio::test]
async fn a_clock_that_was_far_ahead_for_a_while_leaves_no_token_of_that_time() {
    let (token, _, clock) = scripted([]);
    clock.set(1_000_000_000);
    token.token().await.unwrap();
    clock.set(0);
    assert_eq!(token.token().await.unwrap().token(), "token-2");
    clock.set(599_999);
    assert!(token.current().is_some());
    clock.set(600_000);
    assert!(token.current().is_none());
}

#[tokio::test]
async fn tokens_that_live_shorter_than_the_margin_are_renewed_at_half_their_life() {
    let lifetime = Duration::from_secs(30);
    let (token, source, clock) = scripted([Answer::For(lifetime), Answer::For(lifetime)]);
    let first = token.token().await.unwrap();
    assert_eq!(first.expiry(), Some(NumericDate::from_seconds(START + 30)));
    clock.set(14_999);
    token.current().unwrap();
    settle().await;
    assert_eq!(source.asked(), 1);
    clock.set(15_000);
    token.current().unwrap();
    settle().await;
    assert_eq!(source.asked(), 2);
}

#[test]
fn without_a_runtime_the_call_that_needs_a_token_gets_it() {
    let (token, source, clock) = scripted([]);
    let mut call = std::pin::pin!(token.token());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(first) = call.as_mut().poll(&mut context) else {
        panic!("the source answers at once")
    };
    assert_eq!(first.unwrap().token(), "token-1");
    clock.set(550_000);
    assert_eq!(text(&token).unwrap(), "token-1");
    assert_eq!(source.asked(), 1);
}
