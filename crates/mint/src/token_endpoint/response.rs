//! The response of a token endpoint ([RFC 6749 §5.1] and §5.2, [RFC 8693 §2.2]).
//!
//! [RFC 6749 §5.1]: https://www.rfc-editor.org/rfc/rfc6749#section-5.1
//! [RFC 8693 §2.2]: https://www.rfc-editor.org/rfc/rfc8693#section-2.2

use std::time::Duration;

use portcullis::{NumericDate, for_mint::retry_after, keys::FetchResponse};
use portcullis_jose::json::Object;
use serde_json::{Map, Value};

use super::TokenRequestError;
use crate::IssuedToken;

/// The longest error code that is shown, in bytes.
const MAX_CODE: usize = 64;

/// The types of tokens that are access tokens ([RFC 8693 §3]).
///
/// [RFC 8693 §3]: https://www.rfc-editor.org/rfc/rfc8693#section-3
const ACCESS_TOKENS: [&str; 2] =
    ["urn:ietf:params:oauth:token-type:access_token", "urn:ietf:params:oauth:token-type:jwt"];

/// Reads the token of a response.
pub(super) fn read(
    response: &FetchResponse,
    now: NumericDate,
) -> Result<IssuedToken, TokenRequestError> {
    let members = members(response);
    if response.status != 200 {
        let code = members.ok().and_then(|members| error_code(&members));
        return Err(TokenRequestError::rejected(response, code, retry_after(response, now)));
    }
    let members = members.map_err(TokenRequestError::unusable)?;
    token(&members).map_err(TokenRequestError::unusable)
}

fn members(response: &FetchResponse) -> Result<Map<String, Value>, &'static str> {
    let text = std::str::from_utf8(&response.body).map_err(|_| "the response is not UTF-8")?;
    // Readers disagree on which of two members with one name counts.
    Object::parse(text).map_err(|_| "the response is not a JSON object with unique members")?;
    serde_json::from_str(text).map_err(|_| "the response is not a JSON object")
}

fn token(members: &Map<String, Value>) -> Result<IssuedToken, &'static str> {
    let text = |name| members.get(name).and_then(Value::as_str);
    let token = text("access_token").filter(|token| !token.is_empty());
    let token = token.ok_or("`access_token` is missing, or not a string")?;
    let token_type = text("token_type").ok_or("`token_type` is missing, or not a string")?;
    if !token_type.eq_ignore_ascii_case("Bearer") {
        return Err("`token_type` is not Bearer");
    }
    match members.get("issued_token_type").map(Value::as_str) {
        None => {}
        Some(Some(issued)) if ACCESS_TOKENS.contains(&issued) => {}
        Some(_) => return Err("`issued_token_type` is not that of an access token"),
    }
    let token = IssuedToken::new(token);
    Ok(match members.get("expires_in") {
        None => token,
        Some(lifetime) => token
            .expires_in(seconds(lifetime).ok_or("`expires_in` is not a number of whole seconds")?),
    })
}

/// Reads a lifetime: a whole number, or the same as a string of digits, as older versions of Microsoft Entra ID
/// send it.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok()
        }
        _ => None,
    };
    seconds.map(Duration::from_secs)
}

/// Returns the error code, if it looks like one. Other texts might repeat a secret of the request.
fn error_code(members: &Map<String, Value>) -> Option<String> {
    let code = members.get("error")?.as_str()?;
    let is_code = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    (!code.is_empty() && code.len() <= MAX_CODE && code.bytes().all(is_code))
        .then(|| code.to_owned())
}
