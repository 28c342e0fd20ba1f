//! Key ids that the keys lack.

use std::time::Duration;

use portcullis::{Algorithm, Issuer, keys::RefreshPolicy};

use super::support::{
    Answer, Control, World, challenge, clock, engine, issuer, key, patient_verdict, settle, token,
};

#[tokio::test]
async fn rule_04_one_junk_token_cannot_delay_a_rotation() {
    let world = World::ready().await;
    assert_eq!(patient_verdict(world.auth.clone(), world.junk("junk")).await, "unknown_key");
    world.issuer.rotate(Algorithm::ES256);
    world.publish();
    assert_eq!(patient_verdict(world.auth.clone(), world.token()).await, "accepted");
    assert_eq!(world.source.hits(), 3);
}

#[tokio::test]
async fn rule_04_a_key_id_that_a_fetch_did_not_bring_causes_none_for_5_seconds() {
    let world = World::ready().await;
    for _ in 0..10 {
        assert_eq!(patient_verdict(world.auth.clone(), world.junk("junk")).await, "unknown_key");
    }
    assert_eq!(world.source.hits(), 2);
    world.advance(4).await;
    assert_eq!(patient_verdict(world.auth.clone(), world.junk("junk")).await, "unknown_key");
    assert_eq!(world.source.hits(), 2);
    world.advance(1).await;
    assert_eq!(patient_verdict(world.auth.clone(), world.junk("junk")).await, "unknown_key");
    assert_eq!(world.source.hits(), 3);
}

#[tokio::test]
async fn rule_04_a_key_that_joins_a_fetch_which_began_before_it_was_published_is_accepted() {
    let world = World::ready().await;
    world.source.hold();
    world.advance(505).await;
    assert_eq!(world.source.running(), 1);
    // The answer that is under way does not have the key that is published now.
    world.issuer.rotate(Algorithm::ES256);
    world.publish();
    let waiting = tokio::spawn(patient_verdict(world.auth.clone(), world.token()));
    settle().await;
    assert_eq!(world.source.hits(), 2);
    world.source.release();
    assert_eq!(waiting.await.unwrap(), "accepted");
    assert_eq!(world.source.hits(), 3);
}

#[tokio::test]
async fn rule_04_a_hundred_thousand_junk_tokens_cost_three_fetches_and_one_per_ten_seconds() {
    let world = World::ready().await;
    let good = world.token();
    let parts: Vec<&str> = good.split('.').collect();
    for junk in 0..100_000_u32 {
        let header = format!(r#"{{"alg":"ES256","kid":"junk-{junk}"}}"#);
        let header = conformance::encode(header);
        let token = format!("{header}.{}.{}", parts[1], parts[2]);
        let verdict = patient_verdict(world.auth.clone(), token).await;
        assert_eq!(verdict, "unknown_key");
        if junk % 100 == 0 {
            tokio::task::yield_now().await;
            assert_eq!(super::support::verdict(&world.auth, &good), "accepted");
        }
        if junk % 1000 == 999 {
            world.advance(1).await;
        }
    }
    // A hundred seconds have passed.
    let hits = world.source.hits() - 1;
    assert!((4..=13).contains(&hits), "{hits}");
}

#[tokio::test]
async fn rule_05_a_server_that_fails_is_paid_for_too() {
    let world = World::ready().await;
    world.source.answer(Answer::Error);
    for junk in 0..1000 {
        let verdict = patient_verdict(world.auth.clone(), world.junk(&junk.to_string())).await;
        assert_eq!(verdict, "keys_unavailable");
    }
    settle().await;
    assert_eq!(world.source.hits(), 4);
}

#[tokio::test]
async fn rule_07_a_request_waits_for_a_second_and_not_longer() {
    let world = World::ready().await;
    world.issuer.rotate(Algorithm::ES256);
    world.publish();
    world.source.hold();
    let waiting = tokio::spawn(patient_verdict(world.auth.clone(), world.token()));
    settle().await;
    world.clock.advance(Duration::from_millis(999));
    settle().await;
    assert!(!waiting.is_finished());
    world.clock.advance(Duration::from_millis(1));
    settle().await;
    assert!(waiting.is_finished());
    // Nobody has looked the key up yet.
    assert_eq!(waiting.await.unwrap(), "keys_unavailable");
    world.source.release();
    settle().await;
    assert_eq!(world.verdict(), "accepted");
}

#[tokio::test]
async fn rule_07_a_token_that_was_not_judged_is_503_with_retry_after_and_not_401() {
    let world = World::ready().await;
    world.source.answer(Answer::Error);
    assert_eq!(patient_verdict(world.auth.clone(), world.junk("x")).await, "keys_unavailable");
    let challenge = challenge(&world.auth, &world.junk("y"));
    assert_eq!(challenge.status(), 503);
    assert!(challenge.retry_after().is_some());
    assert_eq!(world.verdict(), "accepted");
}

#[tokio::test]
async fn rule_07_a_key_is_unknown_only_where_each_source_says_so() {
    let clock = clock();
    let issuer = issuer(&clock);
    let sources = ["first", "second"].map(|name| Control::new(name, RefreshPolicy::default()));
    let [first, second] = &sources;
    sources.iter().for_each(|source| source.serve(&[key(&issuer)]));
    let trusted = Issuer::new(issuer.name()).key_source(first.source()).key_source(second.source());
    let auth = engine(&clock, [trusted]);
    auth.ready().await.unwrap();
    settle().await;
    let junk = |key_id: &str| {
        let junk = issuer.token().audience(conformance::AUDIENCE).header("kid", key_id).build();
        patient_verdict(auth.clone(), junk)
    };
    assert_eq!(junk("junk").await, "unknown_key");
    // The second one does not answer in time, and what the first one says is not enough.
    second.hold();
    let waiting = tokio::spawn(junk("other"));
    settle().await;
    assert!(!waiting.is_finished());
    clock.advance(Duration::from_secs(1));
    assert_eq!(waiting.await.unwrap(), "keys_unavailable");
    second.release();
    settle().await;
    assert_eq!(junk("other").await, "unknown_key");
}

#[tokio::test]
async fn rule_14_key_ids_of_more_than_256_bytes_never_reach_the_lookup() {
    let world = World::ready().await;
    let verdict = patient_verdict(world.auth.clone(), world.junk(&"x".repeat(257))).await;
    assert_eq!((verdict, world.source.hits()), ("malformed_token", 1));
    let verdict = patient_verdict(world.auth.clone(), world.junk(&"x".repeat(256))).await;
    assert_eq!((verdict, world.source.hits()), ("unknown_key", 2));
}

#[tokio::test]
async fn rule_23_a_source_that_hangs_does_not_hold_up_the_key_of_another() {
    let clock = clock();
    let issuer = issuer(&clock);
    let (dead, live) = (
        Control::new("dead", RefreshPolicy::default()),
        Control::new("live", RefreshPolicy::default()),
    );
    dead.answer(Answer::Never);
    live.serve(&[key(&issuer)]);
    let trusted = Issuer::new(issuer.name()).key_source(dead.source()).key_source(live.source());
    let auth = engine(&clock, [trusted]);
    // Time stands still: what waits for the dead one never ends.
    super::support::soon(auth.ready()).await.unwrap();
    issuer.rotate(Algorithm::ES256);
    live.serve(&[key(&issuer)]);
    let waiting = patient_verdict(auth.clone(), token(&issuer));
    assert_eq!(super::support::soon(waiting).await, "accepted");
}
