use std::time::Duration;

use serde_json::{Value, json};

use super::{MintError, Minter, SigningKey};
use crate::{Algorithm, Authenticator, Clock, Issuer, KeyError, NumericDate, VerificationKey};

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
fn private_keys_come_back_from_their_pem_with_id_and_algorithm() {
    for &algorithm in Algorithm::ALL.iter().filter(|algorithm| !algorithm.is_symmetric()) {
        let key = SigningKey::generate(algorithm).unwrap();
        let pem = key.to_pem().unwrap().unwrap();
        let again = SigningKey::from_pem(&pem).unwrap();
        assert_eq!(again.algorithm(), algorithm);
        assert_eq!(again.key_id(), key.key_id());
        assert_eq!(again.public_jwk(), key.public_jwk());
        assert_eq!(again.public_key_pem().unwrap(), key.public_key_pem().unwrap());
        VerificationKey::from_pem(&key.public_key_pem().unwrap().unwrap()).unwrap();
        VerificationKey::from_signing_key_pem(&pem).unwrap();
        // As the variables of an environment hold it.
        let escaped = pem.replace('\n', r"\n");
        assert_eq!(SigningKey::from_pem(&escaped).unwrap().algorithm(), algorithm);
        VerificationKey::from_signing_key_pem(&escaped).unwrap();
    }
}

#[test]
fn the_key_id_is_the_thumbprint_that_verifiers_compute() {
    for algorithm in [Algorithm::RS256, Algorithm::ES384, Algorithm::EdDSA] {
        let key = SigningKey::generate(algorithm).unwrap();
        assert_eq!(key.key_id(), key.verification_key().unwrap().thumbprint());
    }
    assert_eq!(SigningKey::generate(Algorithm::HS256).unwrap().key_id(), None);
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
fn a_key_signs_with_no_algorithm_of_another_type() {
    let ec = SigningKey::generate(Algorithm::ES256).unwrap();
    for other in [Algorithm::ES384, Algorithm::RS256, Algorithm::HS256, Algorithm::EdDSA] {
        let rejected = ec.clone().for_algorithm(other);
        assert!(matches!(rejected, Err(KeyError::Unusable { .. })), "{other}");
    }
    let secret = SigningKey::generate(Algorithm::HS256).unwrap();
    let rejected = secret.for_algorithm(Algorithm::HS512);
    assert!(matches!(rejected, Err(KeyError::SecretTooShort { .. })));
    let rejected = SigningKey::from_secret(b"short", Algorithm::HS256);
    assert!(matches!(rejected, Err(KeyError::SecretTooShort { .. })));
    let pem = ec.public_key_pem().unwrap().unwrap();
    let rejected = SigningKey::from_secret(&pem, Algorithm::HS256);
    assert!(matches!(rejected, Err(KeyError::SecretIsPublicKey)));
    assert!(matches!(SigningKey::from_pem(&pem), Err(KeyError::InvalidSigningKey { .. })));
}

#[test]
fn no_debug_output_holds_the_key() {
    let secret = SigningKey::from_secret([b'k'; 32], Algorithm::HS256).unwrap();
    assert!(!format!("{secret:?}").contains("kkkk") && !format!("{secret:?}").contains("107"));
}

#[test]
fn keys_have_one_thumbprint_whatever_form_they_came_in() {
    for &algorithm in Algorithm::ALL.iter().filter(|algorithm| !algorithm.is_symmetric()) {
        let key = SigningKey::generate(algorithm).unwrap();
        let public = VerificationKey::from_pem(&key.public_key_pem().unwrap().unwrap()).unwrap();
        assert_eq!(public.thumbprint(), key.key_id(), "{algorithm}");
        let private = VerificationKey::from_signing_key_pem(&key.to_pem().unwrap().unwrap());
        let narrowed = private.unwrap().algorithm(algorithm).unwrap();
        assert_eq!(narrowed.thumbprint(), key.key_id(), "{algorithm}");
    }
}
