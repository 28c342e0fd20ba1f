//! Texts with one token a line.

use super::{
    Identity, StaticTokenError,
    table::{Digest, Entry},
};

/// Reads all lines. `unnamed` is the caller of a token without a name.
pub(super) fn entries(text: &str, unnamed: &Identity) -> Result<Vec<Entry>, StaticTokenError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().map(str::trim).zip(1_usize..);
    let lines = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(line, number)| entry(line, number, unnamed)).collect()
}

fn entry(line: &str, number: usize, unnamed: &Identity) -> Result<Entry, StaticTokenError> {
    let invalid = |reason| StaticTokenError::InvalidLine { line: number, reason };
    let (identity, token) = match line.split_once('=') {
        None => (unnamed.clone(), line),
        Some(_) if is_padded(line) => (unnamed.clone(), line),
        Some((name, token)) => {
            let (name, token) = (name.trim_end(), token.trim_start());
            check_split(name, token).map_err(invalid)?;
            (unnamed.clone().subject(name), token)
        }
    };
    if token.contains(char::is_whitespace) {
        return Err(invalid("it has a space inside"));
    }
    check(token, number)?;
    match digits(token) {
        None => Ok(Entry::of_token(token, identity)),
        Some(digits) => match digest(digits) {
            Some(digest) => Ok(Entry::of_digest(digest, identity)),
            None => Err(invalid("`sha256:` is not followed by 64 hexadecimal digits")),
        },
    }
}

/// The shortest token behind a name, in bytes. A shorter one is more likely the end of a token that has `=`
/// inside, and easy to guess.
const SHORTEST_NAMED: usize = 4;

/// Checks that a line with `=` is `name=token`.
fn check_split(name: &str, token: &str) -> Result<(), &'static str> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:@/|".contains(&byte);
    if name.is_empty() {
        return Err("it has no name in front of its `=`");
    }
    if !name.bytes().all(is_allowed) {
        return Err("the part before its `=` is not a name: use ASCII letters, digits and \
                    `-_.:@/|`");
    }
    // A variable that was not set, where the text was put together: the name alone must
    // not become a token that everybody can guess.
    if token.bytes().all(|byte| byte == b'=') {
        return Err("it has no token behind its `=`; a token that ends in `=` may need a name in \
                    front: `name=token`");
    }
    if token.len() < SHORTEST_NAMED {
        return Err(
            "the token behind its `=` has fewer than 4 bytes; a token with `=` inside needs \
                    a name in front: `name=token`",
        );
    }
    Ok(())
}

/// Returns whether a text is one token, and not a name with a token.
#[must_use]
pub fn is_one_token(text: &str) -> bool {
    !text.contains('=') || is_padded(text)
}

/// Rejects what a file holds whose text was lost, as after a power failure: everybody can guess it.
pub(super) fn check(token: &str, line: usize) -> Result<(), StaticTokenError> {
    let is_visible = |character: char| character.is_alphanumeric() || character.is_ascii_graphic();
    let reason = if token.contains('\0') {
        "it has a zero byte inside"
    } else if !token.contains(is_visible) {
        "it has no visible character"
    } else {
        return Ok(());
    };
    Err(StaticTokenError::InvalidLine { line, reason })
}

/// The shortest padded token that needs no name: base64 of 16 bytes.
const SHORTEST_PADDED: usize = 24;

/// Tells a token with padding from a name without a token. Base64 of random bytes is long, whole, and
/// of letters of both cases; names of all that are none that people give.
fn is_padded(line: &str) -> bool {
    let body = line.strip_suffix("==").or_else(|| line.strip_suffix('='));
    body.is_some_and(|body| {
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
        line.len() >= SHORTEST_PADDED
            && line.len().is_multiple_of(4)
            && body.bytes().all(is_base64)
            && body.bytes().any(|byte| byte.is_ascii_uppercase())
            && body.bytes().any(|byte| byte.is_ascii_lowercase())
    })
}

/// Returns what follows the label of a digest. In any letter case: taken for a token, a digest would
/// let in whoever reads the file.
fn digits(token: &str) -> Option<&str> {
    let (label, digits) = token.split_once(':')?;
    label.eq_ignore_ascii_case("sha256").then_some(digits)
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
