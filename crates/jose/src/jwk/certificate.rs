//! Thumbprints of certificates.

use std::borrow::Cow;

/// The thumbprints of a key's certificate that a JWK ([RFC 7517 §4.8, §4.9]) or a JOSE header
/// ([RFC 7515 §4.1.7, §4.1.8]) names, as text. No certificate is read.
///
/// [RFC 7515 §4.1.7, §4.1.8]: https://www.rfc-editor.org/rfc/rfc7515#section-4.1.7
/// [RFC 7517 §4.8, §4.9]: https://www.rfc-editor.org/rfc/rfc7517#section-4.8
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "the RFCs define these two members")]
pub struct CertificateThumbprints<'a> {
    /// `x5t`.
    pub sha1: Option<Cow<'a, str>>,
    /// `x5t#S256`.
    pub sha256: Option<Cow<'a, str>>,
}

impl CertificateThumbprints<'_> {
    /// Returns whether there is neither.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sha1.is_none() && self.sha256.is_none()
    }

    /// Returns whether both name the same certificate: they have a thumbprint in common, and none that
    /// differs.
    #[must_use]
    pub fn agree_with(&self, other: &CertificateThumbprints<'_>) -> bool {
        let agree = |own: &Option<Cow<'_, str>>, other: &Option<Cow<'_, str>>| {
            own.as_ref().zip(other.as_ref()).map(|(own, other)| own == other)
        };
        match (agree(&self.sha1, &other.sha1), agree(&self.sha256, &other.sha256)) {
            (Some(sha1), Some(sha256)) => sha1 && sha256,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => false,
        }
    }

    /// Returns the thumbprints without copying them.
    #[inline]
    #[must_use]
    pub fn borrowed(&self) -> CertificateThumbprints<'_> {
        CertificateThumbprints {
            sha1: self.sha1.as_deref().map(Cow::Borrowed),
            sha256: self.sha256.as_deref().map(Cow::Borrowed),
        }
    }

    /// Copies the thumbprints.
    #[must_use]
    pub fn to_owned(&self) -> CertificateThumbprints<'static> {
        let owned = |text: &Option<Cow<'_, str>>| text.as_ref().map(|text| text.to_string().into());
        CertificateThumbprints { sha1: owned(&self.sha1), sha256: owned(&self.sha256) }
    }
}
