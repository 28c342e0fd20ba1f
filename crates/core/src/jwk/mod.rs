//! Verification keys and where they are read from: JWK and JWK Set ([RFC 7517]), PEM, secrets.
//!
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517

mod certificate;
mod components;
mod jsonwebtoken;
mod key;
mod own_file;
mod pem;
mod private;
mod secret;
mod set;
#[cfg(test)]
mod tests;
mod thumbprint;

#[cfg(feature = "mint")]
pub(crate) use self::{key::unusable, pem::with_line_breaks, thumbprint::thumbprint};
pub(crate) use certificate::CertificateThumbprints;
pub use key::VerificationKey;
pub(crate) use key::{MAX_KEY_ID_LEN, SignatureValid};
pub(crate) use set::as_set;
pub use set::{JwkSet, SkippedKey};
