//! Clocks that are set, and entries that expire.

use std::sync::atomic::Ordering::SeqCst;

use super::*;

fn later(seconds: u64) -> NumericDate {
    NOW.saturating_add(self::seconds(seconds))
}

#[tokio::test]
async fn a_clock_set_forward_makes_the_feed_stale_until_the_next_read() {
    let store = ScriptedStore::new();
    let replica = Replica::loaded(&store).await;
    replica.clock.set(later(3_600));
    assert_eq!(replica.state(), FeedState::Stale);
    replica.pass(seconds(1)).await;
    assert_eq!(replica.state(), FeedState::Current);
}

#[tokio::test]
async fn a_clock_set_back_does_not_make_an_old_feed_fresh() {
    for step in [30, 3_600, 1_000_000_000] {
        let store = ScriptedStore::new();
        let replica = Replica::loaded(&store).await;
        store.fails.store(true, SeqCst);
        replica.pass(seconds(40)).await;
        assert_eq!(replica.state(), FeedState::Current);
        replica.clock.set(replica.clock.now().saturating_sub(seconds(step)));
        replica.pass(seconds(10)).await;
        let age = replica.follower.status(replica.clock.now()).age.unwrap();
        // A sleep ends up to one step of the clock later than it should.
        let least = Duration::from_millis(49_900);
        assert!(least <= age && age <= seconds(50), "{step}: {age:?}");
        assert_eq!(replica.state(), FeedState::Current);
        replica.pass(seconds(11)).await;
        assert_eq!(replica.state(), FeedState::Stale, "{step}");
        store.fails.store(false, SeqCst);
        replica.pass(seconds(2)).await;
        assert_eq!(replica.state(), FeedState::Current, "{step}");
    }
}

#[test]
fn without_the_follower_a_clock_set_back_keeps_the_feed_fresh_for_a_limited_time() {
    let freshness = Freshness::new(seconds(60));
    assert_eq!(freshness.state(NOW), FeedState::Loading);
    freshness.read(NOW);
    assert_eq!(freshness.state(NOW.saturating_sub(seconds(60))), FeedState::Current);
    assert_eq!(freshness.state(NOW.saturating_sub(seconds(61))), FeedState::Stale);
    assert_eq!(freshness.state(later(60)), FeedState::Current);
    assert_eq!(freshness.state(later(61)), FeedState::Stale);
}

#[test]
fn extreme_clocks_neither_panic_nor_look_as_if_nothing_was_read() {
    let freshness = Freshness::new(Duration::MAX);
    for seconds in [i64::MIN, 0, i64::MAX, i64::MIN] {
        let now = NumericDate::from_seconds(seconds);
        freshness.look_at(now, Duration::MAX);
        freshness.read(now);
        assert_ne!(freshness.state(now), FeedState::Loading);
    }
    assert_eq!(freshness.state(NOW), FeedState::Current);
}

#[tokio::test]
async fn expired_entries_are_deleted_from_memory_and_store_after_a_margin() {
    let store = ScriptedStore::new();
    let expiring: Vec<_> = (0..2_500).map(|id| token(id).until(later(60))).collect();
    store.add_elsewhere(&expiring).await;
    store.add_elsewhere(&[token(9_000)]).await;
    let replica = Replica::loaded(&store).await;
    for _ in 0..5 {
        replica.pass(seconds(60)).await;
    }
    assert_eq!(store.content().await.len(), 2_501);
    for _ in 0..3 {
        replica.pass(seconds(60)).await;
    }
    replica.until("they are dropped", || replica.set.len() == 1).await;
    // The store is called after memory.
    while store.content().await.len() > 1 {
        tokio::task::yield_now().await;
    }
    assert!(replica.has(9_000));
}

#[tokio::test]
async fn a_clock_set_forward_by_mistake_deletes_nothing_that_is_needed_after_it_is_set_right() {
    let store = ScriptedStore::new();
    store.add_elsewhere(&[token(1).until(later(3_600))]).await;
    let replica = Replica::loaded(&store).await;
    replica.clock.set(later(1_000_000));
    for _ in 0..10 {
        replica.pass(seconds(60)).await;
        replica.settle().await;
    }
    replica.clock.set(later(600));
    assert!(replica.has(1));
    assert_eq!(store.content().await.len(), 1);
}

#[tokio::test]
async fn clean_up_goes_on_after_an_outage() {
    let store = ScriptedStore::new();
    store.add_elsewhere(&[token(1).until(later(10))]).await;
    let replica = Replica::loaded(&store).await;
    store.fails.store(true, SeqCst);
    replica.pass(seconds(600)).await;
    assert_eq!(store.content().await.len(), 1);
    replica.until("memory drops it", || !replica.has(1)).await;
    store.fails.store(false, SeqCst);
    replica.pass(seconds(90)).await;
    while !store.content().await.is_empty() {
        tokio::task::yield_now().await;
    }
}

#[test]
fn the_time_of_the_clean_up_follows_a_clock_that_was_set_back_at_once() {
    let mut time = CleanUpTime::starting_at(NOW);
    let margin = seconds(300);
    assert_eq!(time.before(later(60)), later(60).saturating_sub(margin));
    assert_eq!(time.before(later(10_000)), later(180).saturating_sub(margin));
    assert_eq!(time.before(later(5)), later(5).saturating_sub(margin));
    assert_eq!(time.before(later(65)), later(65).saturating_sub(margin));
}
