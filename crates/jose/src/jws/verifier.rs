//! A JWS on its own, whatever its payload is: no issuer, no claims, no dates ([RFC 7515 §5.2]).
//!
//! [RFC 7515 §5.2]: https://www.rfc-editor.org/rfc/rfc7515#section-5.2

use std::fmt;

use super::{
    Header, JwsError, JwsErrorKind, KeyIndex, KeyMatching, KnownHeaders, MatchBy, Room, Segments,
    SignatureRoom, UnverifiedJws,
};
use crate::{Algorithm, JwkSetError, VerificationKey, algorithm::AlgorithmSet};

/// The longest JWS, in bytes, unless configured otherwise: payloads may be documents.
const MAX_JWS_LEN: usize = 1024 * 1024;

/// Verifies signatures, and nothing else: for tools, webhooks and other JWS that are no access tokens.
///
/// An access token needs more: a right signature alone does not say that a token is meant for this
/// service, or still good. The crate `portcullis` checks that.
///
/// # Examples
///
/// ```
/// use portcullis_jose::{Algorithm, JwsErrorKind, JwsVerifier, VerificationKey};
///
/// let key = VerificationKey::from_secret([7; 32], Algorithm::HS256)?;
/// let verifier = JwsVerifier::new([key])?;
/// let rejected = verifier.verify("eyJhbGciOiJub25lIn0..").unwrap_err();
/// assert_eq!(rejected.kind(), JwsErrorKind::AlgorithmNotAllowed);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use]
pub struct JwsVerifier {
    keys: KeyIndex,
    allowed: AlgorithmSet,
    known_headers: KnownHeaders,
    max_len: usize,
}

/// A JWS that one of the keys has signed. `Debug` does not show the payload.
#[derive(Clone)]
pub struct VerifiedPayload {
    header: String,
    payload: Vec<u8>,
    key: VerificationKey,
}

impl JwsVerifier {
    /// Creates a verifier with these keys. A JWS without `kid` is tried with every key that fits, four
    /// at most, first with those whose certificate its `x5t` or `x5t#S256` names.
    ///
    /// # Errors
    ///
    /// [`JwkSetError::NoUsableKey`] without a key.
    pub fn new<I: IntoIterator<Item = VerificationKey>>(keys: I) -> Result<Self, JwkSetError> {
        let keys: Vec<_> = keys.into_iter().collect();
        if keys.is_empty() {
            return Err(JwkSetError::NoUsableKey { reasons: Vec::new() });
        }
        let of_keys = keys.iter().map(VerificationKey::algorithm_set);
        let allowed = of_keys.fold(AlgorithmSet::EMPTY, AlgorithmSet::union);
        let keys =
            KeyIndex::new(keys, KeyMatching { by: MatchBy::TryAll, ..KeyMatching::default() });
        Ok(Self { keys, allowed, known_headers: KnownHeaders::default(), max_len: MAX_JWS_LEN })
    }

    /// The algorithms that are allowed ([RFC 8725 §3.1]). Default: those of the keys.
    ///
    /// [RFC 8725 §3.1]: https://www.rfc-editor.org/rfc/rfc8725#section-3.1
    pub fn algorithms<I: IntoIterator<Item = Algorithm>>(self, algorithms: I) -> Self {
        Self { allowed: algorithms.into_iter().collect(), ..self }
    }

    /// The longest JWS, in bytes. Default: 1 MiB.
    pub fn max_len(self, max_len: usize) -> Self {
        Self { max_len, ..self }
    }

    /// Verifies a JWS in compact form.
    ///
    /// # Errors
    ///
    /// A [`JwsError`]. It is [`JwsErrorKind::AmbiguousKey`] where more than four keys fit, and none of the
    /// four that were tried has made the signature.
    pub fn verify(&self, jws: &str) -> Result<VerifiedPayload, JwsError> {
        if jws.is_empty() {
            return Err(JwsErrorKind::Empty.into());
        }
        let segments = Segments::split(jws.as_bytes(), self.max_len)?;
        let mut room = Room::<256>::default();
        let header = Header::read(&segments, self.allowed, &self.known_headers, &mut room)?;
        let candidates = self.keys.candidates(header.key_hint(), header.algorithm())?;
        let payload = segments.payload_bytes()?;
        let mut signature = SignatureRoom::default();
        let jws = UnverifiedJws::decode(&header, &segments, &mut signature)?;
        let key = jws.verify(&candidates)?.key().clone();
        self.known_headers.remember(segments.encoded_header(), &header);
        let mut room = Room::<256>::default();
        let header = std::str::from_utf8(segments.header(&mut room)?);
        let header = header.map_err(|_| JwsError::malformed("header is not UTF-8"))?.to_owned();
        Ok(VerifiedPayload { header, payload, key })
    }

    #[cfg(test)]
    pub(super) fn knows_header(&self, encoded: &str) -> bool {
        self.known_headers.find(encoded.as_bytes()).is_some()
    }
}

impl VerifiedPayload {
    /// Returns the protected header, as its JSON text.
    #[must_use]
    pub fn header(&self) -> &str {
        &self.header
    }

    /// Returns the payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Returns the key.
    #[must_use]
    pub fn key(&self) -> &VerificationKey {
        &self.key
    }
}

impl fmt::Debug for VerifiedPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedPayload")
            .field("header", &self.header)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
