//! A token that a server returns in place of the one that was sent.

use base64_simd::URL_SAFE_NO_PAD;
use portcullis_jose::{NumericDate, json::Object, jws::is_b64token};
use serde_json::{Map, Value};

use crate::IssuedToken;

/// The longest token, in bytes: as long as the engine accepts.
const MAX_LEN: usize = 16 * 1024;

/// Reads a token, and the `exp` of a JWT. `None` if it is not well-formed. The signature is not verified: the token is
/// for other servers, and `exp` only decides when it is renewed.
pub(super) fn read(value: &[u8]) -> Option<IssuedToken> {
    let text = std::str::from_utf8(value).ok()?;
    if text.len() > MAX_LEN || !is_b64token(value) {
        return None;
    }
    let token = IssuedToken::new(text);
    let mut segments = text.split('.');
    let (Some(_), Some(claims), Some(_), None) =
        (segments.next(), segments.next(), segments.next(), segments.next())
    else {
        // Not a JWT: nothing is known of it.
        return Some(token);
    };
    let claims = URL_SAFE_NO_PAD.decode_to_vec(claims).ok()?;
    let claims = std::str::from_utf8(&claims).ok()?;
    Object::parse(claims).ok()?;
    let claims: Map<String, Value> = serde_json::from_str(claims).ok()?;
    match claims.get("exp") {
        None => Some(token),
        Some(exp) => Some(token.expires_at(NumericDate::from_seconds(exp.as_i64()?))),
    }
}
