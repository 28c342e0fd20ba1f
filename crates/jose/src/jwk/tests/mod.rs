use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, jwk::Jwk};
use serde_json::{Value, json};

use super::{FileError, JwkSet, JwkSetError, KeyError, VerificationKey};
use crate::Algorithm;

const ALL_RSA: [Algorithm; 6] = super::components::RSA;

macro_rules! testdata {
    ($name:literal) => {
        include_str!(concat!("../testdata/", $name, ".pem"))
    };
}

// Behind the macro, which they use.
mod from_jsonwebtoken;
mod pem_texts;
mod secret;
mod set;
mod signing;

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode_to_vec(text).unwrap()
}

fn algorithms(key: &VerificationKey) -> Vec<Algorithm> {
    key.algorithms().collect()
}

/// An example of an RFC: its public JWK, and what it signs.
struct Example {
    jwk: Value,
    algorithm: Algorithm,
    signing_input: String,
    signature: Vec<u8>,
}

impl Example {
    fn of(section: &str) -> Self {
        let all = include_str!("../../jws/tests/vectors/rfc.json");
        let all: Vec<Value> = serde_json::from_str(all).unwrap();
        let example = all.into_iter().find(|example| example["section"] == section).unwrap();
        let mut jwk = example["jwk"].clone();
        let private = ["d", "p", "q", "dp", "dq", "qi"];
        jwk.as_object_mut().unwrap().retain(|name, _| !private.contains(&name.as_str()));
        let (signing_input, signature) =
            example["token"].as_str().unwrap().rsplit_once('.').unwrap();
        Self {
            jwk,
            algorithm: example["algorithm"].as_str().unwrap().parse().unwrap(),
            signing_input: signing_input.to_owned(),
            signature: decode(signature),
        }
    }

    fn rsa() -> Self {
        Self::of("RFC 7515 A.2")
    }

    fn ec() -> Self {
        Self::of("RFC 7515 A.3")
    }

    fn ed25519() -> Self {
        Self::of("RFC 8037 A.4")
    }

    fn member(&self, name: &str) -> &str {
        self.jwk[name].as_str().unwrap()
    }

    /// The JWK with one member changed or added.
    fn with(&self, name: &str, value: impl Into<Value>) -> Value {
        let mut jwk = self.jwk.clone();
        jwk[name] = value.into();
        jwk
    }

    fn without(&self, name: &str) -> Value {
        let mut jwk = self.jwk.clone();
        jwk.as_object_mut().unwrap().remove(name).unwrap();
        jwk
    }

    fn verifies_with(&self, key: &VerificationKey) -> bool {
        let message = self.signing_input.as_bytes();
        assert!(key.verify(self.algorithm, b"another message", &self.signature).is_none());
        key.verify(self.algorithm, message, &self.signature).is_some()
    }
}

fn rsa_jwk(modulus: &[u8], exponent: &[u8]) -> Value {
    json!({"kty": "RSA", "n": encode(modulus), "e": encode(exponent)})
}

/// A modulus of ones, in bytes, but for the first.
fn modulus(len: usize, first: u8) -> Vec<u8> {
    let mut modulus = vec![0xff; len];
    modulus[0] = first;
    modulus
}

const F4: [u8; 3] = [1, 0, 1];

fn zeros_before(number: &[u8]) -> Vec<u8> {
    [&[0], number].concat()
}

fn read_set(keys: &[Value]) -> Result<JwkSet, JwkSetError> {
    JwkSet::from_json(&json!({ "keys": keys }).to_string())
}

fn read_jwk(jwk: Value) -> VerificationKey {
    read_set(&[jwk]).unwrap().keys()[0].clone()
}

/// Asserts that each key is skipped for its reason and spoils neither of the good ones around it.
#[track_caller]
fn assert_skipped(rows: impl IntoIterator<Item = (Value, &'static str)>) {
    let (first, last) = (Example::ec().with("kid", "first"), Example::rsa().with("kid", "last"));
    for (jwk, reason) in rows {
        let set = read_set(&[first.clone(), jwk.clone(), last.clone()]).unwrap();
        let ids: Vec<_> = set.keys().iter().map(VerificationKey::id).collect();
        assert_eq!(ids, [Some("first"), Some("last")], "{jwk}");
        let [skipped] = set.skipped() else { panic!("{jwk}: {:?}", set.skipped()) };
        assert_eq!(skipped.index(), 1);
        assert_eq!(skipped.key_id(), jwk.get("kid").and_then(Value::as_str));
        assert!(skipped.reason().contains(reason), "{jwk}: {}", skipped.reason());

        let alone = read_set(&[jwk]).unwrap_err();
        let JwkSetError::NoUsableKey { reasons } = alone else { panic!("{alone:?}") };
        assert!(reasons.len() == 1 && reasons[0].contains(reason), "{reasons:?}");
    }
}

/// Every public key in PEM, with the algorithms that it may be used with.
const PUBLIC_PEMS: [(&str, &[Algorithm]); 11] = [
    (testdata!("rsa_2048"), &ALL_RSA),
    (testdata!("rsa_2048_pkcs1"), &ALL_RSA),
    (testdata!("rsa_2048_certificate"), &ALL_RSA),
    (testdata!("p256"), &[Algorithm::ES256]),
    (testdata!("p256_certificate"), &[Algorithm::ES256]),
    (testdata!("p384"), &[Algorithm::ES384]),
    (testdata!("p384_certificate"), &[Algorithm::ES384]),
    (testdata!("p521"), &[Algorithm::ES512]),
    (testdata!("p521_certificate"), &[Algorithm::ES512]),
    (testdata!("ed25519"), &[Algorithm::EdDSA]),
    (testdata!("ed25519_certificate"), &[Algorithm::EdDSA]),
];

/// Public keys of types and sizes that no algorithm may be used with.
const UNUSABLE_PEMS: [&str; 6] = [
    testdata!("rsa_1024"),
    testdata!("rsa_pss_2048"),
    testdata!("secp256k1"),
    testdata!("x25519"),
    testdata!("ed448"),
    testdata!("dsa_2048"),
];

/// Private keys, with their label. They were made for these tests and sign nothing.
const PRIVATE_PEMS: [(&str, &str); 9] = [
    (testdata!("private_rsa_pkcs8_for_tests"), "PRIVATE KEY"),
    (testdata!("private_ed25519_pkcs8_for_tests"), "PRIVATE KEY"),
    (testdata!("private_rsa_pkcs8_encrypted_for_tests"), "ENCRYPTED PRIVATE KEY"),
    (testdata!("private_rsa_pkcs1_for_tests"), "RSA PRIVATE KEY"),
    (testdata!("private_rsa_pkcs1_encrypted_for_tests"), "RSA PRIVATE KEY"),
    (testdata!("private_p256_sec1_for_tests"), "EC PRIVATE KEY"),
    (testdata!("private_p256_with_parameters_for_tests"), "EC PRIVATE KEY"),
    (testdata!("private_dsa_for_tests"), "DSA PRIVATE KEY"),
    (testdata!("private_openssh_for_tests"), "OPENSSH PRIVATE KEY"),
];

fn pem(label: &str, der: impl Into<Vec<u8>>) -> String {
    ::pem::encode(&::pem::Pem::new(label, der))
}

fn der(pem: &str) -> Vec<u8> {
    ::pem::parse(pem).unwrap().into_contents()
}
