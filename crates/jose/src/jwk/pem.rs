//! Public keys in PEM ([RFC 7468]).
//!
//! [RFC 7468]: https://www.rfc-editor.org/rfc/rfc7468

use std::{borrow::Cow, path::Path};

use aws_lc_rs::signature::ParsedPublicKey;
use rustls_pki_types::CertificateDer;

use super::{FileError, KeyError, components::RSA, key::VerificationKey, set::read_file};
use crate::Algorithm;

impl VerificationKey {
    /// Reads a public key in PEM: `PUBLIC KEY` (SPKI: RSA, P-256, P-384, P-521 or Ed25519),
    /// `RSA PUBLIC KEY` (PKCS#1), or the key of a `CERTIFICATE` (X.509).
    ///
    /// Line breaks may be written as the two characters `\n`, as environment files hold them.
    ///
    /// The certificate is a container here: its dates, names and signature are not looked at. The
    /// key has no key id, and may be used with every algorithm of its type and curve; see
    /// [`key_id`](Self::key_id) and [`algorithm`](Self::algorithm).
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidPem`] if the text is not one such block, [`KeyError::PrivateKey`]
    /// if it holds a private key, and [`KeyError::Unusable`] if the key is too short or of a
    /// type that no algorithm uses.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let invalid = |reason: &str| KeyError::InvalidPem { reason: reason.to_owned() };
        let blocks = pem::parse_many(&*with_line_breaks(text))
            .map_err(|error| invalid(&error.to_string()))?;
        if let Some(block) = blocks.iter().find(|block| block.tag().ends_with("PRIVATE KEY")) {
            return Err(KeyError::PrivateKey { found: block.tag().to_owned() });
        }
        let [block] = blocks.as_slice() else {
            let found = match blocks.len() {
                0 => "found no block (for a file, there is `from_pem_file`)".to_owned(),
                several => format!("found {several} blocks"),
            };
            return Err(invalid(&found));
        };
        let key = match block.tag() {
            "PUBLIC KEY" => from_spki(block.contents()),
            "RSA PUBLIC KEY" => from_der(&RSA, block.contents()),
            "CERTIFICATE" => from_certificate(block.contents()),
            tag => Err(invalid(&format!("found a block `{tag}`"))),
        }?;
        Ok(key.with_own_thumbprint())
    }

    /// Reads a PEM file, like [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    ///
    /// [`FileError::Unreadable`] if the file cannot be read, and [`FileError::Unusable`] with an error
    /// of [`from_pem`](Self::from_pem).
    pub fn from_pem_file(path: impl AsRef<Path>) -> Result<Self, FileError> {
        read_file(path.as_ref(), Self::from_pem)
    }
}

/// Puts line breaks where a text has the two characters `\n`: files of variables have one line for each
/// value. No PEM has a backslash of its own.
pub(crate) fn with_line_breaks(text: &str) -> Cow<'_, str> {
    if text.contains(r"\n") {
        Cow::Owned(text.replace(r"\r\n", "\n").replace(r"\n", "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Reads a `SubjectPublicKeyInfo`, which itself says of what type and curve its key is.
pub(super) fn from_spki(der: &[u8]) -> Result<VerificationKey, KeyError> {
    // The parsers also take bare keys, which say nothing: any 32 bytes are one of Ed25519.
    if der.first() != Some(&0x30) || der.len() <= 32 {
        return Err(KeyError::unusable("it is no `SubjectPublicKeyInfo`"));
    }
    let curves = [Algorithm::ES256, Algorithm::ES384, Algorithm::ES512, Algorithm::EdDSA];
    from_curves(&curves, der).or_else(|_| from_der(&RSA, der))
}

/// Reads a key of one of these algorithms, each of which has a curve of its own.
pub(super) fn from_curves(
    algorithms: &[Algorithm],
    der: &[u8],
) -> Result<VerificationKey, KeyError> {
    algorithms
        .iter()
        .find_map(|&algorithm| from_der(&[algorithm], der).ok())
        .ok_or_else(|| KeyError::unusable("it is no public key of a supported curve"))
}

pub(super) fn from_der(algorithms: &[Algorithm], der: &[u8]) -> Result<VerificationKey, KeyError> {
    VerificationKey::from_public_key(None, algorithms, |verifier| {
        ParsedPublicKey::new(verifier, der).ok()
    })
}

fn from_certificate(der: &[u8]) -> Result<VerificationKey, KeyError> {
    let der = CertificateDer::from(der);
    let certificate = webpki::EndEntityCert::try_from(&der)
        .map_err(|error| KeyError::unusable(format!("the certificate cannot be read: {error}")))?;
    from_spki(certificate.subject_public_key_info().as_ref())
}
