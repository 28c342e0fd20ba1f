//! §1.3: where keys come from, and which of them a token means.

use std::{fs, time::Duration};

use portcullis_testkit::{KeyServer, Reply, SigningKey};
use portcullis_tonic::Algorithm;
use serde_json::{Value, json};
use tonic::Code::{Ok, PermissionDenied};

use crate::server::{DESCRIBE, Folder, KEY, Temporal, jwk_set, start, temporal, token_by};

const SOURCES: [&str; 2] = ["TEMPORAL_JWT_KEY_SOURCE1", "TEMPORAL_JWT_KEY_SOURCE2"];

fn claims() -> Value {
    json!({"sub": "alice", "permissions": ["default:read"]})
}

fn signed_by(key: &SigningKey) -> String {
    token_by(key, &claims(), &|token| token)
}

fn es256(key_id: &str) -> SigningKey {
    SigningKey::generate(Algorithm::ES256, key_id)
}

/// A program with two sources over HTTP, each with these keys.
fn with_sources(first: &[&SigningKey], second: &[&SigningKey]) -> (Temporal, KeyServer) {
    let server = KeyServer::start();
    let own = [es256("of the first"), es256("of the second")];
    server.reply("/1", Reply::json(jwk_set(&[first, &[&own[0]]].concat())));
    server.reply("/2", Reply::json(jwk_set(&[second, &[&own[1]]].concat())));
    let temporal = start(&[(SOURCES[0], &server.url("/1")), (SOURCES[1], &server.url("/2"))]);
    // A token whose key is not there yet waits for it.
    for key in &own {
        assert_eq!(temporal.ask(DESCRIBE, &signed_by(key)), Ok);
    }
    (temporal, server)
}

#[test]
fn s1_3_a_file_is_a_source_of_this_machine() {
    let folder = Folder::new("files");
    let file = folder.file("the keys.json");
    fs::write(&file, jwk_set(&[&KEY])).unwrap();
    let path = file.replace(' ', "%20");
    for uri in
        [format!("file://{path}"), format!("file://localhost{path}"), format!("  file://{path} ")]
    {
        let temporal = start(&[(SOURCES[1], &uri)]);
        assert_eq!(temporal.ask(DESCRIBE, &signed_by(&KEY)), Ok, "{uri}");
    }
    let missing = start(&[(SOURCES[0], &format!("file://{path}.missing"))]);
    assert_eq!(missing.ask(DESCRIBE, &signed_by(&KEY)), PermissionDenied);
}

#[test]
fn s1_3_keys_of_both_sources_count() {
    let (a, b) = (es256("a"), es256("b"));
    let (temporal, _server) = with_sources(&[&a], &[&b]);
    assert_eq!([&a, &b].map(|key| temporal.ask(DESCRIBE, &signed_by(key))), [Ok, Ok]);
    assert_eq!(temporal.ask(DESCRIBE, &signed_by(&es256("a"))), PermissionDenied);
}

#[test]
fn s1_3_of_one_key_id_the_later_source_or_key_wins() {
    let [first, middle, last] = [(); 3].map(|()| es256("same"));
    let other = es256("other");
    let (temporal, _server) = with_sources(&[&first, &other], &[&middle, &last]);
    for (key, expected) in
        [(&last, Ok), (&other, Ok), (&first, PermissionDenied), (&middle, PermissionDenied)]
    {
        assert_eq!(temporal.ask(DESCRIBE, &signed_by(key)), expected);
    }
}

#[test]
fn s1_3_the_algorithm_chooses_among_families_with_one_key_id() {
    let (rsa, ec) = (SigningKey::generate(Algorithm::RS256, "same"), es256("same"));
    let (temporal, _server) = with_sources(&[&rsa], &[&ec]);
    assert_eq!([&rsa, &ec].map(|key| temporal.ask(DESCRIBE, &signed_by(key))), [Ok, Ok]);
}

#[test]
fn s1_3_only_rs256_and_es256_are_supported() {
    let algorithms = [
        Algorithm::RS256,
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::ES512,
        Algorithm::EdDSA,
    ];
    let keys = algorithms.map(|algorithm| SigningKey::generate(algorithm, algorithm.name()));
    let keys: Vec<_> = keys.iter().collect();
    let (temporal, _server) = with_sources(&keys, &keys);
    for key in keys {
        let supported = matches!(key.algorithm(), Algorithm::RS256 | Algorithm::ES256);
        let expected = if supported { Ok } else { PermissionDenied };
        assert_eq!(temporal.ask(DESCRIBE, &signed_by(key)), expected, "{}", key.key_id());
    }
    // The text of a public key is no secret.
    let pem = KEY.public_key_pem().unwrap();
    let secret = SigningKey::from_secret(Algorithm::HS256, "ES256", pem.as_bytes());
    assert_eq!(temporal.ask(DESCRIBE, &signed_by(&secret)), PermissionDenied);
    let none = token_by(&KEY, &claims(), &|token| token.header("alg", "none").signature(""));
    assert_eq!(temporal.ask(DESCRIBE, &none), PermissionDenied);
}

#[test]
fn s1_3_a_token_names_its_key_with_a_string() {
    let temporal = temporal();
    assert_eq!(temporal.ask(DESCRIBE, &signed_by(&KEY)), Ok);
    let without = token_by(&KEY, &claims(), &|token| token.without_key_id());
    assert_eq!(temporal.ask(DESCRIBE, &without), PermissionDenied);
    for kid in [json!("other"), json!(""), json!(1), json!(null), json!(["key"]), json!("KEY")] {
        let token = token_by(&KEY, &claims(), &|token| token.header("kid", &kid));
        assert_eq!(temporal.ask(DESCRIBE, &token), PermissionDenied, "{kid}");
    }
}

#[test]
fn s1_3_a_key_without_an_id_is_nobodys() {
    let key = es256("x");
    let mut jwk = key.public_jwk().unwrap();
    jwk.as_object_mut().unwrap().remove("kid");
    let server = KeyServer::start();
    server.reply("/", Reply::json(json!({ "keys": [jwk, KEY.public_jwk()] }).to_string()));
    let temporal = start(&[(SOURCES[0], &server.url("/"))]);
    assert_eq!(temporal.ask(DESCRIBE, &signed_by(&KEY)), Ok);
    for change in [None, Some("x")] {
        let token = token_by(&key, &claims(), &|token| match change {
            None => token.without_key_id(),
            Some(kid) => token.header("kid", kid),
        });
        assert_eq!(temporal.ask(DESCRIBE, &token), PermissionDenied);
    }
}

/// One such key fails the whole refresh of Temporal.
#[test]
fn s1_3_keys_that_cannot_be_used_spoil_no_others() {
    let keys = json!({"keys": [
        {"kty": "XYZ", "kid": "a"},
        {"kty": "EC", "crv": "P-1", "kid": "b", "x": "AA", "y": "AA"},
        {"kty": "oct", "kid": "c", "k": "AAAA"},
        null,
        KEY.public_jwk(),
    ]});
    let server = KeyServer::start();
    server.reply("/", Reply::json(keys.to_string()));
    let temporal = start(&[(SOURCES[0], &server.url("/"))]);
    assert_eq!(temporal.ask(DESCRIBE, &signed_by(&KEY)), Ok);
}

/// One source that is down stops Temporal's refresh of all.
#[test]
fn s1_3_a_source_that_is_down_holds_no_other_up() {
    let server = KeyServer::start();
    server.reply("/down", Reply::empty().status(500));
    server.reply("/up", Reply::json(jwk_set(&[&KEY])));
    for order in [["/down", "/up"], ["/up", "/down"]] {
        let [first, second] = order.map(|path| server.url(path));
        let temporal = start(&[(SOURCES[0], &first), (SOURCES[1], &second)]);
        assert_eq!(temporal.ask(DESCRIBE, &signed_by(&KEY)), Ok, "{order:?}");
    }
}

#[test]
fn s1_3_without_keys_it_starts_and_rejects_every_token() {
    let server = KeyServer::start();
    server.reply("/", Reply::empty().status(503));
    let temporal = start(&[(SOURCES[0], &server.url("/"))]);
    assert_eq!(temporal.ask(DESCRIBE, &signed_by(&KEY)), PermissionDenied);
    let open = temporal.call(crate::server::SYSTEM_INFO, &[], bytes::Bytes::new());
    assert!(open.is_ok());
    server.reply("/", Reply::json(jwk_set(&[&KEY])));
    // Tokens ask for keys that are not there.
    assert_eq!(temporal.ask(DESCRIBE, &signed_by(&KEY)), Ok);
}

/// Temporal takes any JSON object for a set, whatever the status, and has no keys then.
#[test]
fn s1_3_good_keys_outlive_documents_that_have_none() {
    let server = KeyServer::start();
    server.reply("/", Reply::json(jwk_set(&[&KEY])));
    let temporal = start(&[(SOURCES[0], &server.url("/"))]);
    assert_eq!(temporal.ask(DESCRIBE, &signed_by(&KEY)), Ok);
    let fake = es256("fake");
    for reply in [
        Reply::json(r#"{"keys":[]}"#),
        Reply::json(r#"{"error":"no"}"#),
        Reply::json(jwk_set(&[&fake])).status(404),
    ] {
        server.reply("/", reply);
        let hits = server.hits("/");
        assert_eq!(temporal.ask(DESCRIBE, &signed_by(&es256(&hits.to_string()))), PermissionDenied);
        assert!(server.wait_for_hits("/", hits + 1, Duration::from_secs(5)));
        assert_eq!(temporal.ask(DESCRIBE, &signed_by(&KEY)), Ok);
    }
    assert_eq!(temporal.ask(DESCRIBE, &signed_by(&fake)), PermissionDenied);
}

/// Temporal waits for its next refresh.
#[test]
fn s1_3_a_new_key_is_fetched_when_a_token_names_it() {
    let server = KeyServer::start();
    server.reply("/", Reply::json(jwk_set(&[&KEY])));
    let temporal = start(&[(SOURCES[0], &server.url("/")), ("TEMPORAL_JWT_KEY_REFRESH", "0")]);
    assert_eq!(temporal.ask(DESCRIBE, &signed_by(&KEY)), Ok);
    let new = es256("new");
    server.reply("/", Reply::json(jwk_set(&[&new])));
    assert_eq!(temporal.ask(DESCRIBE, &signed_by(&new)), Ok);
    // What the document has lost is gone.
    assert_eq!(temporal.ask(DESCRIBE, &signed_by(&KEY)), PermissionDenied);
}

#[test]
fn s1_3_sources_are_asked_again_by_the_clock() {
    let server = KeyServer::start();
    server.reply("/", Reply::json(jwk_set(&[&KEY])).cache_control("max-age=86400"));
    let _temporal = start(&[(SOURCES[0], &server.url("/")), ("TEMPORAL_JWT_KEY_REFRESH", "1s")]);
    assert!(server.wait_for_hits("/", 2, Duration::from_secs(10)));
}

#[test]
fn s1_3_redirects_are_not_followed() {
    let server = KeyServer::start();
    server.reply("/keys", Reply::json(jwk_set(&[&KEY])));
    server.reply("/", Reply::redirect(302, server.url("/keys")));
    let temporal = start(&[(SOURCES[0], &server.url("/"))]);
    assert_eq!(temporal.ask(DESCRIBE, &signed_by(&KEY)), PermissionDenied);
    assert_eq!(server.hits("/keys"), 0);
}
