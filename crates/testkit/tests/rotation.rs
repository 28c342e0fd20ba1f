//! Keys of an issuer that are replaced.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that cannot go on stops there"
)]

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use portcullis::{Algorithm, AuthErrorKind, Authenticator, JwkSet, NumericDate};
use portcullis_testkit::{KeyServer, ManualClock, TestIssuer};

fn authenticator(issuer: &TestIssuer) -> Authenticator {
    Authenticator::builder().issuer(issuer.trusted()).audience("orders").build().unwrap()
}

fn key_ids(issuer: &TestIssuer, algorithm: &str) -> Vec<String> {
    let set: serde_json::Value = serde_json::from_str(&issuer.jwk_set_json()).unwrap();
    let keys = set["keys"].as_array().unwrap().iter();
    let keys = keys.filter(|key| key["alg"] == algorithm);
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn signs_with_the_new_key_after_a_rotation() {
    let issuer = TestIssuer::new("https://idp.test");
    let token = issuer.token().audience("orders");
    let before = authenticator(&issuer);
    let old_token = token.build();
    issuer.rotate(Algorithm::ES256);
    assert_eq!(issuer.key(Algorithm::ES256).key_id(), "es256-2");

    let new_token = token.build();
    let rejected = before.authenticate_token_now(&new_token).unwrap_err().kind();
    assert_eq!(rejected, AuthErrorKind::UnknownKey);
    let after = authenticator(&issuer);
    after.authenticate_token_now(&new_token).unwrap();
    after.authenticate_token_now(&old_token).unwrap();

    issuer.retire_old_keys();
    let later = authenticator(&issuer);
    later.authenticate_token_now(&new_token).unwrap();
    let rejected = later.authenticate_token_now(&old_token).unwrap_err().kind();
    assert_eq!(rejected, AuthErrorKind::UnknownKey);
}

#[test]
fn publishes_old_keys_until_they_are_retired() {
    let issuer = TestIssuer::new("https://idp.test");
    assert_eq!(key_ids(&issuer, "ES256"), ["es256"]);
    issuer.retire_old_keys();
    assert_eq!(key_ids(&issuer, "ES256"), ["es256"]);
    issuer.rotate(Algorithm::ES256);
    issuer.rotate(Algorithm::ES256);
    assert_eq!(key_ids(&issuer, "ES256"), ["es256", "es256-2", "es256-3"]);
    assert_eq!(key_ids(&issuer, "ES384"), ["es384"]);
    issuer.retire_old_keys();
    issuer.rotate(Algorithm::ES256);
    assert_eq!(key_ids(&issuer, "ES256"), ["es256-3", "es256-4"]);
}

#[test]
fn rotates_before_the_first_use_and_lends_keys_through_rotations() {
    let issuer = TestIssuer::new("https://idp.test");
    issuer.rotate(Algorithm::EdDSA);
    let lent = issuer.key(Algorithm::EdDSA);
    issuer.rotate(Algorithm::EdDSA);
    assert_eq!(lent.key_id(), "eddsa-2");
    assert_eq!(key_ids(&issuer, "EdDSA"), ["eddsa", "eddsa-2", "eddsa-3"]);
}

#[test]
fn makes_keys_that_share_nothing_with_the_old_ones() {
    let issuer = TestIssuer::new("https://idp.test");
    let modulus = || issuer.key(Algorithm::RS256).public_jwk().unwrap()["n"].clone();
    let secret = || issuer.key(Algorithm::HS256).secret().unwrap().to_vec();
    let (old_modulus, old_secret) = (modulus(), secret());
    issuer.rotate(Algorithm::RS256);
    issuer.rotate(Algorithm::HS256);
    assert_ne!(old_modulus, modulus());
    assert_ne!(old_secret, secret());
}

#[test]
fn rotates_the_keys_of_clones_too() {
    let issuer = TestIssuer::new("https://idp.test");
    let clone = issuer.clone();
    clone.rotate(Algorithm::ES256);
    assert_eq!(issuer.key(Algorithm::ES256).key_id(), "es256-2");
}

#[test]
fn loses_no_rotation_of_threads() {
    let issuer = TestIssuer::new("https://idp.test");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| issuer.rotate(Algorithm::ES256));
        }
    });
    assert_eq!(issuer.key(Algorithm::ES256).key_id(), "es256-5");
    assert_eq!(JwkSet::from_json(&issuer.jwk_set_json()).unwrap().skipped().len(), 0);
}

fn served_key_ids(server: &KeyServer) -> Vec<String> {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(stream, "GET /jwks.json HTTP/1.1\r\nhost: {}\r\n\r\n", server.address()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (_, body) = response.split_once("\r\n\r\n").unwrap();
    let set: serde_json::Value = serde_json::from_str(body).unwrap();
    let keys = set["keys"].as_array().unwrap().iter();
    let keys = keys.filter(|key| key["alg"] == "ES256");
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_server_rotates_keys_when_their_time_has_come() {
    let clock = ManualClock::at(NumericDate::from_seconds(1_800_000_000));
    let server = KeyServer::start();
    let issuer = TestIssuer::new(server.url("")).clock(clock.clone());
    let hour = Duration::from_secs(3600);
    server.publish_rotating(&issuer, Algorithm::ES256, clock.clone(), hour);
    assert_eq!(served_key_ids(&server), ["es256"]);
    clock.advance(Duration::from_secs(3599));
    assert_eq!(served_key_ids(&server), ["es256"]);
    clock.advance(Duration::from_secs(1));
    assert_eq!(served_key_ids(&server), ["es256", "es256-2"]);
    assert_eq!(issuer.key(Algorithm::ES256).key_id(), "es256-2");
    assert_eq!(served_key_ids(&server), ["es256", "es256-2"]);
    // Turns that were missed are not made up for.
    clock.advance(24 * hour);
    assert_eq!(served_key_ids(&server), ["es256-2", "es256-3"]);
}
