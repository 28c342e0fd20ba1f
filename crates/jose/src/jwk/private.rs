//! The public half of a private key that the service itself signs with.

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rsa::KeyPair as RsaKeyPair,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    },
};

use super::{
    KeyError,
    key::VerificationKey,
    pem::{from_spki, with_line_breaks},
};

impl VerificationKey {
    /// Takes the public half of a private key in PEM, for a service that verifies what it has
    /// signed itself: `PRIVATE KEY` (PKCS#8: RSA, P-256, P-384, P-521 or Ed25519).
    ///
    /// Line breaks may be written as the two characters `\n`.
    ///
    /// The private half is not kept. The key has no key id; see [`key_id`](Self::key_id).
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidSigningKey`] if the text is not one such block, and
    /// [`KeyError::Unusable`] if the key is too short or of another type.
    pub fn from_signing_key_pem(text: &str) -> Result<Self, KeyError> {
        let invalid = |reason: String| KeyError::InvalidSigningKey { reason };
        let block =
            pem::parse(&*with_line_breaks(text)).map_err(|error| invalid(error.to_string()))?;
        if block.tag() != "PRIVATE KEY" {
            return Err(invalid(format!("found a block `{}`", block.tag())));
        }
        let spki = public_half(block.contents()).ok_or_else(|| {
            KeyError::unusable("its private key is of a type or size that is not supported")
        })?;
        Ok(from_spki(&spki)?.with_own_thumbprint())
    }
}

/// Returns the `SubjectPublicKeyInfo` of a private key: of whichever type it is.
fn public_half(pkcs8: &[u8]) -> Option<Vec<u8>> {
    let der = |der: PublicKeyX509Der<'_>| der.as_ref().to_vec();
    for curve in [
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        &ECDSA_P384_SHA384_FIXED_SIGNING,
        &ECDSA_P521_SHA512_FIXED_SIGNING,
    ] {
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(curve, pkcs8) {
            return pair.public_key().as_der().ok().map(der);
        }
    }
    if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8) {
        return pair.public_key().as_der().ok().map(der);
    }
    let pair = RsaKeyPair::from_pkcs8(pkcs8).ok()?;
    pair.public_key().as_der().ok().map(der)
}
