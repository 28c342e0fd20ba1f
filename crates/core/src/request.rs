//! What the engine sees of a request, and the tokens in it.

use std::{borrow::Cow, fmt};

/// The view of a request that the engine reads: borrowed, so that nothing is copied.
///
/// Adapters implement it for their framework's type; it names no crate, because the frameworks do
/// not agree on one.
pub trait RequestView {
    /// Calls `visit` with the value of each header field of this name, in order.
    ///
    /// `name` is in lower case. Fields of one name stay apart ([RFC 9110 §5.3]).
    ///
    /// [RFC 9110 §5.3]: https://www.rfc-editor.org/rfc/rfc9110#section-5.3
    fn field_values<'r>(&'r self, name: &str, visit: &mut dyn FnMut(&'r [u8]));

    /// Returns the query of the request target, without its `?` and as it was sent.
    fn query(&self) -> Option<&str>;
}

/// A token as it came, not looked into yet. `Debug` does not show it.
#[derive(Clone)]
pub struct BearerToken<'r> {
    bytes: Cow<'r, [u8]>,
}

impl<'r> BearerToken<'r> {
    /// Takes a token that was not part of a request, such as one from a command line.
    #[must_use]
    pub fn new(token: &'r str) -> Self {
        Self { bytes: Cow::Borrowed(token.as_bytes()) }
    }

    pub(crate) fn from_bytes(bytes: impl Into<Cow<'r, [u8]>>) -> Self {
        Self { bytes: bytes.into() }
    }

    pub(crate) fn to_owned_token(&self) -> BearerToken<'static> {
        BearerToken { bytes: Cow::Owned(self.bytes.clone().into_owned()) }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes a prefix off, if it is there: once, or as often as it is.
    pub(crate) fn without_prefix(self, prefix: &str, repeated: bool) -> Self {
        let prefix = prefix.as_bytes();
        let mut rest: &[u8] = &self.bytes;
        while let Some(after) = rest.strip_prefix(prefix) {
            rest = after;
            if !repeated || prefix.is_empty() {
                break;
            }
        }
        let start = self.bytes.len().saturating_sub(rest.len());
        let bytes = match self.bytes {
            Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(start..).unwrap_or_default()),
            Cow::Owned(mut bytes) => Cow::Owned(bytes.split_off(start)),
        };
        Self { bytes }
    }

    /// Tells whether this is a `b64token` ([RFC 6750 §2.1]).
    ///
    /// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
    pub(crate) fn is_b64token(&self) -> bool {
        let padding = self.bytes.iter().rev().take_while(|&&byte| byte == b'=').count();
        let (body, _) = self.bytes.split_at(self.bytes.len() - padding);
        // In blocks and without a branch, so that the compiler makes vector code of it.
        let (blocks, rest) = body.as_chunks::<16>();
        let error_of = |block: &[u8]| block.iter().fold(0, |bad, &byte| bad | b64token_error(byte));
        !body.is_empty() && blocks.iter().all(|block| error_of(block) == 0) && error_of(rest) == 0
    }

    /// Returns the name that logs may use for the token: the first 16 hexadecimal digits of its
    /// SHA-256.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        use aws_lc_rs::digest::{SHA256, digest};
        let digest = digest(&SHA256, &self.bytes);
        digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Returns zero for the bytes of the grammar: how far a byte is from the nearest of them.
#[inline(always)]
fn b64token_error(byte: u8) -> u8 {
    let from_letters = (byte | 0x20).wrapping_sub(b'a').saturating_sub(25);
    // `-`, `.`, `/` and the digits are neighbours.
    let from_digits_and_marks = byte.wrapping_sub(b'-').saturating_sub(12);
    let from_others = (byte ^ b'_').min(byte ^ b'~').min(byte ^ b'+');
    from_letters.min(from_digits_and_marks).min(from_others)
}

impl fmt::Debug for BearerToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_b64token_ends_in_its_padding() {
        for token in ["a", "a.b-c_d~e+f/g", "YQ==", "a="] {
            assert!(BearerToken::new(token).is_b64token(), "{token}");
        }
        for token in ["", "=", "a b", "a=b", "a,b", "\"a\"", "ä", "a\u{0}"] {
            assert!(!BearerToken::new(token).is_b64token(), "{token}");
        }
    }

    #[test]
    fn the_alphabet_is_that_of_the_grammar() {
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            assert_eq!(b64token_error(byte) == 0, expected, "{byte}");
            // Wherever it stands.
            for place in 0..20 {
                let mut token = [b'a'; 20];
                token[place] = byte;
                let is_padding = byte == b'=' && place == 19;
                let token = BearerToken::from_bytes(&token[..]);
                assert_eq!(token.is_b64token(), expected || is_padding, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn debug_hides_the_token_and_logs_use_its_fingerprint() {
        let token = BearerToken::new("abc");
        assert_eq!(format!("{token:?}"), "BearerToken(***)");
        assert_eq!(token.fingerprint(), "ba7816bf8f01cfea");
    }
}
