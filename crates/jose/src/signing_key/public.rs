//! The public half of a private key, as others read it.

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    error::Unspecified,
    signature::KeyPair,
};
use base64_simd::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::pair::Pair;
use crate::Algorithm;

/// Returns the members that a public JWK of this key must have; `None` for a secret.
pub(super) fn required_members(pair: &Pair) -> Option<Map<String, Value>> {
    let jwk = match pair {
        Pair::Rsa(pair) => {
            let key = pair.public_key();
            json!({
                "kty": "RSA",
                "n": encode(key.modulus().big_endian_without_leading_zero()),
                "e": encode(key.exponent().big_endian_without_leading_zero()),
            })
        }
        Pair::Ec(pair, algorithm) => {
            // An uncompressed point: one byte of form, then both coordinates.
            let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
            let (x, y) = point.split_at(point.len() / 2);
            json!({"kty": "EC", "crv": curve_name(*algorithm), "x": encode(x), "y": encode(y)})
        }
        Pair::Ed25519(pair) => {
            json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())})
        }
        Pair::Secret(_) => return None,
    };
    match jwk {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

/// Returns the public half as `SubjectPublicKeyInfo`; `None` for a secret.
pub(super) fn spki(pair: &Pair) -> Result<Option<Vec<u8>>, Unspecified> {
    let der: PublicKeyX509Der<'_> = match pair {
        Pair::Rsa(pair) => pair.public_key().as_der()?,
        Pair::Ec(pair, _) => pair.public_key().as_der()?,
        Pair::Ed25519(pair) => pair.public_key().as_der()?,
        Pair::Secret(_) => return Ok(None),
    };
    Ok(Some(der.as_ref().to_vec()))
}

fn curve_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::ES384 => "P-384",
        Algorithm::ES512 => "P-521",
        _ => "P-256",
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}
