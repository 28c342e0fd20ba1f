//! Clocks that are set while the service runs.

use std::time::Duration;

use portcullis::Algorithm;

use super::support::{Answer, World, now, patient_verdict, settle, verdict};

#[tokio::test]
async fn rule_10_a_clock_that_was_ahead_once_makes_keys_no_younger() {
    const YEAR: u64 = 365 * 24 * 3600;
    let world = World::new();
    let start = now(&world.clock);
    world.clock.advance(Duration::from_secs(YEAR));
    world.auth.ready().await.unwrap();
    world.source.answer(Answer::Error);
    world.clock.set(start);
    settle().await;
    assert_eq!(world.auth.key_status()[0].last_success, Some(start));
    assert_eq!(world.verdict(), "accepted");
    world.advance(60).await;
    assert!(world.source.hits() > 1, "the next fetch waits for the old time");
    let status = &world.auth.key_status()[0];
    assert!(status.last_success <= Some(now(&world.clock)), "{status:?}");
    for _ in 0..25 {
        world.advance(3600).await;
    }
    assert_eq!(world.verdict(), "keys_unavailable");
}

#[tokio::test]
async fn rule_10_a_clock_that_was_ahead_once_puts_no_refresh_off() {
    let world = World::new();
    let start = now(&world.clock);
    world.clock.advance(Duration::from_secs(24 * 3600));
    world.auth.ready().await.unwrap();
    let withdrawn = world.token();
    assert_eq!(verdict(&world.auth, &withdrawn), "accepted");
    world.clock.set(start);
    settle().await;
    world.issuer.rotate(Algorithm::ES256);
    world.publish();
    world.advance(61).await;
    assert_eq!((world.source.hits(), world.verdict()), (2, "accepted"));
}

#[tokio::test]
async fn a_clock_that_goes_back_prolongs_no_wait() {
    let world = World::ready().await;
    world.issuer.rotate(Algorithm::ES256);
    world.source.hold();
    let waiting = tokio::spawn(patient_verdict(world.auth.clone(), world.token()));
    settle().await;
    world.clock.set(now(&world.clock).saturating_sub(Duration::from_secs(3600)));
    settle().await;
    assert!(!waiting.is_finished());
    world.advance(1).await;
    assert!(waiting.is_finished());
}

#[tokio::test]
async fn a_clock_that_goes_back_keeps_no_new_key_out() {
    let world = World::ready().await;
    for junk in 0..20 {
        let _ = patient_verdict(world.auth.clone(), world.junk(&junk.to_string())).await;
    }
    assert_eq!(world.source.hits(), 4);
    let hour_ago = now(&world.clock).saturating_sub(Duration::from_secs(3600));
    world.clock.set(hour_ago);
    world.issuer.rotate(Algorithm::ES256);
    world.publish();
    assert_eq!(patient_verdict(world.auth.clone(), world.token()).await, "unknown_key");
    world.advance(10).await;
    assert_eq!(patient_verdict(world.auth.clone(), world.token()).await, "accepted");
}
