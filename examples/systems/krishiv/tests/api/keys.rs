//! §2.3: whose signatures count.

use std::time::Duration;

use portcullis_axum::Algorithm;
use portcullis_testkit::{KeyServer, Reply, SigningKey, TestIssuer};
use serde_json::{Value, json};

use crate::server::{ACCEPTED, REJECTED, World};

/// The program, whose key server serves these keys.
fn world(keys: &[Value], variables: &[(&str, &str)]) -> World {
    let server = KeyServer::start();
    server.reply("/jwks.json", Reply::json(json!({ "keys": keys }).to_string()));
    let issuer = TestIssuer::new(server.url(""));
    World::of(server, issuer, variables)
}

fn public(key: &SigningKey, changes: &[(&str, Value)]) -> Value {
    let mut jwk = key.public_jwk().unwrap();
    for (name, value) in changes {
        match value {
            Value::Null => jwk.as_object_mut().unwrap().remove(*name),
            value => jwk.as_object_mut().unwrap().insert((*name).to_owned(), value.clone()),
        };
    }
    jwk
}

#[test]
fn s2_3_each_key_serves_the_algorithms_of_its_type_and_a_mixed_document_works() {
    let (rsa, rest) = (
        SigningKey::generate(Algorithm::RS256, "rsa"),
        [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA]
            .map(|algorithm| SigningKey::generate(algorithm, algorithm.name())),
    );
    let p521 = SigningKey::generate(Algorithm::ES512, "p521");
    let mut keys = vec![public(&rsa, &[("alg", Value::Null)]), public(&p521, &[])];
    keys.extend(rest.iter().map(|key| public(key, &[("alg", Value::Null)])));
    // Kinds that nobody knows are left out, and spoil nothing.
    keys.push(json!({"kty": "OKP", "crv": "X25519", "kid": "x", "x": "AA"}));
    keys.push(json!({"kty": "EC", "crv": "secp256k1", "kid": "k", "x": "AA", "y": "AA"}));
    keys.push(json!({"kty": "new", "kid": "n", "alg": "unheard-of"}));
    let world = world(&keys, &[]);
    for key in rest.iter().chain([&rsa]) {
        assert_eq!(world.verdict(&world.token().key(key).build()), ACCEPTED, "{}", key.key_id());
    }
    // Krishiv has no use for this curve.
    assert_eq!(world.verdict(&world.token().key(&p521).build()), REJECTED);
    // One key under the names of two algorithms: the header's counts, among those of its type.
    let confused = world.token().key(&rsa).header("alg", "ES256").build();
    assert_eq!(world.verdict(&confused), REJECTED);
}

#[test]
fn s2_3_secrets_and_none_never_count() {
    let key = SigningKey::generate(Algorithm::RS256, "rsa");
    let secret = b"a secret of thirty-two bytes, so long";
    let oct = json!({"kty": "oct", "kid": "oct", "k": base64_simd::URL_SAFE_NO_PAD.encode_to_string(secret)});
    let world = world(&[public(&key, &[]), oct], &[]);
    let by_oct = SigningKey::from_secret(Algorithm::HS256, "oct", secret);
    assert_eq!(world.verdict(&world.token().key(&by_oct).build()), REJECTED);
    let pem = key.public_key_pem().unwrap();
    let by_pem = SigningKey::from_secret(Algorithm::HS256, "rsa", pem.as_bytes());
    assert_eq!(world.verdict(&world.token().key(&by_pem).build()), REJECTED);
    assert_eq!(world.verdict(&world.token().key(&key).header("alg", "none").build()), REJECTED);
    let unsigned = world.token().key(&key).header("alg", "none").signature("").build();
    assert_eq!(world.verdict(&unsigned), REJECTED);
}

#[test]
fn s2_3_kid_use_alg_and_key_ops_are_honoured() {
    let key = |id: &str| SigningKey::generate(Algorithm::ES256, id);
    let (good, other) = (key("good"), key("other"));
    let (encrypts, derives, elsewhere) = (key("enc"), key("ops"), key("alg"));
    let world = world(
        &[
            public(&good, &[("use", json!("sig"))]),
            public(&other, &[]),
            public(&encrypts, &[("use", json!("enc"))]),
            public(&derives, &[("key_ops", json!(["deriveKey"]))]),
            public(&elsewhere, &[("alg", json!("ES384"))]),
        ],
        &[],
    );
    let verdict = |key: &SigningKey| world.verdict(&world.token().key(key).build());
    assert_eq!(verdict(&good), ACCEPTED);
    for key in [&encrypts, &derives, &elsewhere] {
        assert_eq!(verdict(key), REJECTED, "{}", key.key_id());
    }
    let named = |kid: &str| world.token().key(&good).header("kid", kid).build();
    assert_eq!(world.verdict(&named("other")), REJECTED);
}

#[test]
fn s2_10_a_key_that_the_set_lacks_is_asked_for() {
    let (old, new) = (
        SigningKey::generate(Algorithm::ES256, "old"),
        SigningKey::generate(Algorithm::ES256, "new"),
    );
    let world = world(&[public(&old, &[])], &[]);
    let keys = json!({"keys": [public(&old, &[]), public(&new, &[])]});
    world.server.reply("/jwks.json", Reply::json(keys.to_string()));
    assert_eq!(world.verdict(&world.token().key(&new).build()), ACCEPTED);
    let unknown = world.token().key(&new).header("kid", "unknown").build();
    assert_eq!(world.verdict(&unknown), REJECTED);
    assert_eq!(world.server.hits("/jwks.json"), 3);
}

#[test]
fn s2_3_a_token_without_a_kid_is_tried_with_all_keys() {
    let keys = ["a", "b", "c"].map(|id| SigningKey::generate(Algorithm::ES256, id));
    let published: Vec<_> = keys.iter().map(|key| public(key, &[])).collect();
    let world = world(&published, &[]);
    for key in &keys {
        let token = world.token().key(key).without_key_id().build();
        assert_eq!(world.verdict(&token), ACCEPTED, "{}", key.key_id());
    }
    let stranger = SigningKey::generate(Algorithm::ES256, "a");
    assert_eq!(world.verdict(&world.token().key(&stranger).without_key_id().build()), REJECTED);
    assert_eq!(world.verdict(&world.token().key(&stranger).build()), REJECTED);
}

#[test]
fn s2_10_keys_are_fetched_again_at_the_interval() {
    let (old, new) = (
        SigningKey::generate(Algorithm::ES256, "old"),
        SigningKey::generate(Algorithm::ES256, "new"),
    );
    let world = world(&[public(&old, &[])], &[("KRISHIV_OIDC_JWKS_REFRESH_SECS", "1")]);
    assert_eq!(world.verdict(&world.token().key(&old).build()), ACCEPTED);
    let long = json!({"keys": [public(&new, &[])]}).to_string();
    // However long the document says that it is good.
    let reply = Reply::json(long).header("cache-control", "max-age=86400");
    world.server.reply("/jwks.json", reply);
    for _ in 0..3 {
        let hits = world.server.hits("/jwks.json");
        assert!(world.server.wait_for_hits("/jwks.json", hits + 1, Duration::from_secs(30)));
    }
    assert_eq!(world.verdict(&world.token().key(&new).build()), ACCEPTED);
    assert_eq!(world.verdict(&world.token().key(&old).build()), REJECTED);
}
