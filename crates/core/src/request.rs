//! What the engine sees of a request, and the tokens in it.

use std::{borrow::Cow, fmt};

use base64_simd::URL_SAFE_NO_PAD;

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

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes a prefix off, if it is there.
    pub(crate) fn strip_prefix(self, prefix: &str) -> Option<Self> {
        if !self.bytes.starts_with(prefix.as_bytes()) {
            return None;
        }
        let bytes = match self.bytes {
            Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(prefix.len()..)?),
            Cow::Owned(mut bytes) => Cow::Owned(bytes.split_off(prefix.len())),
        };
        Some(Self { bytes })
    }

    /// Tells whether this is a `b64token` ([RFC 6750 §2.1]).
    ///
    /// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
    pub(crate) fn is_b64token(&self) -> bool {
        let padding = self.bytes.iter().rev().take_while(|&&byte| byte == b'=').count();
        let (body, _) = self.bytes.split_at(self.bytes.len() - padding);
        !body.is_empty()
            && body.iter().all(|byte| {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
            })
    }

    /// Returns the name that logs may use for the token: the first 16 hexadecimal digits of its
    /// SHA-256.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        use aws_lc_rs::digest::{SHA256, digest};
        let digest = digest(&SHA256, &self.bytes);
        digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Decodes base64url without padding, strictly; appends to `out`.
    pub(crate) fn decode_segment(segment: &[u8], out: &mut Vec<u8>) -> Option<()> {
        URL_SAFE_NO_PAD.decode_append(segment, out).ok()
    }
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
    fn debug_hides_the_token_and_logs_use_its_fingerprint() {
        let token = BearerToken::new("abc");
        assert_eq!(format!("{token:?}"), "BearerToken(***)");
        assert_eq!(token.fingerprint(), "ba7816bf8f01cfea");
    }
}
