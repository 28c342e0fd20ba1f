//! When keys are fetched again.

use std::time::Duration;

use portcullis::keys::RefreshPolicy;

use super::support::{Answer, World, patient_verdict, settle};

#[tokio::test]
async fn rule_01_readers_do_not_wait_while_a_fetch_is_under_way() {
    let world = World::ready().await;
    world.source.hold();
    world.advance(600).await;
    assert_eq!((world.source.running(), world.verdict()), (1, "accepted"));
    world.source.answer(Answer::Never);
    world.source.release();
    settle().await;
    assert_eq!(world.verdict(), "accepted");
}

#[tokio::test]
async fn rule_02_keys_are_refreshed_in_the_background_at_80_percent_of_their_life() {
    let world = World::ready().await;
    // 480 s, and 5 % either way.
    world.advance(455).await;
    assert_eq!(world.source.hits(), 1);
    world.advance(50).await;
    assert_eq!(world.source.hits(), 2);
}

#[tokio::test]
async fn rule_03_one_fetch_is_in_flight_and_all_who_wait_share_it() {
    let world = World::ready().await;
    world.issuer.rotate(portcullis::Algorithm::ES256);
    world.publish();
    world.source.hold();
    let (auth, token) = (&world.auth, world.token());
    let waiting: Vec<_> =
        (0..100).map(|_| tokio::spawn(patient_verdict(auth.clone(), token.clone()))).collect();
    settle().await;
    assert_eq!((world.source.hits(), world.source.running()), (2, 1));
    world.source.release();
    for verdict in waiting {
        assert_eq!(verdict.await.unwrap(), "accepted");
    }
    settle().await;
    assert_eq!(world.source.hits(), 2);
}

#[tokio::test]
async fn rule_03_requests_before_the_first_keys_share_the_first_fetch() {
    let world = World::new();
    let (auth, token) = (&world.auth, world.token());
    let waiting: Vec<_> =
        (0..100).map(|_| tokio::spawn(patient_verdict(auth.clone(), token.clone()))).collect();
    for verdict in waiting {
        assert_eq!(verdict.await.unwrap(), "accepted");
    }
    settle().await;
    assert_eq!(world.source.hits(), 1);
}

#[tokio::test]
async fn rule_06_fetches_for_unknown_keys_do_not_use_up_the_scheduled_one() {
    let world = World::ready().await;
    for junk in 0..20 {
        let _ = patient_verdict(world.auth.clone(), world.junk(&junk.to_string())).await;
    }
    assert_eq!(world.source.hits(), 4);
    world.advance(505).await;
    assert_eq!(world.source.hits(), 5);
}

#[tokio::test]
async fn rule_06_fetches_for_unknown_keys_that_fail_do_not_put_the_scheduled_one_off() {
    let world = World::ready().await;
    world.source.answer(Answer::Error);
    // Until the backoff is at a minute.
    world.advance(505).await;
    for seconds in [2, 3, 5, 9, 17, 34] {
        world.advance(seconds).await;
    }
    let (due, hits) = (world.auth.key_status()[0].next_due, world.source.hits());
    for junk in 0..5 {
        world.advance(10).await;
        let _ = patient_verdict(world.auth.clone(), world.junk(&junk.to_string())).await;
        assert_eq!(world.auth.key_status()[0].next_due, due);
    }
    assert_eq!(world.source.hits(), hits + 5);
    world.issuer.rotate(portcullis::Algorithm::ES256);
    world.publish();
    world.advance(13).await;
    assert_eq!((world.verdict(), world.source.hits()), ("accepted", hits + 6));
}

#[tokio::test]
async fn rule_06_a_new_key_does_not_wait_long_after_a_fetch_for_it_that_failed() {
    let world = World::ready().await;
    world.issuer.rotate(portcullis::Algorithm::ES256);
    world.source.answer(Answer::Error);
    for _ in 0..3 {
        let verdict = patient_verdict(world.auth.clone(), world.token()).await;
        assert_eq!(verdict, "keys_unavailable");
    }
    world.publish();
    world.advance(2).await;
    assert_eq!(world.verdict(), "accepted");
}

#[tokio::test]
async fn rule_06_scheduled_fetches_do_not_use_up_those_for_unknown_keys() {
    let world = World::ready().await;
    for _ in 0..5 {
        world.advance(505).await;
    }
    assert_eq!(world.source.hits(), 6);
    for junk in 0..20 {
        let _ = patient_verdict(world.auth.clone(), world.junk(&junk.to_string())).await;
    }
    assert_eq!(world.source.hits(), 9);
}

#[tokio::test]
async fn rule_09_failures_back_off_from_one_second_to_a_minute() {
    let world = World::new();
    world.source.answer(Answer::Error);
    world.auth.ready().await.unwrap_err();
    let mut hits = 1;
    for backoff in [1_u64, 2, 4, 8, 16, 32, 60, 60, 60] {
        let wait = |permille: u64| Duration::from_millis(backoff * permille);
        world.clock.advance(wait(949));
        settle().await;
        assert_eq!(world.source.hits(), hits, "before {backoff} s");
        world.clock.advance(wait(102));
        settle().await;
        hits += 1;
        assert_eq!(world.source.hits(), hits, "after {backoff} s");
    }
    world.publish();
    world.advance(64).await;
    assert_eq!((world.verdict(), world.auth.key_status()[0].failures), ("accepted", 0));
}

#[tokio::test]
async fn rule_13_no_lifetime_makes_a_tight_loop_or_hides_a_withdrawn_key_for_days() {
    for (named, min, max) in [(0, 22, 26), (3600, 2735, 3024), (u64::MAX / 2, 65_663, 72_576)] {
        let world = World::new();
        let json = super::support::set(&[super::support::key(&world.issuer)]);
        world.source.answer(Answer::Json(json, Some(Duration::from_secs(named))));
        world.auth.ready().await.unwrap();
        world.advance(min).await;
        assert_eq!(world.source.hits(), 1, "{named}");
        world.advance(max - min).await;
        assert_eq!(world.source.hits(), 2, "{named}");
    }
}

#[tokio::test]
async fn rule_13_an_unchanged_document_keeps_the_lifetime_that_it_had() {
    let world = World::new();
    let json = super::support::set(&[super::support::key(&world.issuer)]);
    world.source.answer(Answer::Json(json, Some(Duration::from_secs(3600))));
    world.auth.ready().await.unwrap();
    world.source.answer(Answer::NotModified(None));
    world.advance(3025).await;
    assert_eq!(world.source.hits(), 2);
    world.advance(2735).await;
    assert_eq!(world.source.hits(), 2);
    world.advance(290).await;
    assert_eq!(world.source.hits(), 3);
}

#[tokio::test]
async fn no_setting_makes_a_tight_loop() {
    let none = Duration::ZERO;
    let world = World::with(RefreshPolicy::default().refresh(none).min_refresh(none));
    world.auth.ready().await.unwrap();
    settle().await;
    assert_eq!(world.source.hits(), 1);
}
