//! What a text looks like that is no token of ours. Nothing of it is shown: it may be a secret.

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::words::quoted;

/// What can be told of a text that could not be taken apart.
pub(super) struct Shape {
    pub(super) what: String,
    pub(super) help: &'static str,
    /// Whether it says more than the error does.
    pub(super) is_specific: bool,
}

const FRESH: &str = "ask the client for the token exactly as its issuer gave it out: three parts with \
                     dots between, nothing before, between or after";

/// Finds the usual mistakes.
pub(super) fn of(token: &str, max_len: usize) -> Shape {
    let shape = |what: &str, help| Shape { what: what.to_owned(), help, is_specific: true };
    let dots = token.bytes().filter(|byte| *byte == b'.').count();
    let lower = token.get(..7).map(str::to_ascii_lowercase);
    if token.len() > max_len {
        return Shape {
            what: format!("the token has {} bytes; at most {max_len} are read", token.len()),
            help: "ask the issuer to put less into the token: long lists of groups are the usual cause",
            is_specific: true,
        };
    }
    if lower.as_deref() == Some("bearer ") {
        return shape(
            "the text begins with `Bearer `",
            "leave the word `Bearer` away: it belongs to the header field, not to the token",
        );
    }
    if token.starts_with(['"', '\'', '{', '[']) {
        return shape(
            "the text begins with a quote or a bracket",
            "take the token out of the quotes, or out of the JSON around it",
        );
    }
    if let Some(bad) = token.chars().find(|c| c.is_whitespace() || c.is_control()) {
        let what = format!("the text has a {} inside", name_of(bad));
        return Shape {
            what,
            help: "remove it: tokens are one word; it often comes from a line break in a file",
            is_specific: true,
        };
    }
    match dots {
        4 => {
            return shape(
                "the text has five parts: it is encrypted (JWE)",
                "ask the issuer for signed tokens: encrypted ones are not accepted here",
            );
        }
        0 | 1 | 3 | 5.. => {
            let parts = dots.saturating_add(1);
            let part = if parts == 1 { "part" } else { "parts" };
            let what = format!("the text has {parts} {part} with dots between; a JWT has three");
            let help = match dots {
                0 => {
                    "if this is an API key or a session id, a [[static_token]] or a strategy must know it; a JWT may have been cut off"
                }
                _ => FRESH,
            };
            return Shape { what, help, is_specific: true };
        }
        _ => {}
    }
    if token.contains('=') || token.contains('+') || token.contains('/') {
        return shape(
            "a part is in plain base64, with `+`, `/` or `=`",
            "JWTs are in base64url without padding: ask who made the token to encode it so",
        );
    }
    Shape {
        what: "its parts are not what RFC 7515 asks for".to_owned(),
        help: FRESH,
        is_specific: false,
    }
}

fn name_of(character: char) -> &'static str {
    match character {
        '\n' | '\r' => "line break",
        ' ' => "space",
        '\t' => "tab",
        _ => "control character or special space",
    }
}

/// Reads a member of a header that may be wrong in other ways.
pub(super) fn header_member(token: &str, name: &str) -> Option<String> {
    let header = URL_SAFE_NO_PAD.decode_to_vec(token.split('.').next()?).ok()?;
    let header: Value = serde_json::from_slice(&header).ok()?;
    Some(match header.get(name)? {
        Value::String(text) => quoted(text),
        other => quoted(&other.to_string()),
    })
}
