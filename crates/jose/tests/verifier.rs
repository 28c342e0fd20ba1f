//! Signatures of JWS that are no access tokens.

#![expect(clippy::unwrap_used, reason = "a test that cannot make its keys should stop there")]

use base64_simd::URL_SAFE_NO_PAD;
use portcullis_jose::{
    Algorithm, JwkSet, JwkSetError, JwsErrorKind, JwsVerifier, SigningKey, VerificationKey,
};
use serde_json::{Value, json};

fn signed(key: &SigningKey, header: &Value, payload: &[u8]) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
    let input = format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload));
    format!("{input}.{}", encode(&key.sign(input.as_bytes()).unwrap()))
}

fn error(verifier: &JwsVerifier, jws: &str) -> Option<JwsErrorKind> {
    verifier.verify(jws).err().map(|error| error.kind())
}

fn key() -> (SigningKey, JwsVerifier) {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let verifier = JwsVerifier::new([key.verification_key().unwrap()]).unwrap();
    (key, verifier)
}

#[test]
fn the_payload_may_be_any_bytes() {
    let (key, verifier) = key();
    let header = json!({"alg": "ES256"});
    for payload in [&b""[..], b"\xff\x00", b"{", &[b'x'; 100_000]] {
        let verified = verifier.verify(&signed(&key, &header, payload)).unwrap();
        assert_eq!(verified.payload(), payload);
        assert_eq!(verified.header(), header.to_string());
        assert_eq!(verified.key().thumbprint(), key.key_id());
        assert!(!format!("{verified:?}").contains("payload"));
    }
}

#[test]
fn each_rejection_has_its_kind() {
    let (key, verifier) = key();
    let good = signed(&key, &json!({"alg": "ES256", "kid": key.key_id()}), b"x");
    assert_eq!(error(&verifier, &good), None);
    assert_eq!(error(&verifier, ""), Some(JwsErrorKind::Empty));
    assert_eq!(error(&verifier, "a.b"), Some(JwsErrorKind::Malformed));
    assert_eq!(error(&verifier, "a b"), Some(JwsErrorKind::IllegalCharacter));
    assert_eq!(error(&verifier, &good.replace("eA", "eB")), Some(JwsErrorKind::Malformed));
    assert_eq!(error(&verifier, &good.replace("eA", "eQ")), Some(JwsErrorKind::SignatureMismatch));
    assert_eq!(
        error(&verifier, &signed(&key, &json!({"alg": "none"}), b"x")),
        Some(JwsErrorKind::AlgorithmNotAllowed)
    );
    assert_eq!(
        error(&verifier, &signed(&key, &json!({"alg": "HS256"}), b"x")),
        Some(JwsErrorKind::AlgorithmNotAllowed)
    );
    let critical = json!({"alg": "ES256", "crit": ["b64"], "b64": false});
    assert_eq!(
        error(&verifier, &signed(&key, &critical, b"x")),
        Some(JwsErrorKind::UnsupportedCriticalHeader)
    );
    let unknown = json!({"alg": "ES256", "kid": "other"});
    assert_eq!(error(&verifier, &signed(&key, &unknown, b"x")), Some(JwsErrorKind::UnknownKey));
    let narrow = verifier.algorithms([Algorithm::EdDSA]).max_len(10);
    assert_eq!(error(&narrow, &good), Some(JwsErrorKind::TooLong));
    assert_eq!(error(&narrow.max_len(1000), &good), Some(JwsErrorKind::AlgorithmNotAllowed));
}

#[test]
fn without_a_kid_four_keys_are_tried() {
    let keys: Vec<_> = (0..5).map(|_| SigningKey::generate(Algorithm::EdDSA).unwrap()).collect();
    let verifier =
        JwsVerifier::new(keys.iter().map(|key| key.verification_key().unwrap())).unwrap();
    let codes =
        keys.iter().map(|key| error(&verifier, &signed(key, &json!({"alg": "EdDSA"}), b"x")));
    let codes: Vec<_> = codes.collect();
    assert_eq!(codes[..4], [None; 4]);
    // It may be right: the limit is no forgery.
    assert_eq!(codes[4], Some(JwsErrorKind::AmbiguousKey));
}

#[test]
fn own_files_may_hold_secrets_and_single_keys() {
    let text = json!({"kty": "oct", "kid": "1", "k": URL_SAFE_NO_PAD.encode_to_string([7; 48])});
    let set = JwkSet::dangerous_from_json_with_secrets(&text.to_string()).unwrap();
    let algorithms: Vec<_> = set.keys()[0].algorithms().collect();
    assert_eq!(algorithms, [Algorithm::HS256, Algorithm::HS384]);
    assert_eq!(set.keys()[0].id(), Some("1"));
    assert!(JwkSet::from_json(&json!({"keys": [text]}).to_string()).is_err());

    let rejected = |jwk: Value| {
        let set = json!({"keys": [jwk]}).to_string();
        JwkSet::dangerous_from_json_with_secrets(&set).unwrap_err().to_string()
    };
    let short = rejected(json!({"kty": "oct", "k": "AAAA"}));
    assert!(short.contains("32"), "{short}");
    assert!(rejected(json!({"kty": "oct"})).contains("no `k`"));
    let padded = rejected(json!({"kty": "oct", "k": format!("{}==", "A".repeat(64))}));
    assert!(padded.contains("base64url"), "{padded}");
    let (key, _) = key();
    let pem = key.public_key_pem().unwrap().unwrap();
    let pem = rejected(json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode_to_string(pem)}));
    assert!(!pem.is_empty());
}

#[test]
fn a_verifier_needs_a_key() {
    let none = JwsVerifier::new(Vec::<VerificationKey>::new());
    assert!(matches!(none, Err(JwkSetError::NoUsableKey { .. })));
}
