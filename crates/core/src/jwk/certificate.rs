//! Thumbprints of certificates.

use std::borrow::Cow;

/// The thumbprints of a key's certificate that a JWK ([RFC 7517 §4.8, §4.9]) or a JOSE header
/// ([RFC 7515 §4.1.7, §4.1.8]) names, as text. No certificate is read.
///
/// [RFC 7515 §4.1.7, §4.1.8]: https://www.rfc-editor.org/rfc/rfc7515#section-4.1.7
/// [RFC 7517 §4.8, §4.9]: https://www.rfc-editor.org/rfc/rfc7517#section-4.8
#[derive(Clone, Debug, Default)]
pub(crate) struct CertificateThumbprints<'a> {
    /// `x5t`.
    pub(crate) sha1: Option<Cow<'a, str>>,
    /// `x5t#S256`.
    pub(crate) sha256: Option<Cow<'a, str>>,
}

impl CertificateThumbprints<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.sha1.is_none() && self.sha256.is_none()
    }

    /// Returns whether both name the same certificate: they have a thumbprint in common, and none that
    /// differs.
    pub(crate) fn agree_with(&self, other: &CertificateThumbprints<'_>) -> bool {
        let agree = |own: &Option<Cow<'_, str>>, other: &Option<Cow<'_, str>>| {
            own.as_ref().zip(other.as_ref()).map(|(own, other)| own == other)
        };
        match (agree(&self.sha1, &other.sha1), agree(&self.sha256, &other.sha256)) {
            (Some(sha1), Some(sha256)) => sha1 && sha256,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => false,
        }
    }

    pub(crate) fn borrowed(&self) -> CertificateThumbprints<'_> {
        CertificateThumbprints {
            sha1: self.sha1.as_deref().map(Cow::Borrowed),
            sha256: self.sha256.as_deref().map(Cow::Borrowed),
        }
    }

    pub(crate) fn to_owned(&self) -> CertificateThumbprints<'static> {
        let owned = |text: &Option<Cow<'_, str>>| text.as_ref().map(|text| text.to_string().into());
        CertificateThumbprints { sha1: owned(&self.sha1), sha256: owned(&self.sha256) }
    }
}
