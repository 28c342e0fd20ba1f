//! Thumbprints of keys ([RFC 7638]).
//!
//! [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638

use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::secret::{BIT_STRING, INTEGER, SEQUENCE, der_element};
use crate::Algorithm;

/// Returns the SHA-256 over the required members of a JWK, in their order ([RFC 7638 §3.2]).
///
/// [RFC 7638 §3.2]: https://www.rfc-editor.org/rfc/rfc7638#section-3.2
pub(crate) fn thumbprint(members: &Map<String, Value>) -> Option<Box<str>> {
    let names: &[&str] = match members.get("kty").and_then(Value::as_str) {
        Some("RSA") => &["e", "kty", "n"],
        Some("EC") => &["crv", "kty", "x", "y"],
        Some("OKP") => &["crv", "kty", "x"],
        _ => return None,
    };
    let required = names.iter().filter_map(|name| {
        let value = members.get(*name)?;
        Some(format!("\"{name}\":{value}"))
    });
    let text = format!("{{{}}}", required.collect::<Vec<_>>().join(","));
    let hash = digest(&SHA256, text.as_bytes());
    Some(URL_SAFE_NO_PAD.encode_to_string(hash).into())
}

/// Returns the thumbprint of the key in a `SubjectPublicKeyInfo` that AWS-LC has written, for use with
/// this algorithm.
pub(super) fn thumbprint_of_spki(spki: &[u8], algorithm: Algorithm) -> Option<Box<str>> {
    let (SEQUENCE, members, []) = der_element(spki)? else { return None };
    let (SEQUENCE, _, rest) = der_element(members)? else { return None };
    let (BIT_STRING, [0, key @ ..], []) = der_element(rest)? else { return None };
    let curve = match algorithm {
        Algorithm::ES256 => "P-256",
        Algorithm::ES384 => "P-384",
        Algorithm::ES512 => "P-521",
        _ => "",
    };
    let jwk = match algorithm.key_type() {
        "EC" => {
            // Uncompressed; the compressed form has but one coordinate.
            let [4, point @ ..] = key else { return None };
            let (x, y) = point.split_at(point.len() / 2);
            json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
        }
        "OKP" => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(key)}),
        "RSA" => {
            let (SEQUENCE, numbers, []) = der_element(key)? else { return None };
            let (INTEGER, n, rest) = der_element(numbers)? else { return None };
            let (INTEGER, e, []) = der_element(rest)? else { return None };
            json!({"kty": "RSA", "n": encode(unsigned(n)), "e": encode(unsigned(e))})
        }
        _ => return None,
    };
    thumbprint(jwk.as_object()?)
}

/// Leaves out the leading zeros of a number, such as the one that keeps it positive in DER.
pub(super) fn unsigned(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}
