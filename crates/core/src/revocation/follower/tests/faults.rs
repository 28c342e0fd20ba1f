//! Stores that fail.

use std::sync::atomic::Ordering::SeqCst;

use super::*;

#[tokio::test]
async fn after_an_outage_the_gap_is_read() {
    let store = ScriptedStore::new();
    let replica = Replica::loaded(&store).await;
    store.fails.store(true, SeqCst);
    replica.pass(seconds(5)).await;
    assert!(replica.follower.status(replica.clock.now()).error.is_some());
    store.add_elsewhere(&[token(1)]).await;
    assert!(!replica.has(1));
    let prepared = store.prepare_calls.load(SeqCst);
    store.fails.store(false, SeqCst);
    replica.pass(seconds(2)).await;
    assert!(replica.has(1));
    assert!(replica.follower.status(replica.clock.now()).error.is_none());
    assert!(store.prepare_calls.load(SeqCst) > prepared, "prepared again");
    assert_eq!(store.reads_from_start.load(SeqCst), 1);
}

#[tokio::test]
async fn is_stale_when_the_last_read_is_too_long_ago() {
    let store = ScriptedStore::new();
    let replica = Replica::loaded(&store).await;
    store.fails.store(true, SeqCst);
    replica.clock.advance(seconds(60));
    replica.settle().await;
    assert_eq!(replica.state(), FeedState::Current);
    replica.clock.advance(Duration::from_millis(1));
    assert_eq!(replica.state(), FeedState::Stale);
    let status = replica.follower.status(replica.clock.now());
    assert!(status.is_loaded && !status.is_current && status.age > Some(seconds(60)));
    store.fails.store(false, SeqCst);
    replica.pass(seconds(2)).await;
    assert_eq!(replica.state(), FeedState::Current);
}

#[tokio::test]
async fn a_store_that_never_answers_is_never_loaded() {
    let store = ScriptedStore::new();
    store.fails.store(true, SeqCst);
    let replica = Replica::start(&store);
    replica.pass(seconds(5)).await;
    assert_eq!(replica.state(), FeedState::Loading);
}

#[tokio::test]
async fn attempts_become_rare_while_the_store_fails_and_notifications_cause_none() {
    let store = ScriptedStore::new();
    let replica = Replica::loaded(&store).await;
    store.fails.store(true, SeqCst);
    store.always_changed.store(true, SeqCst);
    replica.pass(seconds(1)).await;
    let mut attempts = replica.follower.attempts();
    let before = *attempts.borrow_and_update();
    replica.pass(seconds(20)).await;
    let count = *attempts.borrow_and_update() - before;
    assert!((8..=28).contains(&count), "{count} attempts in 20 s");
}

#[tokio::test]
async fn a_read_without_an_answer_ends_after_five_seconds() {
    let store = ScriptedStore::new();
    let replica = Replica::loaded(&store).await;
    store.then([Read::Hang]);
    store.add_elsewhere(&[token(1)]).await;
    replica.pass(Duration::from_millis(4_900)).await;
    assert!(!replica.has(1));
    replica.pass(Duration::from_millis(300)).await;
    assert!(replica.has(1));
}

#[tokio::test]
async fn a_store_that_panics_is_read_again() {
    let store = ScriptedStore::new();
    store.then([Read::Panic]);
    let replica = Replica::start(&store);
    replica.settle().await;
    let error = replica.follower.status(NOW).error.unwrap();
    assert_eq!(error.to_string(), "the store panicked");
    replica.pass(Duration::from_millis(100)).await;
    assert_eq!(replica.state(), FeedState::Current);
}

#[tokio::test]
async fn a_snapshot_that_fails_goes_on_at_the_page_that_failed() {
    let store = ScriptedStore::new();
    store.add_elsewhere(&(0..25_000).map(token).collect::<Vec<_>>()).await;
    store.then([Read::Succeed, Read::Panic]);
    let replica = Replica::start(&store);
    let failed = || replica.follower.status(NOW).error.is_some();
    replica.until("the second page fails", failed).await;
    assert!(replica.has(9_999) && !replica.has(10_000));
    replica.pass(Duration::from_millis(200)).await;
    replica.until("all are read", || replica.state() == FeedState::Current).await;
    assert!(replica.has(24_999));
    assert_eq!(store.reads_from_start.load(SeqCst), 1);
}

#[tokio::test]
async fn a_store_that_does_not_advance_is_an_error_and_no_endless_loop() {
    let store = ScriptedStore::new();
    store.then([Read::Stay, Read::Stay]);
    let replica = Replica::start(&store);
    replica.settle().await;
    assert_eq!(replica.state(), FeedState::Loading);
    let error = replica.follower.status(NOW).error.unwrap();
    assert_eq!(error.to_string(), "the store returns the same position again");
}

#[tokio::test]
async fn what_a_store_has_lost_stays_in_memory_and_recent_entries_are_written_back() {
    let store = ScriptedStore::new();
    let of_subject = |cut_off| {
        let cut_off = NumericDate::from_seconds(cut_off);
        Revocation::new(ISSUER, Revoked::Subject("ann".into(), cut_off))
    };
    store.add_elsewhere(&[token(1)]).await;
    let replica = Replica::loaded(&store).await;
    store.add_elsewhere(&[token(2)]).await;
    replica.until("it is read", || replica.has(2)).await;
    // More than ten minutes later, 2 is no longer kept whole.
    replica.clock.advance(seconds(601));
    store.add_elsewhere(&[token(3), of_subject(100), of_subject(200)]).await;
    replica.until("it is read", || replica.has(3)).await;
    store.add_elsewhere(&[token(4)]).await;
    replica.follower.added(&[token(4)], replica.clock.now()).await.unwrap();

    store.lose_everything();
    store.add_elsewhere(&[token(5), of_subject(150)]).await;
    replica.pass(seconds(1)).await;
    assert!((1..=5).all(|id| replica.has(id)));
    let mut content = store.content().await;
    content.sort_by(|a, b| a.revoked.id().cmp(b.revoked.id()));
    assert_eq!(content, [of_subject(200), token(3), token(4), token(5)]);
    assert_eq!(replica.state(), FeedState::Current);
}

#[tokio::test]
async fn a_position_that_is_lost_again_and_again_is_an_error() {
    let store = ScriptedStore::new();
    let replica = Replica::loaded(&store).await;
    store.then([Read::LosePosition, Read::LosePosition]);
    store.add_elsewhere(&[token(1)]).await;
    replica.settle().await;
    assert_eq!(store.calls(), 3);
    assert!(replica.follower.status(NOW).error.is_some());
    replica.pass(Duration::from_millis(100)).await;
    assert!(replica.has(1) && replica.follower.status(NOW).error.is_none());
}

#[tokio::test]
async fn a_failed_write_back_is_tried_again_and_the_feed_stays_current() {
    let store = ScriptedStore::new();
    let replica = Replica::loaded(&store).await;
    store.add_elsewhere(&[token(1)]).await;
    replica.until("it is read", || replica.has(1)).await;
    store.add_fails.store(true, SeqCst);
    for _ in 0..3 {
        store.lose_everything();
        replica.pass(seconds(80)).await;
        assert_eq!(replica.state(), FeedState::Current);
        assert!(store.content().await.is_empty());
    }
    // Longer ago than entries are kept whole, but it was to be written back before.
    replica.pass(seconds(601)).await;
    store.lose_everything();
    store.add_fails.store(false, SeqCst);
    replica.pass(seconds(3)).await;
    assert_eq!(store.content().await, [token(1)]);
}

#[tokio::test]
async fn at_most_10_000_entries_are_kept_whole_and_repeats_do_not_count() {
    let (mut recent, mut missing) = (Recent::default(), Missing::default());
    recent.add(&[token(0)], NOW);
    for _ in 0..3 {
        recent.add(&(1..=10_000).map(token).collect::<Vec<_>>(), NOW);
        missing = recent.missing(vec![token(7), token(20_000)], NOW);
    }
    let kept: Vec<_> = missing.into_iter().collect();
    assert_eq!(kept.len(), 10_000);
    assert!(!kept.contains(&token(0)) && kept.contains(&token(10_000)));
}

#[test]
fn an_outage_is_logged_once() {
    let down = Err(failed("down"));
    let run = |level| {
        crate::test_log::told("portcullis::revocation", level, || {
            let mut outage = Outage::new("read the revocations");
            for outcome in [&Ok(()), &down, &down, &down, &Ok(()), &Ok(()), &down] {
                outage.pause_after(outcome, "scripted");
            }
        })
    };
    let warnings = run(tracing::Level::WARN);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("cannot read the revocations: down"), "{warnings:?}");
    assert_eq!(run(tracing::Level::INFO).len(), 1);
}
