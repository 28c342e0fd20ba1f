use base64_simd::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, jwk::Jwk};
use serde_json::{Value, json};

use super::{JwkSet, VerificationKey};
use crate::{Algorithm, ConfigError};

const ALL_RSA: [Algorithm; 6] = super::components::RSA;

macro_rules! testdata {
    ($name:literal) => {
        include_str!(concat!("testdata/", $name, ".pem"))
    };
}

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
        let all = include_str!("../pipeline/tests/vectors/rfc.json");
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

fn read_set(keys: &[Value]) -> Result<JwkSet, ConfigError> {
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
        let ConfigError::NoUsableKey { reasons } = alone else { panic!("{alone:?}") };
        assert!(reasons.len() == 1 && reasons[0].contains(reason), "{reasons:?}");
    }
}

#[test]
fn public_keys_of_every_type_are_read_with_the_algorithms_that_fit() {
    let p384 = der(testdata!("p384"));
    let (x, y) = p384[p384.len() - 96..].split_at(48);
    let p384 = json!({"kty": "EC", "crv": "P-384", "x": encode(x), "y": encode(y)});
    for (jwk, expected) in [
        (Example::rsa().jwk, &ALL_RSA[..]),
        (Example::rsa().with("alg", "PS384"), &[Algorithm::PS384]),
        (Example::ec().jwk, &[Algorithm::ES256]),
        (Example::ec().with("alg", "ES256"), &[Algorithm::ES256]),
        (p384, &[Algorithm::ES384]),
        (Example::of("RFC 7515 A.4").jwk, &[Algorithm::ES512]),
        (Example::ed25519().jwk, &[Algorithm::EdDSA]),
        (Example::ed25519().with("alg", "EdDSA"), &[Algorithm::EdDSA]),
        (Example::ed25519().with("alg", "Ed25519"), &[Algorithm::EdDSA]),
        (Example::ec().with("use", "sig"), &[Algorithm::ES256]),
        (Example::ec().with("key_ops", json!(["sign", "verify", "other"])), &[Algorithm::ES256]),
        (Example::ec().with("x5c", json!(["not looked at"])), &[Algorithm::ES256]),
        (Example::ec().with("unknown", json!({"a": [1]})), &[Algorithm::ES256]),
    ] {
        assert_eq!(algorithms(&read_jwk(jwk.clone())), expected, "{jwk}");
    }
    for section in ["RFC 7515 A.2", "RFC 7515 A.3", "RFC 7515 A.4", "RFC 8037 A.4"] {
        let example = Example::of(section);
        assert!(example.verifies_with(&read_jwk(example.jwk.clone())), "{section}");
    }
}

#[test]
fn key_ids_of_up_to_256_bytes_are_kept() {
    let (longest, too_long) = ("k".repeat(256), "k".repeat(257));
    assert_eq!(read_jwk(Example::ec().with("kid", longest.clone())).id(), Some(&*longest));
    assert_eq!(read_jwk(Example::ec().jwk).id(), None);
    assert_skipped([
        (Example::ec().with("kid", too_long.clone()), "longer than 256 bytes"),
        (Example::ec().with("kid", 7), "expected a string"),
        (Example::ec().with("kid", json!(["7"])), "expected a string"),
    ]);
    let key = read_jwk(Example::ec().jwk);
    assert_eq!(key.clone().key_id(longest.clone()).unwrap().id(), Some(&*longest));
    assert!(matches!(key.key_id(too_long), Err(ConfigError::UnusableKey { .. })));
}

#[test]
fn a_key_of_an_unknown_type_or_curve_is_skipped() {
    assert_skipped([
        (Example::ec().without("kty"), "its `kty` is missing or not supported"),
        (Example::ec().with("kty", "AKP"), "its `kty` is missing or not supported"),
        (Example::ec().with("kty", "ec"), "its `kty` is missing or not supported"),
        (Example::ec().with("kty", 7), "its `kty` is missing or not supported"),
        (Example::ec().without("crv"), "missing field `crv`"),
        (Example::ec().with("crv", "secp256k1"), "unknown variant `secp256k1`"),
        (Example::ec().with("crv", "Ed25519"), "its `crv` is not supported for `kty` EC"),
        (Example::ed25519().with("crv", "Ed448"), "unknown variant `Ed448`"),
        (Example::ed25519().with("crv", "X25519"), "unknown variant `X25519`"),
        (Example::ed25519().with("crv", "P-256"), "its `crv` is not supported for `kty` OKP"),
        (json!("a text"), "it is not an object"),
        (json!(null), "it is not an object"),
        (json!([]), "it is not an object"),
    ]);
}

#[test]
fn a_key_whose_numbers_are_not_unpadded_base64url_is_skipped() {
    let (rsa, ec, ed25519) = (Example::rsa(), Example::ec(), Example::ed25519());
    let standard_alphabet = rsa.member("n").replace('-', "+").replace('_', "/");
    let trailing_bits = ed25519.member("x").replace("URo", "URp");
    assert_ne!(trailing_bits, ed25519.member("x"));
    assert_skipped([
        (rsa.with("n", "not base64!"), "its `n` is not unpadded base64url"),
        (rsa.with("n", standard_alphabet), "its `n` is not unpadded base64url"),
        (rsa.with("n", format!("{}==", rsa.member("n"))), "its `n` is not unpadded base64url"),
        (rsa.with("n", format!("{}\n", rsa.member("n"))), "its `n` is not unpadded base64url"),
        (rsa.with("e", "AQAB===="), "its `e` is not unpadded base64url"),
        (ec.with("x", format!("{}=", ec.member("x"))), "its `x` is not unpadded base64url"),
        (ec.with("y", format!("{}=", ec.member("y"))), "its `y` is not unpadded base64url"),
        (ed25519.with("x", trailing_bits), "its `x` is not unpadded base64url"),
        (rsa.with("n", 7), "expected a string"),
        (rsa.without("e"), "missing field `e`"),
        (ec.without("y"), "missing field `y`"),
    ]);
}

#[test]
fn an_rsa_key_is_from_2048_to_8192_bits_long() {
    for good in [modulus(256, 0x80), modulus(256, 0xff), modulus(1024, 0xff)] {
        assert_eq!(algorithms(&read_jwk(rsa_jwk(&good, &F4))), ALL_RSA);
    }
    let even = [&modulus(255, 0xff)[..], &[0xfe]].concat();
    let outside = "RSA modulus outside 2048 to 8192 bits";
    assert_skipped([
        (rsa_jwk(&modulus(256, 0x7f), &F4), outside),
        (rsa_jwk(&modulus(128, 0xff), &F4), outside),
        (rsa_jwk(&modulus(1025, 0x01), &F4), outside),
        // Zeros in front do not make a key longer (RFC 7518 §6.3.1.1).
        (rsa_jwk(&modulus(257, 0x00), &F4), "no valid public key"),
        (rsa_jwk(&even, &F4), "no valid public key"),
        (rsa_jwk(&[], &F4), "no valid public key"),
    ]);
}

#[test]
fn an_rsa_exponent_is_odd_and_neither_one_nor_huge() {
    let modulus = modulus(256, 0xff);
    for good in [&[3][..], &F4, &[1, 0, 0, 0, 1]] {
        assert_eq!(algorithms(&read_jwk(rsa_jwk(&modulus, good))), ALL_RSA);
    }
    for bad in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[0, 1, 0, 1], &[1, 0, 0, 0, 0, 1], &modulus]
    {
        assert_skipped([(rsa_jwk(&modulus, bad), "no valid public key")]);
    }
}

#[test]
fn a_point_lies_on_its_curve_and_has_its_width() {
    let (ec, ed25519, p521) = (Example::ec(), Example::ed25519(), Example::of("RFC 7520 4.3"));
    let (x, y) = (decode(ec.member("x")), decode(ec.member("y")));
    let swapped = json!({"kty": "EC", "crv": "P-256", "x": encode(&y), "y": encode(&x)});
    let zero = json!({"kty": "EC", "crv": "P-256", "x": encode([0; 32]), "y": encode([0; 32])});
    let longer = encode([&[0], &x[..]].concat());
    let width = "do not have the width of its curve";
    // A library that drops leading zeros writes this one (RFC 7518 §6.2.1.2 forbids it).
    let p521_x = decode(p521.member("x"));
    assert_eq!((p521_x.len(), p521_x[0]), (66, 0));
    assert_skipped([
        (swapped, "no valid public key"),
        (zero, "no valid public key"),
        (ec.with("x", encode(&x[1..])), width),
        (ec.with("x", longer), width),
        (ec.with("y", encode(&y[1..])), width),
        (ec.with("y", ""), width),
        (ec.with("crv", "P-384"), width),
        (p521.with("x", encode(&p521_x[1..])), width),
        (ed25519.with("x", encode([1; 31])), "does not have the width of its curve"),
        (ed25519.with("x", encode([1; 33])), "does not have the width of its curve"),
    ]);
}

#[test]
fn a_key_that_is_not_for_verifying_is_skipped() {
    let ec = Example::ec();
    assert_skipped([
        (ec.with("use", "enc"), "its `use` is not `sig`"),
        (ec.with("use", "SIG"), "its `use` is not `sig`"),
        (ec.with("use", 7), "expected a string"),
        (ec.with("key_ops", json!(["sign"])), "its `key_ops` lacks `verify`"),
        (ec.with("key_ops", json!(["encrypt", "wrapKey"])), "its `key_ops` lacks `verify`"),
        (ec.with("key_ops", json!([])), "its `key_ops` lacks `verify`"),
        (ec.with("key_ops", "verify"), "expected a sequence"),
    ]);
}

#[test]
fn a_key_whose_algorithm_does_not_fit_is_skipped() {
    let (rsa, ec, ed25519) = (Example::rsa(), Example::ec(), Example::ed25519());
    assert_skipped([
        (rsa.with("alg", "ES256"), "its `alg` ES256 does not fit"),
        (rsa.with("alg", "HS256"), "its `alg` HS256 does not fit"),
        (ec.with("alg", "ES384"), "its `alg` ES384 does not fit"),
        (ec.with("alg", "RS256"), "its `alg` RS256 does not fit"),
        (ed25519.with("alg", "ES256"), "its `alg` ES256 does not fit"),
        (rsa.with("alg", "RSA-OAEP"), "its `alg` is not a signature algorithm"),
        (rsa.with("alg", "rs256"), "its `alg` is not a signature algorithm"),
        (rsa.with("alg", "none"), "its `alg` is not a signature algorithm"),
        (ec.with("alg", "ES256K"), "its `alg` is not a signature algorithm"),
        (rsa.with("alg", json!(null)), "its `alg` is not a string"),
    ]);
}

#[test]
fn a_secret_is_skipped_and_so_is_a_key_with_private_members() {
    let secret = json!({"kty": "oct", "kid": "s", "alg": "HS256", "k": encode([7; 32])});
    assert_skipped([
        (secret, "it is a shared secret"),
        (json!({"kty": "oct"}), "it is a shared secret"),
        (Example::rsa().with("d", "AQAB"), "the private member `d`"),
        (Example::rsa().with("p", "AQAB"), "the private member `p`"),
        (Example::rsa().with("q", "AQAB"), "the private member `q`"),
        (Example::rsa().with("dp", "AQAB"), "the private member `dp`"),
        (Example::rsa().with("dq", "AQAB"), "the private member `dq`"),
        (Example::rsa().with("qi", "AQAB"), "the private member `qi`"),
        (Example::rsa().with("oth", json!([])), "the private member `oth`"),
        (Example::rsa().with("k", "AQAB"), "the private member `k`"),
        (Example::ec().with("d", json!(null)), "the private member `d`"),
        (Example::ed25519().with("d", ""), "the private member `d`"),
    ]);
}

#[test]
fn reasons_do_not_show_private_values() {
    let keys = [
        Example::ec().with("d", "SECRET-VALUE"),
        json!({"kty": "oct", "k": "SECRET-VALUE", "use": "SECRET-VALUE"}),
    ];
    for error in [read_set(&keys).unwrap_err(), read_set(&keys[1..]).unwrap_err()] {
        assert!(!format!("{error} {error:?}").contains("SECRET-VALUE"), "{error}");
    }
}

#[test]
fn a_set_without_a_usable_key_is_an_error_with_each_reason() {
    let error = read_set(&[]).unwrap_err();
    assert!(matches!(error, ConfigError::NoUsableKey { reasons } if reasons.is_empty()));

    let bad = [json!({"kty": "AKP", "kid": "post-quantum"}), Example::ec().with("use", "enc")];
    let error = read_set(&bad).unwrap_err();
    let ConfigError::NoUsableKey { reasons } = error else { panic!("{error:?}") };
    let expected = [
        "key 0 (kid \"post-quantum\"): its `kty` is missing or not supported",
        "key 1: its `use` is not `sig`",
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn what_is_no_jwk_set_is_an_error() {
    for text in [
        "",
        "no JSON",
        "null",
        "[]",
        "{}",
        "{\"Keys\":[]}",
        "{\"keys\":null}",
        "{\"keys\":{}}",
        "{\"keys\":\"\"}",
        "{\"keys\":[]",
        "{\"keys\":[]}{}",
        "-----BEGIN PUBLIC KEY-----",
    ] {
        let error = JwkSet::from_json(text).unwrap_err();
        assert!(matches!(error, ConfigError::InvalidJwkSet { .. }), "{text}: {error:?}");
    }
    // One key is not a set of one.
    let error = JwkSet::from_json(&Example::ec().jwk.to_string()).unwrap_err();
    assert!(error.to_string().contains("no member `keys`"), "{error}");
}

#[test]
fn a_byte_order_mark_and_members_beside_the_keys_are_ignored() {
    let set = json!({"keys": [Example::ec().jwk], "issued": 7}).to_string();
    for text in [set.clone(), format!("\u{feff}{set}"), format!("\n {set}\n")] {
        assert_eq!(JwkSet::from_json(&text).unwrap().keys().len(), 1);
    }
}

#[test]
fn a_file_is_named_in_its_errors() {
    let error = JwkSet::from_file("no/such/file.json").unwrap_err();
    assert!(matches!(&error, ConfigError::File { .. }), "{error:?}");
    assert!(error.to_string().contains("no/such/file.json"), "{error}");

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/jwk/testdata/p256.pem");
    assert_eq!(algorithms(&VerificationKey::from_pem_file(path).unwrap()), [Algorithm::ES256]);
    let error = JwkSet::from_file(path).unwrap_err();
    assert!(matches!(&error, ConfigError::InFile { .. }), "{error:?}");
    assert!(error.to_string().contains("p256.pem"), "{error}");
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

#[test]
fn public_keys_in_pem_may_be_used_with_every_algorithm_that_fits() {
    for (text, expected) in PUBLIC_PEMS {
        let with_crlf = text.replace('\n', "\r\n");
        let with_mark = format!("\u{feff}{text}");
        let with_comment = format!("subject=CN = portcullis tests\n\n  {text}\nthe end\n");
        for text in [text, &with_crlf, &with_mark, &with_comment] {
            let key = VerificationKey::from_pem(text).unwrap();
            assert_eq!((algorithms(&key), key.id()), (expected.to_vec(), None), "{text}");
        }
    }
}

#[test]
fn a_key_from_pem_can_be_narrowed_to_one_of_its_algorithms() {
    let key = VerificationKey::from_pem(testdata!("rsa_2048")).unwrap();
    let key = key.key_id("1").unwrap().algorithm(Algorithm::PS256).unwrap();
    assert_eq!((algorithms(&key), key.id()), (vec![Algorithm::PS256], Some("1")));
    for other in [Algorithm::RS256, Algorithm::ES256, Algorithm::HS256] {
        assert!(matches!(key.clone().algorithm(other), Err(ConfigError::UnusableKey { .. })));
    }
}

#[test]
fn private_keys_in_pem_are_refused_as_such_whatever_their_label() {
    for (text, label) in PRIVATE_PEMS {
        let after_public = format!("{}{text}", testdata!("p256"));
        let before_public = format!("{text}{}", testdata!("p256_certificate"));
        for text in [text, &after_public, &before_public] {
            let error = VerificationKey::from_pem(text).unwrap_err();
            assert!(
                matches!(&error, ConfigError::PrivateKey { found } if found == label),
                "{error:?}"
            );
        }
    }
}

#[test]
fn a_public_key_that_no_algorithm_uses_is_refused() {
    for text in UNUSABLE_PEMS {
        let error = VerificationKey::from_pem(text).unwrap_err();
        assert!(matches!(error, ConfigError::UnusableKey { .. }), "{text}{error:?}");
    }
    let spki = der(testdata!("p256"));
    for (label, der) in [
        ("PUBLIC KEY", &b"no DER"[..]),
        ("PUBLIC KEY", &[]),
        ("PUBLIC KEY", &spki[..spki.len() - 1]),
        // Bare keys: a point of P-256 and the 32 bytes of an Ed25519 key.
        ("PUBLIC KEY", &spki[spki.len() - 65..]),
        ("PUBLIC KEY", &[0x30; 32]),
        ("RSA PUBLIC KEY", &spki),
        ("CERTIFICATE", &spki),
    ] {
        let error = VerificationKey::from_pem(&pem(label, der)).unwrap_err();
        assert!(matches!(error, ConfigError::UnusableKey { .. }), "{label} {der:02x?} {error:?}");
    }
}

#[test]
fn a_text_that_is_not_one_block_of_a_public_key_is_no_pem() {
    let (spki, certificate) = (testdata!("p256"), testdata!("p256_certificate"));
    for text in [
        String::new(),
        "garbage".to_owned(),
        Example::ec().jwk.to_string(),
        format!("{spki}{spki}"),
        format!("{certificate}{}", testdata!("p384_certificate")),
        spki.replace("PUBLIC KEY", "EC PARAMETERS"),
        spki.replace("PUBLIC KEY", "public key"),
        spki.replace("PUBLIC KEY", "X509 CRL"),
        spki.replace("END PUBLIC KEY", "END CERTIFICATE"),
        spki.replace("-----END PUBLIC KEY-----", ""),
        spki.replace("MF", "M!"),
        spki.replace("-----", "----"),
    ] {
        let error = VerificationKey::from_pem(&text).unwrap_err();
        assert!(matches!(error, ConfigError::InvalidPem { .. }), "{text}\n{error:?}");
    }
}

#[test]
fn a_secret_is_at_least_as_long_as_the_hash() {
    for (algorithm, len) in [(Algorithm::HS256, 32), (Algorithm::HS384, 48), (Algorithm::HS512, 64)]
    {
        for enough in [len, len + 1, 200] {
            let key = VerificationKey::from_secret(vec![7; enough], algorithm).unwrap();
            assert_eq!((algorithms(&key), key.id()), (vec![algorithm], None));
        }
        for too_short in [0, 1, len - 1] {
            let secret = vec![7; too_short];
            let error = VerificationKey::from_secret(&secret, algorithm).unwrap_err();
            let ConfigError::SecretTooShort { needed, found, .. } = error else {
                panic!("{error:?}")
            };
            assert_eq!((needed, found), (len, too_short));

            let short = VerificationKey::dangerous_from_short_secret(&secret, algorithm);
            assert_eq!(short.is_ok(), too_short > 0);
        }
    }
}

#[test]
fn a_secret_fits_no_asymmetric_algorithm() {
    for algorithm in Algorithm::ALL.iter().copied().filter(|algorithm| !algorithm.is_symmetric()) {
        for made in [
            VerificationKey::from_secret([7; 64], algorithm),
            VerificationKey::dangerous_from_short_secret([7; 64], algorithm),
        ] {
            assert!(matches!(made, Err(ConfigError::UnusableKey { .. })), "{algorithm}");
        }
    }
}

#[track_caller]
fn assert_secret_is_public_key(secret: &[u8]) {
    let shown = String::from_utf8_lossy(secret);
    for made in [
        VerificationKey::from_secret(secret, Algorithm::HS256),
        VerificationKey::dangerous_from_short_secret(secret, Algorithm::HS512),
        VerificationKey::try_from(&DecodingKey::from_secret(secret)),
    ] {
        assert!(matches!(made, Err(ConfigError::SecretIsPublicKey)), "{shown}: {made:?}");
    }
}

/// Ways in which a text file may start before what counts.
const PREFIXES: [&str; 6] =
    ["", "\u{feff}", " \t\r\n", "\u{feff}\n", "# a comment\n", "Bag Attributes\n  name: x\n"];

#[test]
fn a_key_in_pem_or_der_is_no_secret() {
    let public = PUBLIC_PEMS.into_iter().map(|(text, _)| text).chain(UNUSABLE_PEMS);
    for text in public.clone().chain(PRIVATE_PEMS.into_iter().map(|(text, _)| text)) {
        for prefix in PREFIXES {
            assert_secret_is_public_key(format!("{prefix}{text}").as_bytes());
            let one_line = text.replace('\n', "\\n");
            assert_secret_is_public_key(format!("{prefix}{one_line}").as_bytes());
        }
        assert_secret_is_public_key(text.replace('\n', "\r\n").as_bytes());
        assert_secret_is_public_key(text.trim_end().as_bytes());
    }
    for text in public {
        assert_secret_is_public_key(&der(text));
    }
}

#[test]
fn a_jwk_or_jwk_set_is_no_secret() {
    for example in [Example::rsa(), Example::ec(), Example::ed25519()] {
        let set = json!({"keys": [example.jwk]});
        for jwk in [&example.jwk, &set] {
            let pretty = serde_json::to_string_pretty(jwk).unwrap();
            for text in [jwk.to_string(), pretty] {
                for prefix in ["", "\u{feff}", " \t\r\n", "\u{feff}\n"] {
                    assert_secret_is_public_key(format!("{prefix}{text}\n").as_bytes());
                }
            }
        }
    }
}

#[test]
fn an_ssh_key_is_no_secret() {
    for text in [
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 someone@host",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0 someone@host",
        "ssh-dss AAAAB3NzaC1kc3MAAACBAP1 someone@host",
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY someone@host",
        "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t",
        "sk-ecdsa-sha2-nistp256@openssh.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTY",
        "---- BEGIN SSH2 PUBLIC KEY ----\nAAAAB3NzaC1yc2EAAAADAQABAAABAQC7",
    ] {
        for prefix in PREFIXES {
            assert_secret_is_public_key(format!("{prefix}{text}").as_bytes());
        }
    }
}

#[test]
fn a_secret_that_only_starts_like_a_key_is_a_secret() {
    for secret in [
        // As `0`, this starts a `SEQUENCE` in DER; and any 32 bytes are a bare Ed25519 key.
        &b"0123456789abcdef0123456789abcdef"[..],
        &[0x30; 32],
        &[0x30; 48],
        &[0x30; 64],
        b"{\"not\": \"a key, but longer than thirty-two bytes\"}",
        b"{\"kty\": a text that is no JSON and is long enough",
        b"the word ssh-rsa in the middle of a longer text",
    ] {
        assert!(VerificationKey::from_secret(secret, Algorithm::HS256).is_ok(), "{secret:?}");
    }
}

#[test]
fn debug_shows_neither_a_secret_nor_a_key() {
    let secret = "correct horse battery staple, and more";
    let key = VerificationKey::from_secret(secret, Algorithm::HS256).unwrap().key_id("1").unwrap();
    let shown = "VerificationKey { key_id: Some(\"1\"), algorithms: {HS256}, .. }";
    assert_eq!(format!("{key:?}"), shown);
}

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
fn a_key_of_jsonwebtoken_that_is_of_another_family_or_too_short_is_refused() {
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
        assert!(matches!(made, Err(ConfigError::UnusableKey { .. })), "{made:?}");
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
        assert!(matches!(made, Err(ConfigError::SecretTooShort { needed: 32, .. })), "{made:?}");
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
        assert!(matches!(made, Err(ConfigError::UnusableKey { .. })), "{bad}: {made:?}");
    }

    let keys = [secret, jwk, for_encryption].map(read).to_vec();
    let set = JwkSet::try_from(&jsonwebtoken::jwk::JwkSet { keys }).unwrap();
    assert_eq!(set.keys()[0].id(), Some("1"));
    let skipped: Vec<_> = set.skipped().iter().map(super::SkippedKey::index).collect();
    assert_eq!((set.keys().len(), skipped), (1, vec![0, 2]));

    let empty = jsonwebtoken::jwk::JwkSet { keys: Vec::new() };
    assert!(matches!(JwkSet::try_from(&empty), Err(ConfigError::NoUsableKey { .. })));
}

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
        let refused = VerificationKey::from_signing_key_pem(text).unwrap_err();
        assert!(matches!(refused, ConfigError::InvalidSigningKey { .. }), "{refused}");
    }
}
