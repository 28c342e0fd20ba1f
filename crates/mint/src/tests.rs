use std::time::Duration;

use portcullis::{Authenticator, Issuer, clock::Clock};
use portcullis_jose::{Algorithm, NumericDate, SigningKey, VerificationKey};
use serde_json::{Value, json};

use super::{MintError, Minter};

const NOW: i64 = 1_800_000_000;

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> NumericDate {
        NumericDate::from_seconds(NOW)
    }
}

fn claims_of(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64_simd::URL_SAFE_NO_PAD.decode_to_vec(payload).unwrap()).unwrap()
}

fn header_of(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&base64_simd::URL_SAFE_NO_PAD.decode_to_vec(header).unwrap()).unwrap()
}

fn engine(key: VerificationKey) -> Authenticator {
    let issuer = Issuer::new("own").key(key);
    Authenticator::builder().issuer(issuer).audience("orders").clock(Fixed).build().unwrap()
}

#[test]
fn the_engine_accepts_what_each_algorithm_has_signed() {
    for &algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let auth = engine(key.verification_key().unwrap());
        let minter = Minter::new(key.clone()).issuer("own").clock(Fixed);
        let minted = minter.mint(&json!({"sub": "alice", "aud": "orders"})).unwrap();
        assert_eq!(header_of(minted.token())["alg"], algorithm.name());
        let caller = auth.authenticate_token_now(minted.token()).unwrap();
        assert_eq!(caller.principal().subject(), "alice", "{algorithm}");
        let other = SigningKey::generate(algorithm).unwrap();
        let other = Minter::new(match key.key_id() {
            Some(key_id) => other.with_key_id(key_id),
            None => other,
        });
        let forged = other.issuer("own").clock(Fixed);
        let forged = forged.mint(&json!({"sub": "alice", "aud": "orders"})).unwrap();
        let rejected = auth.authenticate_token_now(forged.token()).unwrap_err();
        assert_eq!(rejected.kind().code(), "signature_mismatch", "{algorithm}");
    }
}

#[test]
fn tokens_are_dated_and_have_an_id_of_their_own() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let minter =
        Minter::new(key).clock(Fixed).lifetime(Duration::from_secs(60)).token_type("at+jwt");
    let minted = minter.mint(&json!({"sub": "alice", "jti": null})).unwrap();
    let claims = claims_of(minted.token());
    assert_eq!((&claims["iat"], &claims["nbf"]), (&json!(NOW), &json!(NOW)));
    assert_eq!(claims["exp"], NOW + 60);
    assert_eq!(minted.expires_at(), Some(NumericDate::from_seconds(NOW + 60)));
    assert_eq!(claims["jti"].as_str(), minted.token_id());
    assert_eq!(minted.token_id().unwrap().len(), 22);
    assert_eq!(header_of(minted.token())["typ"], "at+jwt");
    assert!(claims.get("iss").is_none());
    assert_ne!(minter.mint(&json!({})).unwrap().token_id(), minted.token_id());
    assert!(!format!("{minted:?}").contains(minted.token()));
}

#[test]
fn claims_that_are_given_stand() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let minter = Minter::new(key).clock(Fixed).issuer("own");
    let given = json!({"iat": 1, "nbf": 2, "exp": 3, "jti": "4", "iss": "other"});
    assert_eq!(claims_of(minter.mint(&given).unwrap().token()), given);
    assert!(matches!(minter.mint(&json!([1])), Err(MintError::NoObject)));
}

#[test]
fn a_prefix_and_an_earlier_date_are_part_of_each_token() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let minter = Minter::new(key).clock(Fixed).prefix("jwt_ext_").backdate(Duration::from_secs(30));
    let minted = minter.mint(&json!({})).unwrap();
    let claims = claims_of(minted.token().strip_prefix("jwt_ext_").unwrap());
    assert_eq!((&claims["iat"], &claims["nbf"]), (&json!(NOW - 30), &json!(NOW - 30)));
    assert_eq!(claims["exp"], NOW + 3600);
}
