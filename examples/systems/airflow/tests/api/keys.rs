//! §3.3: three modes of keys.

use std::sync::LazyLock;

use portcullis_axum::{Algorithm, keys};
use portcullis_testkit::{KeyServer, Reply, SigningKey};
use serde_json::{Value, json};

use crate::server::{
    Airflow, Folder, SECRET, USERS, airflow, airflow_with, claims, token_by, user,
};

const DAGS: &str = "/api/v2/dags";

static RSA: LazyLock<keys::SigningKey> =
    LazyLock::new(|| keys::SigningKey::generate(Algorithm::RS256).unwrap());

fn header(token: &str) -> Value {
    let part = token.split('.').next().unwrap();
    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn start(variables: &[(&str, &str)]) -> Airflow {
    let mut all = vec![USERS];
    all.extend_from_slice(variables);
    Airflow::start(&all)
}

#[test]
fn s3_3_a_secret_signs_with_hs512_and_accepts_any_kid() {
    let airflow = airflow();
    let token = airflow.log_in("alice");
    assert_eq!(header(&token), json!({"alg": "HS512", "kid": "not-used", "typ": "JWT"}));
    let key = |algorithm| SigningKey::from_secret(algorithm, "any", SECRET.as_bytes());
    for (token, status) in [
        (token, 200),
        (token_by(&key(Algorithm::HS512), &user("ADMIN"), &|token| token), 200),
        (token_by(&key(Algorithm::HS512), &user("ADMIN"), &|token| token.without_key_id()), 200),
        (token_by(&key(Algorithm::HS256), &user("ADMIN"), &|token| token), 403),
        (token_by(&key(Algorithm::HS384), &user("ADMIN"), &|token| token), 403),
    ] {
        assert_eq!(airflow.call("GET", DAGS, &token).status, status, "{}", header(&token));
    }
}

#[test]
fn s3_3_of_a_list_of_algorithms_the_first_signs_and_each_is_accepted() {
    let airflow = airflow_with(&[
        ("AIRFLOW__API_AUTH__JWT_ALGORITHM", "HS256,HS384"),
        ("AIRFLOW__API_AUTH__JWT_KID", "mine"),
    ]);
    let token = airflow.log_in("alice");
    assert_eq!(header(&token), json!({"alg": "HS256", "kid": "mine", "typ": "JWT"}));
    let key = |algorithm| SigningKey::from_secret(algorithm, "any", SECRET.as_bytes());
    for (algorithm, status) in
        [(Algorithm::HS256, 200), (Algorithm::HS384, 200), (Algorithm::HS512, 403)]
    {
        let token = token_by(&key(algorithm), &user("ADMIN"), &|token| token);
        assert_eq!(airflow.call("GET", DAGS, &token).status, status, "{algorithm}");
    }
}

#[test]
fn s3_3_a_short_secret_works_and_is_warned_of() {
    let airflow = start(&[("AIRFLOW__API_AUTH__JWT_SECRET", "short")]);
    let token = airflow.log_in("alice");
    assert_eq!(airflow.call("GET", DAGS, &token).status, 200);
}

#[test]
fn s3_3_a_private_key_signs_by_its_type_and_the_kid_is_required() {
    let folder = Folder::new("private");
    let ed25519 = keys::SigningKey::generate(Algorithm::EdDSA).unwrap();
    for (algorithm, key) in [("RS256", RSA.clone()), ("EdDSA", ed25519)] {
        let path = folder.write(algorithm, &key.to_pem().unwrap().unwrap());
        let airflow = start(&[("AIRFLOW__API_AUTH__JWT_PRIVATE_KEY_PATH", &path)]);
        let token = airflow.log_in("alice");
        assert_eq!(header(&token)["alg"], algorithm);
        assert_eq!(header(&token)["kid"].as_str().unwrap().len(), 43);
        assert_eq!(airflow.call("GET", DAGS, &token).status, 200);
        let without = json!({"alg": algorithm, "typ": "JWT"});
        for kid in [None, Some("other")] {
            let mut header = without.clone();
            if let Some(kid) = kid {
                header["kid"] = kid.into();
            }
            let token = sign(&key, &header, &user("ADMIN"));
            assert_eq!(airflow.call("GET", DAGS, &token).status, 403, "{header}");
        }
        let secret = SigningKey::from_secret(Algorithm::HS512, "x", SECRET.as_bytes());
        let secret = token_by(&secret, &user("ADMIN"), &|token| token);
        assert_eq!(airflow.call("GET", DAGS, &secret).status, 403);
    }
}

/// A token with any header.
fn sign(key: &keys::SigningKey, header: &Value, claims: &Value) -> String {
    let encode = |json: &Value| base64_simd::URL_SAFE_NO_PAD.encode_to_string(json.to_string());
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", base64_simd::URL_SAFE_NO_PAD.encode_to_string(signature))
}

#[test]
fn s3_3_a_jwk_set_verifies_and_the_private_key_signs() {
    let folder = Folder::new("set");
    let private = folder.write("key.pem", &RSA.to_pem().unwrap().unwrap());
    let other = keys::SigningKey::generate(Algorithm::EdDSA).unwrap().with_key_id("other");
    let foreign = keys::SigningKey::generate(Algorithm::EdDSA).unwrap().with_key_id("foreign");
    let own: Value =
        serde_json::from_str(&RSA.clone().with_key_id("mine").public_jwk().unwrap()).unwrap();
    let published: Value = serde_json::from_str(&other.public_jwk().unwrap()).unwrap();
    let mut encrypting: Value = serde_json::from_str(&foreign.public_jwk().unwrap()).unwrap();
    encrypting["use"] = "enc".into();
    let secret = base64_simd::URL_SAFE_NO_PAD.encode_to_string(SECRET);
    let oct = json!({"kty": "oct", "kid": "oct", "k": secret, "alg": "HS512"});
    let set = json!({"keys": [own, published, encrypting, oct]}).to_string();
    let server = KeyServer::start();
    server.reply("/jwks.json", Reply::json(set.clone()));
    let (url, file) = (server.url("/jwks.json"), folder.write("jwks.json", &set));
    for place in [&url, &file] {
        let airflow = start(&[
            ("AIRFLOW__API_AUTH__TRUSTED_JWKS_URL", place),
            ("AIRFLOW__API_AUTH__JWT_PRIVATE_KEY_PATH", &private),
            ("AIRFLOW__API_AUTH__JWT_KID", "mine"),
        ]);
        let by = |key: &keys::SigningKey, kid: Option<&str>| {
            let mut header = json!({"alg": key.algorithm().name(), "typ": "JWT"});
            if let Some(kid) = kid {
                header["kid"] = kid.into();
            }
            sign(key, &header, &user("ADMIN"))
        };
        let oct = SigningKey::from_secret(Algorithm::HS512, "oct", SECRET.as_bytes());
        for (token, status, what) in [
            (airflow.log_in("alice"), 200, "its own"),
            (by(&other, Some("other")), 200, "of the set"),
            (by(&other, None), 403, "without kid"),
            (by(&other, Some("unknown")), 403, "of an unknown kid"),
            (by(&foreign, Some("foreign")), 403, "by a key for encryption"),
            (token_by(&oct, &user("ADMIN"), &|token| token), 403, "by a secret in the set"),
        ] {
            assert_eq!(airflow.call("GET", DAGS, &token).status, status, "{place} {what}");
        }
    }
}

#[test]
fn s3_3_a_key_server_that_does_not_answer_is_503_and_no_fault_of_the_token() {
    let folder = Folder::new("down");
    let private = folder.write("key.pem", &RSA.to_pem().unwrap().unwrap());
    let server = KeyServer::start();
    server.reply("/jwks.json", Reply::json("{}").status(500));
    let airflow = start(&[
        ("AIRFLOW__API_AUTH__TRUSTED_JWKS_URL", &server.url("/jwks.json")),
        ("AIRFLOW__API_AUTH__JWT_PRIVATE_KEY_PATH", &private),
    ]);
    let answer = airflow.call("GET", DAGS, &airflow.log_in("alice"));
    assert_eq!(answer.detail(), (503, "keys_unavailable".to_owned()));
    assert_eq!(claims(&airflow.log_in("bob"))["role"], "VIEWER");
}
