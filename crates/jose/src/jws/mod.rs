//! The steps from the bytes of a JWS to a verified one ([RFC 7515 §5.2]), each a function of its own.
//!
//! [`JwsVerifier`] takes them all, and is what most callers need. An engine that
//! decides between the steps, such as which issuer's keys count, takes them one by one:
//!
//! 1. [`Segments::split`] splits the compact form.
//! 2. [`Header::read`] reads the JOSE header.
//! 3. [`KeyIndex::candidates`] finds the keys that the header may mean.
//! 4. [`UnverifiedJws::decode`] decodes the signature.
//! 5. [`UnverifiedJws::verify`] verifies it. Only this function returns a [`SignatureValid`].
//!
//! [RFC 7515 §5.2]: https://www.rfc-editor.org/rfc/rfc7515#section-5.2

mod error;
mod header;
mod keys;
mod name_index;
mod segments;
#[cfg(test)]
mod tests;
mod unverified;
mod verifier;

pub use error::{JwsError, JwsErrorKind};
pub use header::{Header, KnownHeaders};
pub use keys::{Candidates, KeyHint, KeyIndex, KeyMatching, MatchBy, SameId};
pub use name_index::NameIndex;
pub use segments::{Room, Segments, is_b64token};
pub use unverified::{SignatureRoom, UnverifiedJws};
pub use verifier::{JwsVerifier, VerifiedPayload};

pub use crate::{
    algorithm::AlgorithmSet,
    jwk::{CertificateThumbprints, SignatureValid},
};
