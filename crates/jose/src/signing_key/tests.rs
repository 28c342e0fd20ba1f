use super::*;

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
fn the_algorithm_is_guessed_from_the_key() {
    let pem = |algorithm| {
        let key = SigningKey::generate(algorithm).unwrap();
        key.to_pem().unwrap().unwrap()
    };
    for algorithm in
        [Algorithm::RS256, Algorithm::ES256, Algorithm::ES384, Algorithm::ES512, Algorithm::EdDSA]
    {
        let key = SigningKey::from_pem_or_secret(&pem(algorithm)).unwrap();
        assert_eq!(key.algorithm(), algorithm);
    }
    let secret = "s".repeat(64);
    let key = SigningKey::from_pem_or_secret(&secret).unwrap();
    assert_eq!((key.algorithm(), key.secret()), (Algorithm::HS512, Some(secret.as_bytes())));
    let short = SigningKey::from_pem_or_secret(&"s".repeat(63));
    assert!(matches!(short, Err(KeyError::SecretTooShort { .. })));
    // What looks like a key is never taken for a secret, which others may know.
    let public = SigningKey::generate(Algorithm::ES256).unwrap().public_key_pem().unwrap().unwrap();
    let damaged = pem(Algorithm::ES256).replace("-----END", "----END");
    for text in [public, damaged, pem(Algorithm::ES256).replace("PRIVATE KEY", "OTHER KEY")] {
        assert!(matches!(
            SigningKey::from_pem_or_secret(&text),
            Err(KeyError::InvalidSigningKey { .. })
        ));
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

#[test]
fn a_short_secret_signs_and_verifies_by_name_alone() {
    assert!(SigningKey::from_secret(b"short", Algorithm::HS512).is_err());
    let key = SigningKey::dangerous_from_short_secret(b"short", Algorithm::HS512).unwrap();
    assert!(key.verification_key().unwrap().is_short());
    let named = key.with_key_id("mine").verification_key().unwrap();
    assert!(named.is_short());
    assert_eq!(named.id(), Some("mine"));
    let pem = SigningKey::generate(Algorithm::EdDSA).unwrap().public_key_pem().unwrap().unwrap();
    for secret in ["", &*pem] {
        assert!(SigningKey::dangerous_from_short_secret(secret, Algorithm::HS512).is_err());
    }
    assert!(SigningKey::dangerous_from_short_secret(b"short", Algorithm::RS256).is_err());
}
