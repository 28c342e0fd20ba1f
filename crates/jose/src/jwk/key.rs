//! A key, parsed once, with the algorithms that it may be used with.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    hmac,
    rsa::PublicEncryptingKey,
    signature::{self, ParsedPublicKey, VerificationAlgorithm},
};

use super::{KeyError, certificate::CertificateThumbprints, thumbprint::thumbprint_of_spki};
use crate::{Algorithm, algorithm::AlgorithmSet};

/// The longest `kid`, in bytes: in a key and in a token.
pub(crate) const MAX_KEY_ID_LEN: usize = 256;

/// A key that verifies signatures, bound to the algorithms that it may be used with.
///
/// It is parsed when it is made, so that no request pays for that, and cloning it is cheap. `Debug`
/// shows the key id and the algorithms, never the key.
#[derive(Clone)]
pub struct VerificationKey {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    key_id: Option<Box<str>>,
    thumbprint: Option<Box<str>>,
    certificate: CertificateThumbprints<'static>,
    algorithms: AlgorithmSet,
    verifiers: Vec<(Algorithm, Verifier)>,
    /// Whether it is a secret that is shorter than the hash.
    short: bool,
}

#[derive(Clone)]
enum Verifier {
    PublicKey(ParsedPublicKey),
    // Behind a pointer: it is twenty times as large.
    Secret(Box<hmac::Key>),
}

/// Proof that a signature is that of a key. Only the verification of a signature makes one.
#[derive(Clone, Copy, Debug)]
pub struct SignatureValid<'k>(&'k VerificationKey);

impl<'k> SignatureValid<'k> {
    /// Returns the key.
    #[must_use]
    pub fn key(self) -> &'k VerificationKey {
        self.0
    }
}

impl VerificationKey {
    /// Returns the key with this key id, which tokens name in their `kid` header
    /// ([RFC 7517 §4.5]).
    ///
    /// # Errors
    ///
    /// [`KeyError::Unusable`] for an id longer than 256 bytes, which no token may name.
    ///
    /// [RFC 7517 §4.5]: https://www.rfc-editor.org/rfc/rfc7517#section-4.5
    pub fn key_id(self, key_id: impl Into<String>) -> Result<Self, KeyError> {
        let key_id = checked_key_id(key_id.into())?;
        Ok(self.with(|inner| inner.key_id = Some(key_id)))
    }

    /// Returns the key for use with one of its algorithms only.
    ///
    /// A PEM text does not say what its key is for: an RSA key from one may be used with all six RSA
    /// algorithms that the issuer allows, unless this narrows it.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unusable`] if the key cannot be used with the algorithm.
    pub fn algorithm(self, algorithm: Algorithm) -> Result<Self, KeyError> {
        let verifiers: Vec<_> =
            self.inner.verifiers.iter().filter(|(own, _)| *own == algorithm).cloned().collect();
        if verifiers.is_empty() {
            let reason = format!("it does not fit the algorithm {algorithm}");
            return Err(KeyError::Unusable { reason });
        }
        Ok(self.with(|inner| {
            inner.algorithms = [algorithm].into_iter().collect();
            inner.verifiers = verifiers;
        }))
    }

    /// Returns the algorithms that the key may be used with.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.inner.algorithms.iter()
    }

    /// Returns the thumbprint with SHA-256 ([RFC 7638]) of a key that came as a JWK or in PEM.
    ///
    /// [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
    #[must_use]
    pub fn thumbprint(&self) -> Option<&str> {
        self.inner.thumbprint.as_deref()
    }

    /// Returns the key with something changed. A copy is made where others have the key too.
    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.inner);
        change(&mut inner);
        Self { inner: Arc::new(inner) }
    }

    pub(super) fn with_certificate(self, certificate: CertificateThumbprints<'static>) -> Self {
        self.with(|inner| inner.certificate = certificate)
    }

    /// Returns the thumbprints of the key's certificate, as its JWK names them.
    pub(crate) fn certificate(&self) -> &CertificateThumbprints<'static> {
        &self.inner.certificate
    }

    /// Computes the thumbprint of a public key.
    pub(super) fn with_own_thumbprint(self) -> Self {
        let first = self.inner.verifiers.first().and_then(|(algorithm, verifier)| {
            let Verifier::PublicKey(key) = verifier else { return None };
            let der: PublicKeyX509Der<'_> = key.as_der().ok()?;
            thumbprint_of_spki(der.as_ref(), *algorithm)
        });
        self.with(|inner| inner.thumbprint = first)
    }

    /// Returns the key id.
    #[inline]
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.inner.key_id.as_deref()
    }

    /// Returns the algorithms that the key may be used with, as a set.
    #[inline]
    #[must_use]
    pub fn algorithm_set(&self) -> AlgorithmSet {
        self.inner.algorithms
    }

    /// Verifies a signature with an algorithm of the key; another algorithm never verifies.
    // A call of its own, so that what is counted of the way of a request can leave it out.
    #[inline(never)]
    pub(crate) fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Option<SignatureValid<'_>> {
        let (_, verifier) = self.inner.verifiers.iter().find(|(own, _)| *own == algorithm)?;
        let verified = match verifier {
            Verifier::PublicKey(key) => key.verify_sig(message, signature),
            Verifier::Secret(key) => hmac::verify(key, message, signature),
        };
        verified.ok().map(|()| SignatureValid(self))
    }

    fn new(key_id: Option<Box<str>>, verifiers: Vec<(Algorithm, Verifier)>) -> Self {
        let algorithms = verifiers.iter().map(|(algorithm, _)| *algorithm).collect();
        let certificate = CertificateThumbprints::default();
        let (thumbprint, short) = (None, false);
        let inner = Inner { key_id, thumbprint, certificate, algorithms, verifiers, short };
        Self { inner: Arc::new(inner) }
    }

    /// Returns whether the key is a secret that is shorter than the hash of an algorithm that it may be
    /// used with.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.inner.short
    }

    /// Makes a key from the bytes of a public key: what `parse` makes of them for each algorithm.
    pub(super) fn from_public_key(
        key_id: Option<String>,
        algorithms: &[Algorithm],
        parse: impl Fn(&'static dyn VerificationAlgorithm) -> Option<ParsedPublicKey>,
    ) -> Result<Self, KeyError> {
        let key_id = key_id.map(checked_key_id).transpose()?;
        let mut verifiers = Vec::with_capacity(algorithms.len());
        for &algorithm in algorithms {
            let key = public_key_verifier(algorithm).and_then(&parse);
            let key =
                key.ok_or_else(|| KeyError::unusable("its parameters make no valid public key"))?;
            if is_rsa(algorithm) {
                check_rsa_size(&key)?;
            }
            verifiers.push((algorithm, Verifier::PublicKey(key)));
        }
        Ok(Self::new(key_id, verifiers))
    }

    /// Makes an HMAC key; the caller has checked the secret.
    pub(super) fn from_checked_secret(
        key_id: Option<String>,
        algorithms: &[Algorithm],
        secret: &[u8],
    ) -> Result<Self, KeyError> {
        let key_id = key_id.map(checked_key_id).transpose()?;
        // HMAC fills a secret up with zeros: to it this is an empty one. Files hold it that were lost in
        // a crash.
        if secret.iter().all(|&byte| byte == 0) {
            return Err(KeyError::unusable("its secret has no other bytes than zero"));
        }
        let verifiers = algorithms.iter().filter_map(|&algorithm| {
            let key = hmac::Key::new(hmac_algorithm(algorithm)?, secret);
            Some((algorithm, Verifier::Secret(Box::new(key))))
        });
        let is_long_enough = |algorithm: &Algorithm| {
            let needed = hmac_algorithm(*algorithm).map(|own| own.digest_algorithm().output_len());
            needed.is_some_and(|needed| secret.len() >= needed)
        };
        let short = !algorithms.iter().all(is_long_enough);
        Ok(Self::new(key_id, verifiers.collect()).with(|inner| inner.short = short))
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("key_id", &self.inner.key_id)
            .field("algorithms", &self.inner.algorithms)
            .finish_non_exhaustive()
    }
}

fn checked_key_id(key_id: String) -> Result<Box<str>, KeyError> {
    if key_id.len() > MAX_KEY_ID_LEN {
        return Err(KeyError::unusable("its `kid` is longer than 256 bytes"));
    }
    Ok(key_id.into())
}

fn is_rsa(algorithm: Algorithm) -> bool {
    super::components::RSA.contains(&algorithm)
}

/// Checks modulus and exponent: at least 2048 bits ([RFC 7518 §3.3]), at most 8192.
///
/// [RFC 7518 §3.3]: https://www.rfc-editor.org/rfc/rfc7518#section-3.3
fn check_rsa_size(key: &ParsedPublicKey) -> Result<(), KeyError> {
    let der: Result<PublicKeyX509Der<'_>, _> = key.as_der();
    // This type of aws-lc-rs checks on parsing what `ParsedPublicKey` leaves to each verification.
    let checked = der.is_ok_and(|der| PublicEncryptingKey::from_der(der.as_ref()).is_ok());
    if checked {
        return Ok(());
    }
    Err(KeyError::unusable(
        "RSA modulus outside 2048 to 8192 bits, or an exponent that is not safe",
    ))
}

/// Returns the verifier of an asymmetric algorithm. ECDSA signatures are `r || s`, of fixed width
/// ([RFC 7518 §3.4]).
///
/// [RFC 7518 §3.4]: https://www.rfc-editor.org/rfc/rfc7518#section-3.4
fn public_key_verifier(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
        Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::ES512 => &signature::ECDSA_P521_SHA512_FIXED,
        Algorithm::EdDSA => &signature::ED25519,
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => return None,
    })
}

pub(super) fn hmac_algorithm(algorithm: Algorithm) -> Option<hmac::Algorithm> {
    match algorithm {
        Algorithm::HS256 => Some(hmac::HMAC_SHA256),
        Algorithm::HS384 => Some(hmac::HMAC_SHA384),
        Algorithm::HS512 => Some(hmac::HMAC_SHA512),
        _ => None,
    }
}
