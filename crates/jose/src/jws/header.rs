//! The JOSE header ([RFC 7515 §4]).
//!
//! [RFC 7515 §4]: https://www.rfc-editor.org/rfc/rfc7515#section-4

use std::{borrow::Cow, sync::OnceLock};

use super::{
    AlgorithmSet, CertificateThumbprints, JwsError, JwsErrorKind, KeyHint, Room, Segments,
};
use crate::{
    Algorithm,
    json::{Name, Object, Reader, Value},
    jwk::MAX_KEY_ID_LEN,
};

/// What counts in the JOSE header. `jku`, `x5u`, `x5c` and `jwk` are not read: keys come from the
/// configuration alone ([RFC 8725 §3.10]). `x5t` and `x5t#S256` choose among those, and nothing else: a
/// value of another type is no error.
///
/// [RFC 8725 §3.10]: https://www.rfc-editor.org/rfc/rfc8725#section-3.10
#[derive(Debug)]
pub struct Header<'a> {
    algorithm: Algorithm,
    key_id: Option<Cow<'a, str>>,
    certificate: CertificateThumbprints<'a>,
    typ: Option<Cow<'a, str>>,
    is_known: bool,
}

impl<'a> Header<'a> {
    /// Reads the header of a JWS, unless it is one of those that are known.
    ///
    /// # Errors
    ///
    /// [`JwsErrorKind::Malformed`], [`JwsErrorKind::IllegalCharacter`],
    /// [`JwsErrorKind::UnsupportedCriticalHeader`], and [`JwsErrorKind::AlgorithmNotAllowed`] for an
    /// algorithm that is not one of these.
    #[inline]
    pub fn read<const N: usize>(
        segments: &Segments<'_>,
        allowed: AlgorithmSet,
        known: &'a KnownHeaders,
        room: &'a mut Room<N>,
    ) -> Result<Self, JwsError> {
        let header = match known.find(segments.encoded_header()) {
            Some(header) => header,
            None => Self::parse(segments.header(room)?)?,
        };
        if !allowed.contains(header.algorithm) {
            return Err(JwsErrorKind::AlgorithmNotAllowed.into());
        }
        Ok(header)
    }

    /// Reads a decoded header.
    ///
    /// # Errors
    ///
    /// [`JwsErrorKind::Malformed`], [`JwsErrorKind::UnsupportedCriticalHeader`], and
    /// [`JwsErrorKind::AlgorithmNotAllowed`] for an algorithm that is not supported.
    pub fn parse(header: &'a [u8]) -> Result<Self, JwsError> {
        let text =
            std::str::from_utf8(header).map_err(|_| JwsError::malformed("header is not UTF-8"))?;
        // Read in place: to return an object by value copies it.
        let mut header = Object::default();
        let read = Reader::new(text).and_then(|mut reader| reader.read_rest(&mut header));
        read.map_err(|error| JwsError::malformed(error.reason()))?;
        let string = |name, reason| match header.get(name) {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or_else(|| JwsError::malformed(reason)),
        };
        let algorithm = string(Name::Alg, "`alg` is not a string")?
            .ok_or_else(|| JwsError::malformed("no `alg`"))?;
        let key_id = string(Name::Kid, "`kid` is not a string")?;
        let typ = string(Name::Typ, "`typ` is not a string")?;
        if key_id.as_ref().is_some_and(|key_id| key_id.len() > MAX_KEY_ID_LEN) {
            return Err(JwsError::malformed("`kid` is too long"));
        }
        if let Some(critical) = header.get(Name::Crit) {
            return Err(critical_error(critical));
        }
        // Without `crit` this member has no standard meaning, and RFC 7797 §6 wants it there.
        if header.get(Name::B64).is_some() {
            return Err(JwsError::malformed("`b64` without `crit`"));
        }
        let algorithm =
            algorithm.parse().map_err(|_| JwsError::from(JwsErrorKind::AlgorithmNotAllowed))?;
        let thumbprint = |name| header.find_other(name).and_then(Value::as_str);
        let certificate =
            CertificateThumbprints { sha1: thumbprint("x5t"), sha256: thumbprint("x5t#S256") };
        Ok(Self { algorithm, key_id, certificate, typ, is_known: false })
    }

    /// Returns `alg`.
    #[inline]
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns `kid`.
    #[inline]
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Returns what it says of the key.
    #[inline]
    #[must_use]
    pub fn key_hint(&self) -> KeyHint<'_> {
        KeyHint { key_id: self.key_id(), certificate: &self.certificate }
    }

    /// Returns `typ`.
    #[inline]
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    #[cfg(test)]
    pub(super) fn for_tests(algorithm: Algorithm) -> Self {
        let certificate = CertificateThumbprints::default();
        Self { algorithm, key_id: None, certificate, typ: None, is_known: false }
    }
}

/// No extension is understood, so that a well-formed `crit` is rejected whatever it lists
/// ([RFC 7515 §4.1.11]).
///
/// [RFC 7515 §4.1.11]: https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11
fn critical_error(critical: Value<'_>) -> JwsError {
    let mut names = 0_usize;
    let all_strings = critical.each_element(|element| {
        names = names.saturating_add(1);
        element.as_str().map(|_| ())
    });
    match (all_strings, names) {
        (Some(()), 1..) => JwsErrorKind::UnsupportedCriticalHeader.into(),
        _ => JwsError::malformed("`crit` is not a list of names"),
    }
}

/// Headers whose signatures were verified, by their encoded text.
///
/// An issuer writes the same header into all tokens of one key, so that most are read only once.
/// What is kept is what [`Header::parse`] made of the text: it holds whatever the keys are. Only
/// issuers can fill the places, and when these are full the rest is read each time.
#[derive(Debug, Default)]
pub struct KnownHeaders {
    places: [OnceLock<KnownHeader>; 8],
}

#[derive(Debug)]
struct KnownHeader {
    encoded: Box<[u8]>,
    algorithm: Algorithm,
    key_id: Option<Box<str>>,
    certificate: CertificateThumbprints<'static>,
    typ: Option<Box<str>>,
}

impl KnownHeaders {
    /// Returns the known header with this encoded text.
    #[inline]
    #[must_use]
    pub fn find(&self, encoded: &[u8]) -> Option<Header<'_>> {
        let mut known = self.places.iter().map_while(OnceLock::get);
        let header = known.find(|header| *header.encoded == *encoded)?;
        Some(Header {
            algorithm: header.algorithm,
            key_id: header.key_id.as_deref().map(Cow::Borrowed),
            certificate: header.certificate.borrowed(),
            typ: header.typ.as_deref().map(Cow::Borrowed),
            is_known: true,
        })
    }

    /// Keeps a header that a trusted key has signed.
    #[inline]
    pub fn remember(&self, encoded: &[u8], header: &Header<'_>) {
        if !header.is_known {
            self.add(encoded, header);
        }
    }

    #[cold]
    fn add(&self, encoded: &[u8], header: &Header<'_>) {
        let mut known = KnownHeader {
            encoded: encoded.into(),
            algorithm: header.algorithm,
            key_id: header.key_id().map(Into::into),
            certificate: header.certificate.to_owned(),
            typ: header.typ().map(Into::into),
        };
        for place in &self.places {
            match place.set(known) {
                Ok(()) => return,
                Err(returned) => known = returned,
            }
        }
    }
}
