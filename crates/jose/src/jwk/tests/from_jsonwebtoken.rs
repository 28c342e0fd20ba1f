//! Keys of `jsonwebtoken`.

use super::*;

#[test]
fn keys_of_jsonwebtoken_are_taken_over_for_every_algorithm_that_fits() {
    let (rsa, ec, ed25519) = (Example::rsa(), Example::ec(), Example::ed25519());
    let p521 = Example::of("RFC 7515 A.4");
    let of_ec = |ec: &Example| {
        let made = DecodingKey::from_ec_components(ec.member("x"), ec.member("y"));
        made.unwrap()
    };
    let (n, e) = (decode(rsa.member("n")), decode(rsa.member("e")));
    let of_jwk = |example: &Example| {
        let jwk: Jwk = serde_json::from_value(example.jwk.clone()).unwrap();
        DecodingKey::from_jwk(&jwk).unwrap()
    };
    for (key, example, expected) in [
        (DecodingKey::from_rsa_raw_components(&n, &e), &rsa, &ALL_RSA[..]),
        (of_jwk(&rsa), &rsa, &ALL_RSA),
        (of_ec(&ec), &ec, &[Algorithm::ES256]),
        (of_jwk(&ec), &ec, &[Algorithm::ES256]),
        (of_ec(&p521), &p521, &[Algorithm::ES512]),
        (
            DecodingKey::from_ed_components(ed25519.member("x")).unwrap(),
            &ed25519,
            &[Algorithm::EdDSA],
        ),
        (of_jwk(&ed25519), &ed25519, &[Algorithm::EdDSA]),
    ] {
        let key = VerificationKey::try_from(&key).unwrap();
        assert_eq!((algorithms(&key), key.id()), (expected.to_vec(), None));
        assert!(example.verifies_with(&key), "{:?}", example.algorithm);
    }
    for (text, expected) in PUBLIC_PEMS {
        if !text.contains("PUBLIC KEY") {
            continue;
        }
        let der = der(text);
        let key = match expected[0] {
            Algorithm::RS256 => DecodingKey::from_rsa_der(&der),
            Algorithm::EdDSA => DecodingKey::from_ed_der(&der),
            _ => DecodingKey::from_ec_der(&der),
        };
        assert_eq!(algorithms(&VerificationKey::try_from(&key).unwrap()), expected, "{text}");
    }
}

#[test]
fn a_key_of_jsonwebtoken_that_is_of_another_family_or_too_short_is_rejected() {
    let (rsa, p256) = (der(testdata!("rsa_2048")), der(testdata!("p256")));
    let ed25519 = der(testdata!("ed25519"));
    for key in [
        DecodingKey::from_rsa_der(&p256),
        DecodingKey::from_rsa_der(&der(testdata!("rsa_1024"))),
        DecodingKey::from_rsa_raw_components(&modulus(128, 0xff), &F4),
        DecodingKey::from_rsa_raw_components(&modulus(256, 0xff), &[1]),
        DecodingKey::from_ec_der(&rsa),
        DecodingKey::from_ec_der(&ed25519),
        DecodingKey::from_ec_der(&[7; 32]),
        DecodingKey::from_ec_der(&der(testdata!("secp256k1"))),
        DecodingKey::from_ed_der(&rsa),
        DecodingKey::from_ed_der(&p256),
        DecodingKey::from_ed_der(&der(testdata!("x25519"))),
        DecodingKey::from_ed_der(&[7; 31]),
    ] {
        let made = VerificationKey::try_from(&key);
        assert!(matches!(made, Err(KeyError::Unusable { .. })), "{made:?}");
    }
}

#[test]
fn a_secret_of_jsonwebtoken_serves_the_hashes_that_are_no_longer_than_it() {
    let all = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
    for (len, count) in [(32, 1), (47, 1), (48, 2), (63, 2), (64, 3), (200, 3)] {
        let key = VerificationKey::try_from(&DecodingKey::from_secret(&vec![7; len])).unwrap();
        assert_eq!(algorithms(&key), all[..count], "{len}");
    }
    for len in [0, 1, 31] {
        let made = VerificationKey::try_from(&DecodingKey::from_secret(&vec![7; len]));
        assert!(matches!(made, Err(KeyError::SecretTooShort { needed: 32, .. })), "{made:?}");
    }
}

#[test]
fn jwks_of_jsonwebtoken_are_taken_over_with_their_key_id_and_algorithm() {
    let read = |jwk: Value| serde_json::from_value::<Jwk>(jwk).unwrap();
    let mut jwk = Example::rsa().with("kid", "1");
    jwk["alg"] = json!("RS256");
    let key = VerificationKey::try_from(&read(jwk.clone())).unwrap();
    assert_eq!((algorithms(&key), key.id()), (vec![Algorithm::RS256], Some("1")));
    assert!(Example::rsa().verifies_with(&key));

    let secret = json!({"kty": "oct", "k": encode([7; 32])});
    let for_encryption = Example::ec().with("use", "enc");
    for bad in [&secret, &for_encryption, &Example::rsa().with("alg", "RSA-OAEP")] {
        let made = VerificationKey::try_from(&read(bad.clone()));
        assert!(matches!(made, Err(KeyError::Unusable { .. })), "{bad}: {made:?}");
    }

    let keys = [secret, jwk, for_encryption].map(read).to_vec();
    let set = JwkSet::try_from(&jsonwebtoken::jwk::JwkSet { keys }).unwrap();
    assert_eq!(set.keys()[0].id(), Some("1"));
    let skipped: Vec<_> = set.skipped().iter().map(crate::SkippedKey::index).collect();
    assert_eq!((set.keys().len(), skipped), (1, vec![0, 2]));

    let empty = jsonwebtoken::jwk::JwkSet { keys: Vec::new() };
    assert!(matches!(JwkSet::try_from(&empty), Err(JwkSetError::NoUsableKey { .. })));
}
