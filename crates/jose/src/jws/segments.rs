//! The compact form: three segments of base64url without padding ([RFC 7515 §7.1]).
//!
//! [RFC 7515 §7.1]: https://www.rfc-editor.org/rfc/rfc7515#section-7.1

use std::{fmt, mem::MaybeUninit};

use base64_simd::{AsOut, URL_SAFE_NO_PAD};

use super::{JwsError, JwsErrorKind};

/// The three segments, still encoded. The payload may hold further dots: decoding rejects them.
#[derive(Debug)]
pub struct Segments<'a> {
    token: &'a [u8],
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
    /// [`JwsErrorKind::TooLong`], before anything else is looked at;
    /// [`JwsErrorKind::Malformed`] for fewer than three segments, and
    /// [`JwsErrorKind::IllegalCharacter`] if it is not even a `b64token`.
    #[inline]
    pub fn split(token: &'a [u8], max_len: usize) -> Result<Self, JwsError> {
        if token.len() > max_len {
            return Err(JwsErrorKind::TooLong.into());
        }
        // From both ends, so that a million dots cost no more than three.
        let dots = memchr::memchr(b'.', token).zip(memchr::memrchr(b'.', token));
        dots.and_then(|(first, last)| {
            Some(Segments {
                token,
                signing_input: token.get(..last)?,
                header: token.get(..first)?,
                payload: token.get(first.checked_add(1)?..last)?,
                signature: token.get(last.checked_add(1)?..)?,
            })
        })
        .ok_or_else(|| not_decodable(token, "fewer than three segments"))
    }

    /// Returns what the signature is over.
    #[inline]
    #[must_use]
    pub fn signing_input(&self) -> &'a [u8] {
        self.signing_input
    }

    /// Returns the header, encoded.
    #[inline]
    #[must_use]
    pub fn encoded_header(&self) -> &'a [u8] {
        self.header
    }

    /// Decodes the header.
    ///
    /// # Errors
    ///
    /// [`JwsErrorKind::Malformed`] and [`JwsErrorKind::IllegalCharacter`].
    #[inline]
    pub fn header<'r, const N: usize>(&self, room: &'r mut Room<N>) -> Result<&'r [u8], JwsError> {
        room.decode(self.header).ok_or_else(|| self.not_base64url())
    }

    /// Decodes the signature.
    ///
    /// # Errors
    ///
    /// [`JwsErrorKind::Malformed`] and [`JwsErrorKind::IllegalCharacter`].
    #[inline]
    pub fn signature<'r, const N: usize>(
        &self,
        room: &'r mut Room<N>,
    ) -> Result<&'r [u8], JwsError> {
        room.decode(self.signature).ok_or_else(|| self.not_base64url())
    }

    /// Decodes the payload, which is a text.
    ///
    /// # Errors
    ///
    /// [`JwsErrorKind::Malformed`] and [`JwsErrorKind::IllegalCharacter`].
    #[inline]
    pub fn payload(&self) -> Result<String, JwsError> {
        String::from_utf8(self.payload_bytes()?)
            .map_err(|_| JwsError::malformed("payload is not UTF-8"))
    }

    /// Decodes the payload, whatever it is.
    ///
    /// # Errors
    ///
    /// [`JwsErrorKind::Malformed`] and [`JwsErrorKind::IllegalCharacter`].
    #[inline]
    pub fn payload_bytes(&self) -> Result<Vec<u8>, JwsError> {
        let mut payload = Vec::new();
        append(self.payload, &mut payload).ok_or_else(|| self.not_base64url())?;
        Ok(payload)
    }

    #[cold]
    fn not_base64url(&self) -> JwsError {
        not_decodable(self.token, "a segment is not canonical base64url")
    }
}

/// Tells a token that no RFC 6750 client may send from one that is merely not a JWT. Only a token
/// that is rejected anyway pays for the look.
#[cold]
fn not_decodable(token: &[u8], reason: &'static str) -> JwsError {
    if is_b64token(token) {
        JwsError::malformed(reason)
    } else {
        JwsError::because(JwsErrorKind::IllegalCharacter, "not a b64token")
    }
}

/// Returns whether this is a `b64token` ([RFC 6750 §2.1]).
///
/// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
#[must_use]
pub fn is_b64token(bytes: &[u8]) -> bool {
    let padding = bytes.iter().rev().take_while(|&&byte| byte == b'=').count();
    let (body, _) = bytes.split_at(bytes.len() - padding);
    // In blocks and without a branch, so that the compiler makes vector code of it.
    let (blocks, rest) = body.as_chunks::<16>();
    let error_of = |block: &[u8]| block.iter().fold(0, |bad, &byte| bad | b64token_error(byte));
    !body.is_empty() && blocks.iter().all(|block| error_of(block) == 0) && error_of(rest) == 0
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

/// Room for one decoded segment, off the heap up to `N` bytes.
pub struct Room<const N: usize> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_b64token_ends_in_its_padding() {
        for token in ["a", "a.b-c_d~e+f/g", "YQ==", "a="] {
            assert!(is_b64token(token.as_bytes()), "{token}");
        }
        for token in ["", "=", "a b", "a=b", "a,b", "\"a\"", "ä", "a\u{0}"] {
            assert!(!is_b64token(token.as_bytes()), "{token}");
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
                assert_eq!(is_b64token(&token), expected || is_padding, "{byte} at {place}");
            }
        }
    }
}
