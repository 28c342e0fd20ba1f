//! The examples of [RFC 7515 App. A], [RFC 7520 §4] and [RFC 8037 App. A], step by step.
//!
//! `vectors/rfc.json` holds them as they are printed there, private members included.
//!
//! [RFC 7515 App. A]: https://www.rfc-editor.org/rfc/rfc7515#appendix-A
//! [RFC 7520 §4]: https://www.rfc-editor.org/rfc/rfc7520#section-4
//! [RFC 8037 App. A]: https://www.rfc-editor.org/rfc/rfc8037#appendix-A

use base64_simd::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    Algorithm, JwkSet, JwkSetError, JwsErrorKind, JwsVerifier, VerificationKey,
    jws::{
        AlgorithmSet, Header, JwsError, KeyIndex, KeyMatching, KnownHeaders, Room, Segments,
        SignatureRoom, UnverifiedJws,
    },
};

const MAX_LEN: usize = 2048;

#[derive(Deserialize)]
struct Vector {
    section: String,
    algorithm: String,
    jwk: Map<String, Value>,
    payload: String,
    token: String,
}

impl Vector {
    fn all() -> Vec<Self> {
        let vectors: Vec<Self> = serde_json::from_str(include_str!("vectors/rfc.json")).unwrap();
        assert_eq!(vectors.len(), 9);
        vectors
    }

    fn of(section: &str) -> Self {
        Self::all().into_iter().find(|vector| vector.section == section).unwrap()
    }

    fn algorithm(&self) -> Algorithm {
        self.algorithm.parse().unwrap()
    }

    fn is_secret(&self) -> bool {
        self.jwk["kty"] == "oct"
    }

    /// The key as an issuer publishes it, or the secret as an operator configures it.
    fn key(&self) -> VerificationKey {
        if !self.is_secret() {
            return read_jwk(&self.public_jwk()).unwrap().keys()[0].clone();
        }
        let secret = decode(self.jwk["k"].as_str().unwrap());
        let key = VerificationKey::from_secret(secret, self.algorithm()).unwrap();
        match self.jwk.get("kid") {
            Some(key_id) => key.key_id(key_id.as_str().unwrap()).unwrap(),
            None => key,
        }
    }

    fn public_jwk(&self) -> Map<String, Value> {
        let public = ["kty", "kid", "use", "alg", "n", "e", "crv", "x", "y"];
        let mut jwk = self.jwk.clone();
        jwk.retain(|name, _| public.contains(&name.as_str()));
        jwk
    }

    fn segments(&self) -> [&str; 3] {
        self.token.split('.').collect::<Vec<_>>().try_into().unwrap()
    }

    fn with_payload(&self, payload: &[u8]) -> String {
        let [header, _, signature] = self.segments();
        format!("{header}.{}.{signature}", encode(payload))
    }

    fn with_signature(&self, signature: &[u8]) -> String {
        let [header, payload, _] = self.segments();
        format!("{header}.{payload}.{}", encode(signature))
    }
}

fn read_jwk(jwk: &Map<String, Value>) -> Result<JwkSet, JwkSetError> {
    JwkSet::from_json(&json!({ "keys": [jwk] }).to_string())
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode_to_vec(text).unwrap()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Returns the payload of a token whose signature is the key's.
fn verify(token: &str, key: &VerificationKey) -> Result<Vec<u8>, JwsErrorKind> {
    let verify = || -> Result<_, JwsError> {
        let all = Algorithm::ALL.iter().copied().collect::<AlgorithmSet>();
        let (mut room, mut signature) = (Room::<256>::default(), SignatureRoom::default());
        let segments = Segments::split(token.as_bytes(), MAX_LEN)?;
        let known = KnownHeaders::default();
        let header = Header::read(&segments, all, &known, &mut room)?;
        let keys = KeyIndex::new(vec![key.clone()], KeyMatching::default());
        let candidates = keys.candidates(header.key_hint(), header.algorithm())?;
        UnverifiedJws::decode(&header, &segments, &mut signature)?.verify(&candidates)?;
        segments.payload_bytes()
    };
    verify().map_err(|error| error.kind())
}

#[test]
fn every_example_verifies_with_the_public_half_of_its_key() {
    for vector in Vector::all() {
        let payload = verify(&vector.token, &vector.key());
        assert_eq!(payload, Ok(vector.payload.into_bytes()), "{}", vector.section);
    }
}

#[test]
fn no_example_verifies_with_one_bit_of_its_signature_changed() {
    for vector in Vector::all() {
        let (key, signature) = (vector.key(), decode(vector.segments()[2]));
        for (position, bit) in (0..signature.len()).flat_map(|at| (0..8).map(move |bit| (at, bit)))
        {
            let mut changed = signature.clone();
            changed[position] ^= 1 << bit;
            let rejected = verify(&vector.with_signature(&changed), &key);
            let place = format!("{}, byte {position}, bit {bit}", vector.section);
            assert_eq!(rejected, Err(JwsErrorKind::SignatureMismatch), "{place}");
        }
    }
}

#[test]
fn no_example_verifies_with_one_byte_of_its_payload_changed() {
    for vector in Vector::all() {
        let (key, payload) = (vector.key(), vector.payload.as_bytes());
        for position in 0..payload.len() {
            let mut changed = payload.to_vec();
            changed[position] ^= 1;
            let rejected = verify(&vector.with_payload(&changed), &key);
            let place = format!("{}, byte {position}", vector.section);
            assert_eq!(rejected, Err(JwsErrorKind::SignatureMismatch), "{place}");
        }
    }
}

#[test]
fn no_example_verifies_with_its_header_written_in_another_way() {
    for vector in Vector::all() {
        let [header, payload, signature] = vector.segments();
        let header = encode(&[&decode(header)[..], b" "].concat());
        let rejected = verify(&format!("{header}.{payload}.{signature}"), &vector.key());
        assert_eq!(rejected, Err(JwsErrorKind::SignatureMismatch), "{}", vector.section);
    }
}

#[test]
fn no_example_verifies_with_a_signature_of_another_length() {
    for vector in Vector::all() {
        let (key, signature) = (vector.key(), decode(vector.segments()[2]));
        let shorter = &signature[..signature.len() - 1];
        let longer = [&signature[..], &[0]].concat();
        let padded = [&[0], &signature[..]].concat();
        for changed in [&[][..], &signature[..1], shorter, &longer, &padded] {
            let rejected = verify(&vector.with_signature(changed), &key);
            let place = format!("{}, {} bytes", vector.section, changed.len());
            assert_eq!(rejected, Err(JwsErrorKind::SignatureMismatch), "{place}");
        }
    }
}

#[test]
fn no_example_verifies_with_the_key_of_another() {
    let vectors = Vector::all();
    let mut pairs = 0;
    for vector in &vectors {
        // The key id is the vector's own, so that the signature decides and not the lookup.
        let key_id = vector.jwk.get("kid").and_then(Value::as_str).unwrap_or_default();
        let fits = |other: &&Vector| other.key().algorithms().any(|own| own == vector.algorithm());
        for other in vectors.iter().filter(fits).filter(|other| other.jwk != vector.jwk) {
            let key = other.key().key_id(key_id).unwrap();
            let rejected = verify(&vector.token, &key);
            let place = format!("{} with the key of {}", vector.section, other.section);
            assert_eq!(rejected, Err(JwsErrorKind::SignatureMismatch), "{place}");
            pairs += 1;
        }
    }
    assert_eq!(pairs, 8);
}

#[test]
fn the_keys_as_printed_are_rejected_because_they_are_private() {
    for vector in Vector::all() {
        let error = read_jwk(&vector.jwk).unwrap_err();
        let JwkSetError::NoUsableKey { reasons } = error else { panic!("{error:?}") };
        let reason = if vector.is_secret() { "a shared secret" } else { "private member `d`" };
        assert!(reasons.len() == 1 && reasons[0].contains(reason), "{reasons:?}");
    }
}

#[test]
fn the_unsecured_example_is_rejected() {
    let [_, payload, _] = Vector::of("RFC 7515 A.1").segments().map(ToOwned::to_owned);
    let token = format!("eyJhbGciOiJub25lIn0.{payload}.");
    for vector in Vector::all() {
        assert_eq!(verify(&token, &vector.key()), Err(JwsErrorKind::AlgorithmNotAllowed));
    }
}

/// An attacker who fills the places with other headers would slow every good JWS down.
#[test]
fn only_a_header_that_a_key_has_signed_is_remembered() {
    let vector = Vector::of("RFC 7515 A.3");
    let verifier = JwsVerifier::new([vector.key()]).unwrap();
    let [header, payload, signature] = vector.segments();
    let others: Vec<_> = (0..20)
        .map(|number| encode(format!(r#"{{"alg":"ES256","x":{number}}}"#).as_bytes()))
        .collect();
    for other in &others {
        let rejected = verifier.verify(&format!("{other}.{payload}.{signature}")).unwrap_err();
        assert_eq!(rejected.kind(), JwsErrorKind::SignatureMismatch);
        assert!(!verifier.knows_header(other));
    }
    assert!(!verifier.knows_header(header));
    verifier.verify(&vector.token).unwrap();
    assert!(verifier.knows_header(header));
    assert!(!others.iter().any(|other| verifier.knows_header(other)));
}

#[test]
fn a_payload_that_is_not_json_verifies() {
    let vector = Vector::of("RFC 7515 A.4");
    assert_eq!(verify(&vector.token, &vector.key()), Ok(b"Payload".to_vec()));
}
