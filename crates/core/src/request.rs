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

    /// Returns the method, in the case in which it was sent ([RFC 9110 §9.1]).
    ///
    /// [RFC 9110 §9.1]: https://www.rfc-editor.org/rfc/rfc9110#section-9.1
    fn method(&self) -> &str;

    /// Returns host and port of the request target, if it has them: the pseudo-header `:authority` of HTTP/2,
    /// or those of a target in absolute form. The field `Host` is not part of it.
    fn authority(&self) -> Option<&str>;
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

    /// Returns the name that logs may use for the token: the first 16 hexadecimal digits of its
    /// SHA-256.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        use aws_lc_rs::digest::{SHA256, digest};
        let digest = digest(&SHA256, &self.bytes);
        digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
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
    fn debug_hides_the_token_and_logs_use_its_fingerprint() {
        let token = BearerToken::new("abc");
        assert_eq!(format!("{token:?}"), "BearerToken(***)");
        assert_eq!(token.fingerprint(), "ba7816bf8f01cfea");
    }
}
