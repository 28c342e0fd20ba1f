//! Is the signature right? ([RFC 7515 §5.2])
//!
//! [RFC 7515 §5.2]: https://www.rfc-editor.org/rfc/rfc7515#section-5.2

use std::sync::Arc;

use super::{lookup::Complete, stop::Stop};
use crate::{
    AuthError, VerificationKey,
    issuer::IssuerConfig,
    json::{Name, Object, Value},
    jws::{Header, SignatureValid},
};

/// A token that a key of its issuer has signed. Whether it is good for us, and now, is not known.
#[derive(Debug)]
pub(crate) struct VerifiedJws<'a> {
    issuer: &'a Arc<IssuerConfig>,
    header: &'a Header<'a>,
    claims_text: &'a str,
    claims: &'a Object<'a>,
    key: &'a VerificationKey,
}

impl<'a> VerifiedJws<'a> {
    pub(crate) fn issuer(&self) -> &'a IssuerConfig {
        self.issuer
    }

    pub(super) fn header(&self) -> &'a Header<'a> {
        self.header
    }

    pub(crate) fn claim(&self, name: Name) -> Option<Value<'a>> {
        self.claims.get(name)
    }

    #[cfg(feature = "explain")]
    pub(crate) fn typ(&self) -> Option<&str> {
        self.header.typ()
    }

    pub(crate) fn claims(&self) -> &'a Object<'a> {
        self.claims
    }

    /// Returns the key that has made the signature.
    pub(super) fn key(&self) -> &'a VerificationKey {
        self.key
    }

    pub(super) fn claims_text(&self) -> &'a str {
        self.claims_text
    }
}

/// Verifies the signature with one key after the other.
///
/// # Errors
///
/// What the caller makes of [`AuthErrorKind::SignatureMismatch`](crate::AuthErrorKind::SignatureMismatch)
/// and the `kid`, if no key has made it; or of
/// [`AuthErrorKind::AmbiguousKey`](crate::AuthErrorKind::AmbiguousKey), if more keys fit than are tried.
#[inline]
pub(super) fn verify<'a>(
    complete: Complete<'a, 'a>,
    at_mismatch: impl FnOnce(AuthError, Option<&str>) -> Stop,
) -> Result<VerifiedJws<'a>, Stop> {
    let (token, issuer, candidates) = complete.into_parts();
    let valid: SignatureValid<'a> = token
        .jws()
        .verify(&candidates)
        .map_err(|error| at_mismatch(error.into(), token.jws().header().key_id()))?;
    let (jws, claims_text, claims) = token.into_parts();
    Ok(VerifiedJws { issuer, header: jws.header(), claims_text, claims, key: valid.key() })
}
