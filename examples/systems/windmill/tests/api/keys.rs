//! §5.3: whose signatures count.

use std::time::Duration;

use portcullis_axum::Algorithm;
use portcullis_testkit::{KeyServer, Reply, SigningKey};
use serde_json::json;

use crate::server::{KEY, Windmill, alice, token_by, windmill};

struct World {
    windmill: Windmill,
    server: KeyServer,
    in_set: Vec<SigningKey>,
    without_id: SigningKey,
}

/// The program with a JWK Set, and with the PEM too where `pem` says so.
fn world(pem: bool) -> World {
    let in_set = vec![
        SigningKey::generate(Algorithm::RS256, "rsa"),
        SigningKey::generate(Algorithm::ES256, "ec"),
        SigningKey::generate(Algorithm::EdDSA, "ed"),
    ];
    let without_id = SigningKey::generate(Algorithm::ES384, "");
    let mut keys: Vec<_> = in_set.iter().map(|key| key.public_jwk().unwrap()).collect();
    let mut nameless = without_id.public_jwk().unwrap();
    nameless.as_object_mut().unwrap().remove("kid");
    keys.push(nameless);
    let server = KeyServer::start();
    server.reply("/jwks.json", Reply::json(json!({"keys": keys}).to_string()));
    let (url, text) = (server.url("/jwks.json"), KEY.public_key_pem().unwrap());
    let mut variables = vec![("JWT_EXT_JWKS_URL", &*url)];
    if pem {
        variables.push(("JWT_EXT_PUBLIC_KEY", &*text));
    }
    let world = World { windmill: Windmill::start(&variables), server, in_set, without_id };
    // A request waits a second for the first fetch; a machine with much to do may take longer.
    let is_there = |key| (0..20).any(|_| world.status(key, Some("rsa")) == 200);
    assert!(world.in_set.first().is_some_and(is_there), "the set was not fetched");
    world
}

impl World {
    /// The status for a token that this key signs, and which names the key as `kid` does.
    fn status(&self, key: &SigningKey, kid: Option<&str>) -> u16 {
        let signed = match kid {
            None => token_by(key, &alice(), &|token| token),
            Some(kid) => token_by(key, &alice(), &|token| token.header("kid", kid)),
        };
        self.windmill.whoami(&format!("authorization: Bearer jwt_ext_{signed}\r\n")).status
    }
}

#[test]
fn s5_3_the_pem_is_for_rs256_alone_and_looks_at_no_kid() {
    let windmill = windmill();
    let status = |signed: String| {
        windmill.whoami(&format!("authorization: Bearer jwt_ext_{signed}\r\n")).status
    };
    assert_eq!(status(token_by(&KEY, &alice(), &|token| token)), 200);
    assert_eq!(status(token_by(&KEY, &alice(), &|token| token.header("kid", "any"))), 200);
    let stranger = SigningKey::generate(Algorithm::RS256, "x");
    assert_eq!(status(token_by(&stranger, &alice(), &|token| token)), 401);
    let pem = KEY.public_key_pem().unwrap();
    let secret = SigningKey::from_secret(Algorithm::HS256, "x", pem.as_bytes());
    assert_eq!(status(token_by(&secret, &alice(), &|token| token)), 401);
    for alg in ["RS384", "PS256", "none"] {
        assert_eq!(status(token_by(&KEY, &alice(), &|token| token.header("alg", alg))), 401);
    }
}

#[test]
fn s5_3_keys_of_the_set_are_matched_by_kid() {
    let world = world(false);
    for key in &world.in_set {
        assert_eq!(world.status(key, Some(key.key_id())), 200, "{}", key.key_id());
        assert_eq!(world.status(key, None), 401, "{} without kid", key.key_id());
        assert_eq!(world.status(key, Some("other")), 401, "{} by another kid", key.key_id());
    }
    let [rsa, ec, _] = &world.in_set[..] else { panic!() };
    assert_eq!(world.status(ec, Some(rsa.key_id())), 401);
    assert_eq!(world.status(&world.without_id, None), 401);
    assert_eq!(world.status(&KEY, None), 401);
}

#[test]
fn s5_3_with_both_the_pem_serves_tokens_without_kid_and_the_set_those_with_one() {
    let world = world(true);
    assert_eq!(world.status(&KEY, None), 200);
    assert_eq!(world.status(&KEY, Some("rsa")), 401);
    assert_eq!(world.status(&KEY, Some("pem")), 401);
    for key in &world.in_set {
        assert_eq!(world.status(key, Some(key.key_id())), 200, "{}", key.key_id());
        assert_eq!(world.status(key, None), 401, "{} without kid", key.key_id());
    }
    assert_eq!(world.status(&world.without_id, None), 401);
}

#[test]
fn s5_3_without_the_set_its_tokens_wait_with_503_and_the_pem_goes_on() {
    let server = KeyServer::start();
    server.reply("/jwks.json", Reply::empty().status(500));
    let (url, pem) = (server.url("/jwks.json"), KEY.public_key_pem().unwrap());
    let variables = [("JWT_EXT_JWKS_URL", &*url), ("JWT_EXT_PUBLIC_KEY", &*pem)];
    let windmill = Windmill::start(&variables);
    let key = SigningKey::generate(Algorithm::ES256, "ec");
    let world = World { windmill, server, in_set: vec![], without_id: key.clone() };
    assert_eq!(world.status(&key, Some("ec")), 503);
    assert_eq!(world.status(&KEY, None), 200);
    assert_eq!(world.status(&key, None), 401);
    assert!(world.server.wait_for_hits("/jwks.json", 1, Duration::from_secs(5)));
}

#[test]
fn s5_3_keys_that_were_good_outlive_an_outage_and_an_empty_document() {
    let world = world(false);
    let ec = world.in_set[1].clone();
    assert_eq!(world.status(&ec, Some("ec")), 200);
    for reply in [Reply::json(r#"{"keys":[]}"#), Reply::empty().status(500), Reply::json("[")] {
        world.server.reply("/jwks.json", reply);
        let hits = world.server.hits("/jwks.json");
        // An unknown key makes the program ask again.
        let kid = format!("unknown-{hits}");
        assert!([401, 503].contains(&world.status(&ec, Some(&kid))));
        assert!(world.server.wait_for_hits("/jwks.json", hits + 1, Duration::from_secs(5)));
        assert_eq!(world.status(&ec, Some("ec")), 200);
    }
}

#[test]
fn s5_3_a_new_key_is_fetched_when_a_token_names_it() {
    let world = world(false);
    assert_eq!(world.status(&world.in_set[1], Some("ec")), 200);
    let new = SigningKey::generate(Algorithm::ES256, "new");
    let keys = json!({"keys": [world.in_set[1].public_jwk(), new.public_jwk()]});
    world.server.reply("/jwks.json", Reply::json(keys.to_string()));
    assert_eq!(world.status(&new, Some("new")), 200);
}
