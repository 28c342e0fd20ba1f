//! Tokens that a server rejects, or replaces.

use super::*;

#[tokio::test]
async fn a_token_that_is_rejected_is_used_no_more() {
    let (token, source, _) = scripted([]);
    let first = token.token().await.unwrap();
    assert!(token.discard(&first));
    assert!(token.current().is_none());
    assert_eq!(token.token().await.unwrap().token(), "token-2");
    // Another response to the first one comes late.
    assert!(token.discard(&first));
    assert_eq!((text(&token).as_deref(), source.asked()), (Some("token-2"), 2));
}

#[tokio::test]
async fn a_thousand_rejections_of_one_token_cause_one_renewal() {
    let (token, source, _) = scripted([Answer::Token, Answer::Gate]);
    let first = token.token().await.unwrap();
    let calls: Vec<_> = (0..1_000)
        .map(|_| {
            let (token, first) = (token.clone(), first.clone());
            tokio::spawn(async move {
                assert!(token.discard(&first));
                token.token().await.unwrap().token().to_owned()
            })
        })
        .collect();
    settle().await;
    source.gate.add_permits(1);
    for call in calls {
        assert_eq!(call.await.unwrap(), "token-2");
    }
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn a_server_that_rejects_every_token_causes_two_renewals_a_minute() {
    let (token, source, clock) = scripted([]);
    for tenth in 0..600 {
        clock.set(tenth * 100);
        let sent = token.token().await.unwrap();
        let is_worth_a_try = token.discard(&sent);
        assert_eq!(is_worth_a_try, tenth % 300 == 0, "{tenth}");
    }
    assert_eq!(source.asked(), 3);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_prolong_the_pause() {
    let (token, _, clock) = scripted([]);
    assert!(token.discard(&token.token().await.unwrap()));
    clock.set(-1);
    assert!(token.discard(&token.token().await.unwrap()));
}

#[tokio::test]
async fn a_reissued_token_replaces_the_one_that_was_sent() {
    let (token, source, clock) = scripted([]);
    let first = token.token().await.unwrap();
    clock.set(100_000);
    let hour = Duration::from_secs(3_600);
    assert!(token.replace(&first, IssuedToken::new("reissued").expires_in(hour)));
    let reissued = token.token().await.unwrap();
    assert_eq!(reissued.token(), "reissued");
    assert_eq!(reissued.expiry(), Some(NumericDate::from_seconds(START + 3_700)));
    // The first one is no longer in the cache.
    assert!(!token.replace(&first, IssuedToken::new("late")));
    clock.set(3_639_999);
    assert_eq!(text(&token).as_deref(), Some("reissued"));
    settle().await;
    assert_eq!(source.asked(), 1);
    clock.set(3_640_000);
    token.current().unwrap();
    settle().await;
    assert_eq!(text(&token).as_deref(), Some("token-2"));
}

#[tokio::test]
async fn what_is_no_token_or_is_over_replaces_nothing() {
    let (token, ..) = scripted([]);
    let first = token.token().await.unwrap();
    let over = NumericDate::from_seconds(START);
    for reissued in [
        IssuedToken::new(""),
        IssuedToken::new("a b"),
        IssuedToken::new("a\r\nb"),
        IssuedToken::new("reissued").expires_at(over),
        IssuedToken::new("reissued").expires_in(Duration::ZERO),
    ] {
        assert!(!token.replace(&first, reissued));
    }
    assert!(token.discard(&first));
    assert!(!token.replace(&first, IssuedToken::new("reissued")), "it was discarded");
    assert!(token.current().is_none());
}

/// Returns a token that is in the cache and due, with a renewal of it that waits at the gate.
async fn renewal_in_progress() -> (RenewingToken, Scripted, IssuedToken) {
    let (token, source, clock) = scripted([Answer::Token, Answer::Gate]);
    let first = token.token().await.unwrap();
    clock.set(540_000);
    token.current().unwrap();
    settle().await;
    assert_eq!(source.asked(), 2);
    (token, source, first)
}

#[tokio::test]
async fn a_renewal_that_began_before_a_token_was_discarded_writes_nothing() {
    let (token, source, first) = renewal_in_progress().await;
    assert!(token.discard(&first));
    source.gate.add_permits(1);
    settle().await;
    assert!(token.current().is_none());
    assert_eq!(token.token().await.unwrap().token(), "token-3");
}

#[tokio::test]
async fn a_call_after_a_token_was_discarded_does_not_wait_for_an_older_renewal() {
    let (token, source, first) = renewal_in_progress().await;
    assert!(token.discard(&first));
    source.then([Answer::Gate]);
    let call = tokio::spawn({
        let token = token.clone();
        async move { token.token().await.unwrap().token().to_owned() }
    });
    settle().await;
    assert_eq!(source.asked(), 3);
    // The older one ends first. The next calls still join the newer one.
    source.gate.add_permits(1);
    settle().await;
    let other = tokio::spawn(async move { token.token().await.unwrap().token().to_owned() });
    settle().await;
    source.gate.add_permits(1);
    assert_eq!((call.await.unwrap(), other.await.unwrap()), ("token-3".into(), "token-3".into()));
    assert_eq!(source.asked(), 3);
}

#[tokio::test]
async fn a_renewal_that_began_before_a_token_was_replaced_does_not_undo_it() {
    let (token, source, first) = renewal_in_progress().await;
    assert!(token.replace(&first, IssuedToken::new("reissued")));
    source.gate.add_permits(1);
    settle().await;
    assert_eq!(text(&token).as_deref(), Some("reissued"));
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn an_older_renewal_that_fails_delays_no_call_after_a_token_was_discarded() {
    let (token, source, clock) = scripted([Answer::Token, Answer::Gate]);
    let first = token.token().await.unwrap();
    clock.set(540_000);
    token.current().unwrap();
    settle().await;
    assert!(token.discard(&first));
    // Its source does not answer in time.
    clock.set(550_000);
    settle().await;
    assert_eq!(token.token().await.unwrap().token(), "token-3");
    assert_eq!(source.asked(), 3);
}

#[tokio::test]
async fn a_call_that_waits_for_a_renewal_does_not_use_its_token_after_a_token_was_discarded() {
    let (token, source, clock) = scripted([Answer::Token, Answer::Gate]);
    let first = token.token().await.unwrap();
    clock.set(600_000);
    let call = tokio::spawn({
        let token = token.clone();
        async move { token.token().await.unwrap().token().to_owned() }
    });
    settle().await;
    assert!(token.discard(&first));
    source.gate.add_permits(1);
    assert_eq!(call.await.unwrap(), "token-3");
    assert_eq!(text(&token).as_deref(), Some("token-3"));
}
