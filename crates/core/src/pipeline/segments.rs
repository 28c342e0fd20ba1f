//! The compact form: three segments of base64url without padding ([RFC 7515 §7.1]).
//!
//! [RFC 7515 §7.1]: https://www.rfc-editor.org/rfc/rfc7515#section-7.1

use std::{fmt, mem::MaybeUninit};

use base64_simd::{AsOut, URL_SAFE_NO_PAD};

use super::peek::malformed;
use crate::{AuthError, AuthErrorKind, BearerToken};

/// The three segments, still encoded. The payload may hold further dots: decoding rejects them.
#[derive(Debug)]
pub(crate) struct Segments<'a> {
    token: &'a BearerToken<'a>,
    signing_input: &'a [u8],
    header: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Segments<'a> {
    /// Splits a token.
    ///
    /// # Errors
    ///
    /// [`AuthErrorKind::TokenTooLarge`], before anything else is looked at;
    /// [`AuthErrorKind::MalformedToken`] for fewer than three segments, and
    /// [`AuthErrorKind::MalformedRequest`] if it is not even a `b64token`.
    pub(super) fn split(token: &'a BearerToken<'_>, max_len: usize) -> Result<Self, AuthError> {
        let bytes = token.as_bytes();
        if bytes.len() > max_len {
            return Err(AuthErrorKind::TokenTooLarge.into());
        }
        // From both ends, so that a million dots cost no more than three.
        let dots = memchr::memchr(b'.', bytes).zip(memchr::memrchr(b'.', bytes));
        dots.and_then(|(first, last)| {
            Some(Segments {
                token,
                signing_input: bytes.get(..last)?,
                header: bytes.get(..first)?,
                payload: bytes.get(first.checked_add(1)?..last)?,
                signature: bytes.get(last.checked_add(1)?..)?,
            })
        })
        .ok_or_else(|| not_decodable(token, "fewer than three segments"))
    }

    /// Returns what the signature is over.
    pub(super) fn signing_input(&self) -> &'a [u8] {
        self.signing_input
    }

    pub(super) fn encoded_header(&self) -> &'a [u8] {
        self.header
    }

    /// Decodes the header.
    pub(super) fn header<'r, const N: usize>(
        &self,
        room: &'r mut Room<N>,
    ) -> Result<&'r [u8], AuthError> {
        room.decode(self.header).ok_or_else(|| self.not_base64url())
    }

    /// Decodes the signature.
    pub(super) fn signature<'r, const N: usize>(
        &self,
        room: &'r mut Room<N>,
    ) -> Result<&'r [u8], AuthError> {
        room.decode(self.signature).ok_or_else(|| self.not_base64url())
    }

    /// Decodes the payload, which is a text.
    pub(super) fn payload(&self) -> Result<String, AuthError> {
        String::from_utf8(self.payload_bytes()?).map_err(|_| malformed("payload is not UTF-8"))
    }

    /// Decodes the payload, whatever it is.
    #[inline]
    pub(super) fn payload_bytes(&self) -> Result<Vec<u8>, AuthError> {
        let mut payload = Vec::new();
        append(self.payload, &mut payload).ok_or_else(|| self.not_base64url())?;
        Ok(payload)
    }

    #[cold]
    fn not_base64url(&self) -> AuthError {
        not_decodable(self.token, "a segment is not canonical base64url")
    }
}

/// Tells a token that no RFC 6750 client may send from one that is merely not a JWT. Only a token
/// that is rejected anyway pays for the look.
fn not_decodable(token: &BearerToken<'_>, reason: &'static str) -> AuthError {
    if token.is_b64token() {
        malformed(reason)
    } else {
        AuthError::because(AuthErrorKind::MalformedRequest, "not a b64token")
    }
}

/// Room for one decoded segment, off the heap up to `N` bytes.
pub(super) struct Room<const N: usize> {
    // Not set to zero beforehand: most requests use little of it, or nothing.
    inline: [MaybeUninit<u8>; N],
    spilled: Vec<u8>,
}

impl<const N: usize> Default for Room<N> {
    fn default() -> Self {
        Self { inline: [MaybeUninit::uninit(); N], spilled: Vec::new() }
    }
}

impl<const N: usize> fmt::Debug for Room<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room").finish_non_exhaustive()
    }
}

impl<const N: usize> Room<N> {
    /// Decodes a segment; `None` if it is not canonical base64url: one text for one value.
    fn decode(&mut self, encoded: &[u8]) -> Option<&[u8]> {
        // What is decoded is shorter than what was encoded, by a quarter.
        if encoded.len() / 4 * 3 + 3 <= N {
            let decoded = URL_SAFE_NO_PAD.decode(encoded, self.inline.as_mut_slice().as_out());
            return decoded.ok().map(|decoded| &*decoded);
        }
        append(encoded, &mut self.spilled)?;
        Some(&self.spilled)
    }
}

/// Decodes a segment to the end of `out`; `None` if it is not canonical base64url.
fn append(encoded: &[u8], out: &mut Vec<u8>) -> Option<()> {
    URL_SAFE_NO_PAD.decode_append(encoded, out).ok()
}
