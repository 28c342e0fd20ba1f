//! Texts with one token a line.

use super::{
    Identity,
    table::{Digest, Entry},
};
use crate::ConfigError;

/// Reads all lines. `unnamed` is the caller of a token without a name.
pub(super) fn entries(text: &str, unnamed: &Identity) -> Result<Vec<Entry>, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().map(str::trim).zip(1_usize..);
    let lines = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(line, number)| entry(line, number, unnamed)).collect()
}

fn entry(line: &str, number: usize, unnamed: &Identity) -> Result<Entry, ConfigError> {
    let (identity, token) = match named(line) {
        Some((name, token)) => (unnamed.clone().subject(name), token),
        None => (unnamed.clone(), line),
    };
    let invalid = |reason| Err(ConfigError::InvalidToken { line: number, reason });
    if token.contains(char::is_whitespace) {
        return invalid("it has a space inside");
    }
    match token.strip_prefix("sha256:") {
        None => Ok(Entry::of_token(token, identity)),
        Some(digits) => match digest(digits) {
            Some(digest) => Ok(Entry::of_digest(digest, identity)),
            None => invalid("`sha256:` is not followed by 64 hexadecimal digits"),
        },
    }
}

/// Takes a name off. What follows the `=` of padding is nothing, or more of it.
fn named(line: &str) -> Option<(&str, &str)> {
    let (name, token) = line.split_once('=')?;
    let (name, token) = (name.trim_end(), token.trim_start());
    let is_padding = token.bytes().all(|byte| byte == b'=');
    (!is_padding && !name.is_empty()).then_some((name, token))
}

fn digest(digits: &str) -> Option<Digest> {
    let mut digest = Digest::default();
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if pairs.len() != digest.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(digest)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
