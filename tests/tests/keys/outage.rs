//! Providers that are down, and documents that are bad.

use std::time::Duration;

use conformance::AUDIENCE;
use portcullis::{Algorithm, Issuer, keys::RefreshPolicy};
use portcullis_testkit::{KeyServer, Reply, TestIssuer};

use super::support::{
    Answer, Control, World, chain, challenge, clock, engine, issuer, key, patient_verdict, set,
    settle, soon, token, verdict,
};

const HOUR: u64 = 3600;

#[tokio::test]
async fn rule_10_keys_outlive_an_outage_of_23_hours_and_fail_closed_after_25() {
    let world = World::ready().await;
    world.source.answer(Answer::Error);
    world.advance(23 * HOUR).await;
    assert_eq!(world.verdict(), "accepted");
    world.auth.health().unwrap();
    world.advance(2 * HOUR).await;
    assert_eq!(world.verdict(), "keys_unavailable");
    assert_eq!(challenge(&world.auth, &world.token()).status(), 503);
    assert!(!world.auth.key_status()[0].usable);
    world.auth.health().unwrap_err();
    world.publish();
    world.advance(64).await;
    assert_eq!(world.verdict(), "accepted");
    world.auth.health().unwrap();
}

#[tokio::test]
async fn rule_10_the_outage_drill_over_real_sockets() {
    let server = KeyServer::start();
    let clock = clock();
    let issuer = TestIssuer::new(server.url("")).clock(clock.clone());
    server.reply("/jwks.json", Reply::json(set(&[key(&issuer)])));
    let trusted = Issuer::new(issuer.name()).jwk_set_uri(server.url("/jwks.json"));
    let auth = engine(&clock, [trusted]);
    soon(auth.ready()).await.unwrap();
    server.reject_connections();
    for (hours, expected) in [(23, "accepted"), (2, "keys_unavailable")] {
        let mut changes = auth.key_changes();
        clock.advance(Duration::from_secs(hours * HOUR));
        soon(changes.changed()).await;
        assert_eq!(verdict(&auth, &token(&issuer)), expected);
        assert!(auth.key_status()[0].last_error.is_some());
    }
    server.accept_connections();
    soon(async {
        while patient_verdict(auth.clone(), token(&issuer)).await != "accepted" {
            clock.advance(Duration::from_secs(10));
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn rule_10_staleness_is_unlimited_only_where_it_was_said() {
    let world = World::with(RefreshPolicy::default().dangerous_unlimited_staleness());
    world.auth.ready().await.unwrap();
    world.source.answer(Answer::Error);
    world.advance(1000 * 24 * HOUR).await;
    assert_eq!(world.verdict(), "accepted");
}

#[tokio::test]
async fn rule_11_a_document_without_a_usable_key_never_replaces_good_keys() {
    for document in [
        r#"{"keys":[]}"#,
        r#"{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"es256"}]}"#,
        r#"{"error":"maintenance"}"#,
        r#"{"keys":null}"#,
        "<html>maintenance</html>",
        "",
    ] {
        let world = World::ready().await;
        world.source.answer(Answer::Json(document.to_owned(), None));
        world.advance(505).await;
        let status = &world.auth.key_status()[0];
        assert_eq!((status.failures, status.keys.len()), (1, 1), "{document}");
        assert_eq!(world.verdict(), "accepted", "{document}");
    }
}

#[tokio::test]
async fn rule_12_a_key_that_is_withdrawn_stops_verifying_at_once() {
    let world = World::ready().await;
    let old = world.token();
    assert_eq!(verdict(&world.auth, &old), "accepted");
    world.issuer.rotate(Algorithm::ES256);
    world.publish();
    assert_eq!(patient_verdict(world.auth.clone(), world.token()).await, "accepted");
    assert_eq!(patient_verdict(world.auth.clone(), old).await, "unknown_key");
}

#[tokio::test]
async fn rule_22_ready_waits_for_keys() {
    let world = World::new();
    world.source.hold();
    let auth = world.auth.clone();
    let ready = tokio::spawn(async move { auth.ready().await });
    settle().await;
    assert!(!ready.is_finished());
    world.source.release();
    ready.await.unwrap().unwrap();
    assert_eq!(world.verdict(), "accepted");
}

#[tokio::test]
async fn rule_22_ready_says_which_source_failed_and_why() {
    let world = World::new();
    world.source.answer(Answer::Error);
    let error = world.auth.ready().await.unwrap_err();
    assert_eq!(error.issuer(), Some("https://idp.test"));
    let text = chain(&error);
    for part in ["https://idp.test", "the source", "the script says no"] {
        assert!(text.contains(part), "{text}");
        assert_eq!(text.matches(part).count(), 1, "{text}");
    }
}

#[tokio::test]
async fn rule_22_without_waiting_requests_get_503_until_keys_come() {
    let world = World::new();
    world.source.answer(Answer::Error);
    assert_eq!(challenge(&world.auth, &world.token()).status(), 503);
    settle().await;
    assert_eq!(challenge(&world.auth, &world.token()).status(), 503);
    world.publish();
    world.advance(2).await;
    assert_eq!(world.verdict(), "accepted");
}

#[tokio::test]
async fn rule_23_a_dead_source_blocks_no_live_one() {
    let clock = clock();
    let issuer = issuer(&clock);
    let dead = Control::new("dead", RefreshPolicy::default());
    let live = Control::new("live", RefreshPolicy::default());
    live.serve(&[key(&issuer)]);
    let trusted = Issuer::new(issuer.name()).key_source(dead.source()).key_source(live.source());
    let auth = engine(&clock, [trusted]);
    auth.ready().await.unwrap();
    assert_eq!(verdict(&auth, &token(&issuer)), "accepted");
    // The dead one might have had the key.
    let unknown = issuer.token().audience(AUDIENCE).header("kid", "elsewhere").build();
    assert_eq!(patient_verdict(auth.clone(), unknown).await, "keys_unavailable");
}

#[tokio::test]
async fn a_key_without_an_id_does_not_speak_for_a_source_that_has_brought_nothing_yet() {
    let clock = clock();
    let (fixed, published) = (issuer(&clock), issuer(&clock));
    let source = Control::new("the source", RefreshPolicy::default());
    let pem = key(&fixed).public_key_pem().unwrap();
    let pem = portcullis::VerificationKey::from_pem(&pem).unwrap();
    let trusted = Issuer::new(fixed.name()).key(pem).key_source(source.source());
    let auth = engine(&clock, [trusted]);
    settle().await;
    // The live key is not blocked, and nobody can say that the other token is forged.
    assert_eq!(patient_verdict(auth.clone(), token(&fixed)).await, "accepted");
    assert_eq!(patient_verdict(auth.clone(), token(&published)).await, "keys_unavailable");
    // Where ids alone count, a token without one is judged by the keys at hand.
    let pem = key(&fixed).public_key_pem().unwrap();
    let pem = portcullis::VerificationKey::from_pem(&pem).unwrap();
    let other = Control::new("the other source", RefreshPolicy::default());
    let by_ids = Issuer::new(fixed.name()).key(pem).key_source(other.source()).match_key_ids();
    let by_ids = engine(&clock, [by_ids]);
    settle().await;
    let forged = published.token().audience(AUDIENCE).without_key_id().build();
    assert_eq!(patient_verdict(by_ids, forged).await, "signature_mismatch");
    source.serve(&[key(&published)]);
    clock.advance(Duration::from_secs(60));
    settle().await;
    assert_eq!(patient_verdict(auth.clone(), token(&published)).await, "accepted");
    let forged = TestIssuer::new(fixed.name()).clock(clock.clone());
    assert_eq!(patient_verdict(auth, token(&forged)).await, "signature_mismatch");
}

#[tokio::test]
async fn a_key_that_a_later_one_replaces_does_not_speak_for_a_source_that_has_brought_nothing_yet()
{
    let clock = clock();
    let (first, later) = (issuer(&clock), issuer(&clock));
    assert_eq!(key(&first).key_id(), key(&later).key_id());
    let sources = ["first", "later"].map(|name| Control::new(name, RefreshPolicy::default()));
    sources[0].serve(&[key(&first)]);
    let trusted = Issuer::new(first.name())
        .key_source(sources[0].source())
        .key_source(sources[1].source())
        .last_key_of_id_wins();
    let auth = engine(&clock, [trusted]);
    settle().await;
    assert_eq!(patient_verdict(auth.clone(), token(&first)).await, "accepted");
    assert_eq!(patient_verdict(auth.clone(), token(&later)).await, "keys_unavailable");
    sources[1].serve(&[key(&later)]);
    clock.advance(Duration::from_secs(60));
    settle().await;
    assert_eq!(patient_verdict(auth.clone(), token(&later)).await, "accepted");
    assert_eq!(patient_verdict(auth.clone(), token(&first)).await, "signature_mismatch");
    // The later source is away again: its last good keys still stand in front.
    sources[1].answer(Answer::Error);
    clock.advance(Duration::from_secs(3600));
    settle().await;
    assert_eq!(patient_verdict(auth, token(&first)).await, "signature_mismatch");
}

#[tokio::test]
async fn keys_that_are_all_tried_do_not_speak_for_a_source_that_has_brought_nothing_yet() {
    let clock = clock();
    let (fixed, published) = (issuer(&clock), issuer(&clock));
    let source = Control::new("the source", RefreshPolicy::default());
    let trusted = Issuer::new(fixed.name()).key(key(&fixed).verification_key().unwrap());
    let auth = engine(&clock, [trusted.key_source(source.source()).try_all_keys()]);
    settle().await;
    let without = |issuer: &TestIssuer| issuer.token().audience(AUDIENCE).without_key_id().build();
    assert_eq!(patient_verdict(auth.clone(), without(&fixed)).await, "accepted");
    assert_eq!(patient_verdict(auth.clone(), without(&published)).await, "keys_unavailable");
    source.serve(&[key(&published)]);
    clock.advance(Duration::from_secs(60));
    settle().await;
    assert_eq!(patient_verdict(auth.clone(), without(&published)).await, "accepted");
    let forged = TestIssuer::new(fixed.name()).clock(clock.clone());
    assert_eq!(patient_verdict(auth, without(&forged)).await, "signature_mismatch");
}

#[tokio::test]
async fn rule_23_each_source_keeps_its_own_last_good_keys() {
    let clock = clock();
    let (a, b) = (issuer(&clock), issuer(&clock));
    b.rotate(Algorithm::ES256);
    let (first, second) = (
        Control::new("first", RefreshPolicy::default()),
        Control::new("second", RefreshPolicy::default()),
    );
    first.serve(&[key(&a)]);
    second.serve(&[key(&b)]);
    let trusted = Issuer::new(a.name()).key_source(first.source()).key_source(second.source());
    let auth = engine(&clock, [trusted]);
    auth.ready().await.unwrap();
    settle().await;
    first.answer(Answer::Error);
    for _ in 0..30 {
        clock.advance(Duration::from_secs(HOUR));
        settle().await;
        assert_eq!(verdict(&auth, &token(&b)), "accepted");
    }
    assert_eq!(verdict(&auth, &token(&a)), "keys_unavailable");
}
