//! The public half of a key that signs.

use super::*;

#[test]
fn the_public_half_of_a_signing_key_verifies_what_that_key_signs() {
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{self, EcdsaKeyPair, Ed25519KeyPair},
    };
    let random = SystemRandom::new();
    let message = b"signed by the service itself";
    let public_half = |der: &[u8]| {
        let block = pem::Pem::new("PRIVATE KEY", der.to_vec());
        VerificationKey::from_signing_key_pem(&pem::encode(&block)).unwrap()
    };
    for (curve, algorithm) in [
        (&signature::ECDSA_P256_SHA256_FIXED_SIGNING, Algorithm::ES256),
        (&signature::ECDSA_P384_SHA384_FIXED_SIGNING, Algorithm::ES384),
        (&signature::ECDSA_P521_SHA512_FIXED_SIGNING, Algorithm::ES512),
    ] {
        let pair = EcdsaKeyPair::generate(curve).unwrap();
        let key = public_half(pair.to_pkcs8v1().unwrap().as_ref());
        let signed = pair.sign(&random, message).unwrap();
        assert!(key.verify(algorithm, message, signed.as_ref()).is_some(), "{algorithm}");
    }
    let pair = Ed25519KeyPair::generate().unwrap();
    let key = public_half(pair.to_pkcs8().unwrap().as_ref());
    assert!(key.verify(Algorithm::EdDSA, message, pair.sign(message).as_ref()).is_some());

    let text = testdata!("private_rsa_pkcs8_for_tests");
    let key = VerificationKey::from_signing_key_pem(text).unwrap();
    let der = pem::parse(text).unwrap();
    let pair = aws_lc_rs::rsa::KeyPair::from_pkcs8(der.contents()).unwrap();
    let mut signed = vec![0; pair.public_modulus_len()];
    pair.sign(&signature::RSA_PSS_SHA384, &random, message, &mut signed).unwrap();
    assert!(key.verify(Algorithm::PS384, message, &signed).is_some());
}

#[test]
fn a_signing_key_of_another_form_is_an_error() {
    for text in [
        testdata!("p256"),
        testdata!("private_rsa_pkcs1_for_tests"),
        testdata!("private_p256_sec1_for_tests"),
        testdata!("private_rsa_pkcs8_encrypted_for_tests"),
        testdata!("private_dsa_for_tests"),
        "no key",
    ] {
        let rejected = VerificationKey::from_signing_key_pem(text).unwrap_err();
        assert!(matches!(rejected, KeyError::InvalidSigningKey { .. }), "{rejected}");
    }
}
