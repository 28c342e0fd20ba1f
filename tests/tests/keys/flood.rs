//! Junk in front of a healthy source.

use std::time::Duration;

use portcullis::Algorithm;

use super::support::{Answer, World, patient_verdict, settle, soon, verdict};

#[tokio::test]
async fn rule_07_no_junk_token_is_503_while_the_source_is_healthy() {
    let world = World::ready().await;
    for junk in 0..2_000 {
        let verdict = patient_verdict(world.auth.clone(), world.junk(&junk.to_string())).await;
        assert_eq!(verdict, "unknown_key", "{junk}");
    }
    // Three were paid for at once, and no time has passed.
    assert_eq!(world.source.hits(), 4);
    let (mut hits, mut seconds) = (0, 0);
    for junk in 2_000..4_000_u64 {
        let key_id = format!("{}", junk % 700);
        let verdict = patient_verdict(world.auth.clone(), world.junk(&key_id)).await;
        assert_eq!(verdict, "unknown_key", "{junk}");
        if junk % 10 == 0 {
            world.advance(1).await;
            (hits, seconds) = (world.source.hits(), seconds + 1);
        }
    }
    // One in 10 s for new key ids, one in 5 s for others, and the scheduled ones.
    assert!(hits <= 4 + 2 + seconds / 10 + seconds / 5 + 1, "{hits} in {seconds} s");
}

#[tokio::test]
async fn rule_04_no_junk_delays_a_rotation_beyond_the_second_use_of_the_new_key() {
    let world = World::ready().await;
    let mut junk = 0;
    for rotation in 0..70 {
        for _ in 0..10 {
            world.advance(5).await;
            junk += 1;
            let token = world.junk(&format!("junk {junk}"));
            assert_eq!(patient_verdict(world.auth.clone(), token).await, "unknown_key");
        }
        world.issuer.rotate(Algorithm::ES256);
        world.publish();
        let _ = patient_verdict(world.auth.clone(), world.token()).await;
        let second = patient_verdict(world.auth.clone(), world.token()).await;
        assert_eq!(second, "accepted", "rotation {rotation}");
    }
}

#[tokio::test]
async fn rule_04_a_key_is_accepted_at_its_second_use_in_a_flood_of_junk() {
    let world = World::ready().await;
    for junk in 0..100 {
        let _ = patient_verdict(world.auth.clone(), world.junk(&junk.to_string())).await;
    }
    world.issuer.rotate(Algorithm::ES256);
    world.publish();
    // The set was fetched a moment ago, and nothing is left to pay a fetch with.
    assert_eq!(patient_verdict(world.auth.clone(), world.token()).await, "unknown_key");
    for junk in 100..16_000 {
        let _ = verdict(&world.auth, &world.junk(&junk.to_string()));
    }
    assert_eq!(patient_verdict(world.auth.clone(), world.token()).await, "accepted");
}

#[tokio::test]
async fn rule_04_a_key_that_is_named_before_its_publication_is_fetched_5_seconds_later() {
    let world = World::ready().await;
    world.issuer.rotate(Algorithm::ES256);
    assert_eq!(patient_verdict(world.auth.clone(), world.token()).await, "unknown_key");
    world.publish();
    world.clock.advance(Duration::from_millis(4_999));
    settle().await;
    assert_eq!(patient_verdict(world.auth.clone(), world.token()).await, "unknown_key");
    assert_eq!(world.source.hits(), 2);
    world.clock.advance(Duration::from_millis(1));
    settle().await;
    assert_eq!(patient_verdict(world.auth.clone(), world.token()).await, "accepted");
    assert_eq!(world.source.hits(), 3);
}

#[tokio::test]
async fn rule_07_who_waits_for_a_fetch_that_junk_has_started_is_not_503_either() {
    let world = World::ready().await;
    for junk in 0..3 {
        let _ = patient_verdict(world.auth.clone(), world.junk(&junk.to_string())).await;
    }
    world.advance(10).await;
    world.source.hold();
    let waiting: Vec<_> = (10..30)
        .map(|junk| {
            tokio::spawn(patient_verdict(world.auth.clone(), world.junk(&junk.to_string())))
        })
        .collect();
    settle().await;
    let late: Vec<_> = (30..50)
        .map(|junk| {
            tokio::spawn(patient_verdict(world.auth.clone(), world.junk(&junk.to_string())))
        })
        .collect();
    settle().await;
    world.clock.advance(Duration::from_millis(900));
    world.source.release();
    for request in waiting.into_iter().chain(late) {
        assert_eq!(soon(request).await.unwrap(), "unknown_key");
    }
}

#[tokio::test]
async fn rule_07_while_no_keys_have_come_only_the_first_requests_wait_for_a_silent_server() {
    let world = World::new();
    world.source.answer(Answer::Never);
    world.auth.start();
    settle().await;
    let waiting = tokio::spawn(patient_verdict(world.auth.clone(), world.token()));
    settle().await;
    assert!(!waiting.is_finished());
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(soon(waiting).await.unwrap(), "keys_unavailable");
    // The wait has failed. The time does not change, and no request waits again.
    for _ in 0..10 {
        let request = patient_verdict(world.auth.clone(), world.token());
        assert_eq!(soon(request).await, "keys_unavailable");
    }
    // Until the next attempt, which has the same chance.
    world.publish();
    world.source.hold();
    world.advance(30).await;
    world.advance(2).await;
    assert_eq!(world.source.running(), 1);
    let waiting = tokio::spawn(patient_verdict(world.auth.clone(), world.token()));
    settle().await;
    assert!(!waiting.is_finished());
    world.source.release();
    assert_eq!(soon(waiting).await.unwrap(), "accepted");
}
