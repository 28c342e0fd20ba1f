//! Verification keys and where they are read from: JWK and JWK Set ([RFC 7517]), PEM, secrets.
//!
//! [RFC 7517]: https://www.rfc-editor.org/rfc/rfc7517

mod certificate;
mod components;
mod error;
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

pub use certificate::CertificateThumbprints;
pub use error::{FileError, JwkSetError, KeyError};
pub(crate) use key::MAX_KEY_ID_LEN;
pub use key::SignatureValid;
pub use key::VerificationKey;
pub(crate) use pem::with_line_breaks;
pub(crate) use set::read_file;
pub use set::{JwkSet, SkippedKey};
pub(crate) use thumbprint::thumbprint;
