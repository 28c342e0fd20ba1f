//! The tokens of [RFC 7515 App. A], through the whole engine.
//!
//! [RFC 7515 App. A]: https://www.rfc-editor.org/rfc/rfc7515#appendix-A

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot read its vectors should stop there"
)]

use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;
use portcullis::{
    Algorithm, AuthErrorKind, Authenticator, Issuer, JwkSet, NumericDate, VerificationKey,
    clock::Clock,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Vector {
    section: String,
    jwk: Map<String, Value>,
    payload: String,
    token: String,
}

impl Vector {
    fn of(section: &str) -> Self {
        let vectors = include_str!("../../crates/jose/src/jws/tests/vectors/rfc.json");
        let vectors: Vec<Self> = serde_json::from_str(vectors).unwrap();
        vectors.into_iter().find(|vector| vector.section == section).unwrap()
    }

    /// The key as an issuer publishes it, or the secret as an operator configures it.
    fn key(&self) -> VerificationKey {
        if let Some(secret) = self.jwk.get("k").and_then(Value::as_str) {
            let secret = URL_SAFE_NO_PAD.decode_to_vec(secret).unwrap();
            return VerificationKey::from_secret(secret, Algorithm::HS256).unwrap();
        }
        let public = ["kty", "n", "e", "crv", "x", "y"];
        let mut jwk = self.jwk.clone();
        jwk.retain(|name, _| public.contains(&name.as_str()));
        let set = JwkSet::from_json(&json!({ "keys": [jwk] }).to_string());
        set.unwrap().keys()[0].clone()
    }

    fn segments(&self) -> [&str; 3] {
        self.token.split('.').collect::<Vec<_>>().try_into().unwrap()
    }
}

#[derive(Debug)]
struct FixedClock(i64);

impl Clock for FixedClock {
    fn now(&self) -> NumericDate {
        NumericDate::from_seconds(self.0)
    }
}

/// `exp` of the tokens in App. A.
const EXPIRY: i64 = 1_300_819_380;

/// An engine for the issuer of App. A, whose tokens name neither an audience nor a subject.
fn engine_for(vector: &Vector, now: i64) -> Authenticator {
    let issuer = Issuer::new("joe")
        .key(vector.key())
        .leeway(Duration::ZERO)
        .dangerous_any_audience()
        .dangerous_optional_subject();
    Authenticator::builder().issuer(issuer).clock(FixedClock(now)).build().unwrap()
}

#[test]
fn the_tokens_of_appendix_a_1_to_a_3_are_authenticated_until_they_expire() {
    for section in ["RFC 7515 A.1", "RFC 7515 A.2", "RFC 7515 A.3"] {
        let vector = Vector::of(section);
        let token = vector.token.as_str();
        let caller = engine_for(&vector, EXPIRY - 1).authenticate_token_now(token).unwrap();
        let principal = caller.principal();
        assert_eq!((principal.issuer(), principal.subject()), ("joe", ""));
        assert_eq!(principal.expires_at(), Some(NumericDate::from_seconds(EXPIRY)));
        assert_eq!(principal.claim("http://example.com/is_root").unwrap(), Some(true));

        let late = engine_for(&vector, EXPIRY).authenticate_token_now(token).unwrap_err();
        assert_eq!(late.kind(), AuthErrorKind::TokenExpired, "{section}");
    }
}

#[test]
fn a_changed_token_of_appendix_a_is_not_authenticated() {
    for section in ["RFC 7515 A.1", "RFC 7515 A.2", "RFC 7515 A.3"] {
        let vector = Vector::of(section);
        let engine = engine_for(&vector, EXPIRY - 1);
        // Still JSON, and still from `joe`: a year longer.
        let later = vector.payload.replace("1300819380", "1332355380");
        let [header, payload, signature] = vector.segments();
        let later = URL_SAFE_NO_PAD.encode_to_string(later);
        let mut changed = URL_SAFE_NO_PAD.decode_to_vec(signature).unwrap();
        *changed.last_mut().unwrap() ^= 1;
        let changed = URL_SAFE_NO_PAD.encode_to_string(changed);
        for token in
            [format!("{header}.{later}.{signature}"), format!("{header}.{payload}.{changed}")]
        {
            let rejected = engine.authenticate_token_now(&token).unwrap_err();
            assert_eq!(rejected.kind(), AuthErrorKind::SignatureMismatch, "{section}");
        }
    }
}

#[test]
fn a_payload_that_is_not_json_is_no_token_of_claims() {
    let vector = Vector::of("RFC 7515 A.4");
    let rejected = engine_for(&vector, 0).authenticate_token_now(&vector.token).unwrap_err();
    assert_eq!(rejected.kind(), AuthErrorKind::MalformedToken);
}
