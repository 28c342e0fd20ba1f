//! A JWS whose signature is yet to be verified ([RFC 7515 §5.2]).
//!
//! [RFC 7515 §5.2]: https://www.rfc-editor.org/rfc/rfc7515#section-5.2

use super::{Candidates, Header, JwsError, Room, Segments, SignatureValid};
use crate::Algorithm;

/// Room for a decoded signature.
pub type SignatureRoom = Room<512>;

/// A JWS whose signature is decoded and not verified.
#[derive(Debug)]
pub struct UnverifiedJws<'a> {
    header: &'a Header<'a>,
    signing_input: &'a [u8],
    signature: &'a [u8],
}

impl<'a> UnverifiedJws<'a> {
    /// Decodes the signature.
    ///
    /// # Errors
    ///
    /// [`Malformed`](super::JwsErrorKind::Malformed) and
    /// [`IllegalCharacter`](super::JwsErrorKind::IllegalCharacter).
    #[inline]
    pub fn decode(
        header: &'a Header<'a>,
        segments: &Segments<'a>,
        room: &'a mut SignatureRoom,
    ) -> Result<Self, JwsError> {
        let signature = segments.signature(room)?;
        Ok(Self { header, signing_input: segments.signing_input(), signature })
    }

    /// Takes test vectors whose messages are not made of segments.
    #[cfg(test)]
    pub(super) fn for_tests(
        header: &'a Header<'a>,
        signing_input: &'a [u8],
        signature: &'a [u8],
    ) -> Self {
        Self { header, signing_input, signature }
    }

    /// Returns the header.
    #[inline]
    #[must_use]
    pub fn header(&self) -> &'a Header<'a> {
        self.header
    }

    /// Verifies the signature with one key after the other.
    ///
    /// # Errors
    ///
    /// [`SignatureMismatch`](super::JwsErrorKind::SignatureMismatch) if no key has made it, and
    /// [`AmbiguousKey`](super::JwsErrorKind::AmbiguousKey) if more keys fit than are tried.
    #[inline]
    pub fn verify<'k>(&self, candidates: &Candidates<'k>) -> Result<SignatureValid<'k>, JwsError> {
        let algorithm: Algorithm = self.header.algorithm();
        candidates
            .iter()
            .find_map(|key| key.verify(algorithm, self.signing_input, self.signature))
            .ok_or_else(|| candidates.mismatch())
    }
}
