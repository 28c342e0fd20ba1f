//! Keys that are replaced under their key id, or without any.

use std::time::Duration;

use conformance::AUDIENCE;
use portcullis::{Algorithm, Issuer, keys::RefreshPolicy};
use portcullis_testkit::{SigningKey, TestIssuer};
use serde_json::json;

use super::support::{
    Answer, Control, World, clock, engine, issuer, key, patient_verdict, set, settle, soon, token,
    verdict,
};

/// Another issuer of the same name, with a key of the same id.
fn stranger(world: &World) -> TestIssuer {
    TestIssuer::new(world.issuer.name()).clock(world.clock.clone())
}

/// The set of an issuer whose keys have no ids.
fn set_without_ids(keys: &[&SigningKey]) -> String {
    let keys = keys.iter().map(|key| {
        let mut jwk = key.public_jwk().unwrap();
        jwk.as_object_mut().unwrap().remove("kid");
        jwk
    });
    json!({"keys": keys.collect::<Vec<_>>()}).to_string()
}

fn token_without_id(issuer: &TestIssuer) -> String {
    issuer.token().audience(AUDIENCE).without_key_id().build()
}

#[tokio::test]
async fn rule_08_a_key_that_replaces_another_under_its_id_is_fetched_at_once() {
    let day = Some(Duration::from_secs(24 * 3600));
    let world = World::new();
    world.source.answer(Answer::Json(set(&[key(&world.issuer)]), day));
    world.auth.ready().await.unwrap();
    let (old, new) = (world.token(), stranger(&world));
    world.source.answer(Answer::Json(set(&[key(&new)]), day));
    for _ in 0..4 {
        assert_eq!(patient_verdict(world.auth.clone(), token(&new)).await, "accepted");
        world.advance(3).await;
    }
    assert_eq!(patient_verdict(world.auth.clone(), old).await, "signature_mismatch");
    assert_eq!(world.source.hits(), 2);
}

#[tokio::test]
async fn rule_08_a_key_that_replaces_another_where_neither_has_an_id_is_fetched_at_once() {
    for try_all in [false, true] {
        let clock = clock();
        let (old, new, other) = (issuer(&clock), issuer(&clock), issuer(&clock));
        let source = Control::new("the source", RefreshPolicy::default());
        let trusted = Issuer::new(old.name()).key_source(source.source());
        let trusted = if try_all { trusted.try_all_keys() } else { trusted };
        let documents = if try_all {
            [vec![key(&old), key(&other)], vec![key(&other), key(&new)]]
        } else {
            [vec![key(&old)], vec![key(&new)]]
        };
        source.answer(Answer::Json(set_without_ids(&documents[0]), None));
        let auth = engine(&clock, [trusted]);
        soon(auth.ready()).await.unwrap();
        assert_eq!(verdict(&auth, &token_without_id(&old)), "accepted");
        source.answer(Answer::Json(set_without_ids(&documents[1]), None));
        let accepted = patient_verdict(auth.clone(), token_without_id(&new)).await;
        assert_eq!(accepted, "accepted", "{try_all}");
        let rejected = patient_verdict(auth, token_without_id(&old)).await;
        assert_eq!((rejected, source.hits()), ("signature_mismatch", 2), "{try_all}");
    }
}

#[tokio::test]
async fn rule_08_a_key_of_another_algorithm_that_replaces_one_under_its_id_is_fetched_at_once() {
    let world = World::ready().await;
    let new = SigningKey::generate(Algorithm::ES384, "es256");
    let token = world.issuer.token().audience(AUDIENCE).key(&new).build();
    assert_eq!(verdict(&world.auth, &token), "algorithm_not_allowed");
    world.advance(60).await;
    world.source.serve(&[&new]);
    assert_eq!(patient_verdict(world.auth.clone(), token).await, "accepted");
    assert_eq!(patient_verdict(world.auth.clone(), world.token()).await, "algorithm_not_allowed");
}

#[tokio::test]
async fn rule_08_a_token_without_an_id_that_two_keys_fit_is_judged_again_by_the_newest_keys() {
    let world = World::new();
    let other = SigningKey::generate(Algorithm::ES256, "other");
    world.source.serve(&[key(&world.issuer), &other]);
    world.auth.ready().await.unwrap();
    world.publish();
    let token = token_without_id(&world.issuer);
    assert_eq!(patient_verdict(world.auth.clone(), token).await, "accepted");
}

#[tokio::test]
async fn rule_08_a_flood_of_forged_signatures_costs_one_fetch_a_minute_and_is_401() {
    let world = World::ready().await;
    let forged = token(&stranger(&world));
    for second in 0..600_usize {
        for _ in 0..20 {
            let verdict = patient_verdict(world.auth.clone(), forged.clone()).await;
            assert_eq!(verdict, "signature_mismatch");
        }
        // At the start, at 480 s, and one in each minute.
        assert!(world.source.hits() <= 3 + second / 60, "{second}: {}", world.source.hits());
        world.advance(1).await;
    }
    assert!(world.source.hits() >= 10);
}

#[tokio::test]
async fn rule_08_forged_signatures_do_not_use_up_the_fetches_for_unknown_keys() {
    let world = World::ready().await;
    let forged = token(&stranger(&world));
    for _ in 0..100 {
        let verdict = patient_verdict(world.auth.clone(), forged.clone()).await;
        assert_eq!(verdict, "signature_mismatch");
    }
    assert_eq!(world.source.hits(), 2);
    for hits in 3..=5 {
        world.issuer.rotate(Algorithm::ES256);
        world.publish();
        assert_eq!(patient_verdict(world.auth.clone(), world.token()).await, "accepted");
        assert_eq!(world.source.hits(), hits);
    }
    // Nor the other way round.
    let new = stranger(&world);
    world.source.serve(&[key(&new)]);
    world.advance(60).await;
    assert_eq!(patient_verdict(world.auth.clone(), token(&new)).await, "accepted");
}

#[tokio::test]
async fn rule_08_valid_tokens_do_not_wait_while_forged_ones_do() {
    let world = World::ready().await;
    let forged = token(&stranger(&world));
    world.source.hold();
    let waiting: Vec<_> = (0..50)
        .map(|_| tokio::spawn(patient_verdict(world.auth.clone(), forged.clone())))
        .collect();
    settle().await;
    assert_eq!(world.source.running(), 1);
    assert!(waiting.iter().all(|request| !request.is_finished()));
    assert_eq!(world.verdict(), "accepted");
    // A source that does not answer does not hold them for longer than a second, and the verdict of the
    // keys at hand stands.
    world.clock.advance(Duration::from_secs(1));
    for request in waiting {
        assert_eq!(soon(request).await.unwrap(), "signature_mismatch");
    }
    // Later ones do not wait for it.
    let later = patient_verdict(world.auth.clone(), forged.clone());
    assert_eq!(soon(later).await, "signature_mismatch");
    world.source.release();
    settle().await;
    assert_eq!((world.source.hits(), world.verdict()), (2, "accepted"));
}

#[tokio::test]
async fn rule_08_good_tokens_of_a_replaced_key_share_the_fetch_that_a_forged_one_has_started() {
    let world = World::ready().await;
    let (forged, new) = (token(&stranger(&world)), stranger(&world));
    world.source.serve(&[key(&new)]);
    world.source.hold();
    let tokens = [forged, token(&new), token(&new)];
    let waiting = tokens.map(|token| tokio::spawn(patient_verdict(world.auth.clone(), token)));
    settle().await;
    world.source.release();
    let [forged, first, second] = waiting;
    assert_eq!(soon(forged).await.unwrap(), "signature_mismatch");
    assert_eq!(soon(first).await.unwrap(), "accepted");
    assert_eq!(soon(second).await.unwrap(), "accepted");
    assert_eq!(world.source.hits(), 2);
}

#[tokio::test]
async fn rule_08_while_the_source_fails_a_bad_signature_stays_a_bad_signature() {
    let world = World::ready().await;
    let forged = token(&stranger(&world));
    world.source.answer(Answer::Error);
    world.advance(505).await;
    for _ in 0..10 {
        let verdict = patient_verdict(world.auth.clone(), forged.clone()).await;
        assert_eq!(verdict, "signature_mismatch");
    }
    assert_eq!(world.verdict(), "accepted");
}

#[tokio::test]
async fn rule_08_a_bad_signature_by_a_fixed_key_starts_no_fetch_of_other_keys() {
    let clock = clock();
    let (fixed, published) = (issuer(&clock), issuer(&clock));
    let source = Control::new("the source", RefreshPolicy::default());
    published.rotate(Algorithm::ES256);
    source.serve(&[key(&published)]);
    let trusted = Issuer::new(fixed.name()).key(key(&fixed).verification_key().unwrap());
    let auth = engine(&clock, [trusted.key_source(source.source())]);
    // One key is there from the start, and so `ready` waits for nothing.
    assert_eq!(patient_verdict(auth.clone(), token(&published)).await, "accepted");
    settle().await;
    let hits = source.hits();
    let forged = TestIssuer::new(fixed.name()).clock(clock.clone());
    assert_eq!(patient_verdict(auth, token(&forged)).await, "signature_mismatch");
    settle().await;
    assert_eq!(source.hits(), hits);
}
