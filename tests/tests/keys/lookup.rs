//! Which key a token means.

use conformance::AUDIENCE;
use portcullis::{Algorithm, Issuer, JwkSet, keys::RefreshPolicy};
use portcullis_testkit::{SigningKey, TestIssuer};
use serde_json::{Value, json};

use super::support::{
    Answer, Control, World, chain, clock, engine, key, patient_verdict, set, settle, token, verdict,
};

fn jwk(key: &SigningKey, member: &str, value: Value) -> Value {
    let mut jwk = key.public_jwk().unwrap();
    jwk[member] = value;
    jwk
}

#[tokio::test]
async fn rule_18_one_bad_key_spoils_no_good_one_and_is_counted_with_its_reason() {
    let world = World::new();
    let good = key(&world.issuer);
    let bad = [
        json!({"kty": "XYZ", "kid": "unknown type"}),
        json!({"kty": "RSA", "n": "!", "e": "AQAB", "kid": "bad base64"}),
        json!({"kty": "RSA", "n": "q83v", "e": "AQAB", "kid": "short"}),
        jwk(good, "x", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
        jwk(good, "use", json!("enc")),
        jwk(good, "key_ops", json!(["encrypt"])),
        jwk(good, "d", json!("AAAA")),
        json!({"kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "kid": "oct"}),
        json!(null),
    ];
    let mut keys = bad.to_vec();
    keys.push(good.public_jwk().unwrap());
    world.source.answer(Answer::Json(json!({"keys": keys}).to_string(), None));
    world.auth.ready().await.unwrap();
    let status = &world.auth.key_status()[0];
    assert_eq!((status.keys.len(), status.skipped.len()), (1, bad.len()));
    assert!(status.skipped.iter().all(|skipped| !skipped.reason().is_empty()));
    assert_eq!(world.verdict(), "accepted");
}

#[tokio::test]
async fn rule_31_a_token_that_names_a_skipped_key_is_rejected_with_the_reason() {
    let world = World::new();
    let good = key(&world.issuer);
    let mut skipped = jwk(good, "x", json!("AAAA"));
    skipped["kid"] = json!("skipped");
    let json = json!({"keys": [good.public_jwk().unwrap(), skipped]}).to_string();
    world.source.answer(Answer::Json(json.clone(), None));
    world.auth.ready().await.unwrap();
    let fixed = Issuer::new(world.issuer.name()).jwk_set(&JwkSet::from_json(&json).unwrap());
    for auth in [world.auth.clone(), engine(&world.clock, [fixed])] {
        let reason = |key_id: &str| {
            let error = auth.authenticate_token_now(&world.junk(key_id)).unwrap_err();
            (error.kind().code(), chain(&error))
        };
        for key_id in ["skipped", "unknown"] {
            let verdict = patient_verdict(auth.clone(), world.junk(key_id)).await;
            assert_eq!(verdict, "unknown_key");
        }
        let (code, told) = reason("skipped");
        assert_eq!(code, "unknown_key");
        assert!(told.contains("key 1 (kid \"skipped\")"), "{told}");
        assert!(told.contains("do not have the width of its curve"), "{told}");
        assert!(!reason("unknown").1.contains("width"));
        assert_eq!(verdict(&auth, &world.token()), "accepted");
    }
}

#[tokio::test]
async fn rule_19_a_key_verifies_only_with_its_algorithms() {
    let world = World::new();
    let rsa = world.issuer.key(Algorithm::RS256).clone();
    let any = {
        let mut jwk = rsa.public_jwk().unwrap();
        jwk.as_object_mut().unwrap().remove("alg");
        jwk["kid"] = json!("any");
        jwk
    };
    let bound = jwk(&rsa, "kid", json!("rsa"));
    world.source.answer(Answer::Json(json!({"keys": [any, bound]}).to_string(), None));
    world.auth.ready().await.unwrap();
    for (key_id, algorithm, expected) in [
        ("any", Algorithm::RS256, "accepted"),
        ("any", Algorithm::PS512, "accepted"),
        ("rsa", Algorithm::RS256, "accepted"),
        ("rsa", Algorithm::PS256, "algorithm_not_allowed"),
        ("rsa", Algorithm::ES256, "algorithm_not_allowed"),
    ] {
        // All RSA keys of one test issuer have one modulus.
        let token = world.issuer.token().audience(AUDIENCE).algorithm(algorithm);
        let token = token.header("kid", key_id).build();
        assert_eq!(verdict(&world.auth, &token), expected, "{key_id} {algorithm}");
    }
}

#[tokio::test]
async fn rule_20_equal_key_ids_at_two_issuers_never_meet() {
    let clock = clock();
    let issuers =
        ["https://a.test", "https://b.test"].map(|name| TestIssuer::new(name).clock(clock.clone()));
    let [a, b] = &issuers;
    assert_eq!(key(a).key_id(), key(b).key_id());
    let trusted = [a, b].map(|issuer| {
        let source = Control::new(issuer.name(), RefreshPolicy::default());
        source.serve(&[key(issuer)]);
        Issuer::new(issuer.name()).key_source(source.source())
    });
    let auth = engine(&clock, trusted);
    auth.ready().await.unwrap();
    assert_eq!(verdict(&auth, &token(a)), "accepted");
    assert_eq!(verdict(&auth, &token(b)), "accepted");
    for (claims, signer) in [(a, b), (b, a)] {
        let forged = claims.token().audience(AUDIENCE).key(key(signer)).build();
        assert_eq!(verdict(&auth, &forged), "signature_mismatch");
    }
}

#[tokio::test]
async fn rule_20_of_keys_with_one_id_four_at_most_are_tried() {
    let world = World::new();
    let keys: Vec<_> = (0..5).map(|_| SigningKey::generate(Algorithm::ES256, "same")).collect();
    world.source.serve(&keys.iter().collect::<Vec<_>>());
    world.auth.ready().await.unwrap();
    let verdicts = keys
        .iter()
        .map(|key| verdict(&world.auth, &world.issuer.token().audience(AUDIENCE).key(key).build()));
    let expected = ["accepted", "accepted", "accepted", "accepted", "ambiguous_key"];
    assert_eq!(verdicts.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn rule_20_without_a_key_id_exactly_one_key_must_fit() {
    let world = World::new();
    let other = SigningKey::generate(Algorithm::ES256, "other");
    let token = world.issuer.token().audience(AUDIENCE).without_key_id().build();
    world.auth.ready().await.unwrap();
    assert_eq!(verdict(&world.auth, &token), "accepted");
    world.source.serve(&[key(&world.issuer), &other]);
    world.advance(505).await;
    assert_eq!(verdict(&world.auth, &token), "ambiguous_key");

    let clock = clock();
    let source = Control::new("all", RefreshPolicy::default());
    source.answer(Answer::Json(set(&[&other, key(&world.issuer)]), None));
    let trusted = Issuer::new(world.issuer.name()).try_all_keys().key_source(source.source());
    let auth = engine(&clock, [trusted]);
    auth.ready().await.unwrap();
    settle().await;
    assert_eq!(patient_verdict(auth, token).await, "accepted");
}
