//! Private keys of each kind, parsed once.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    error::Unspecified,
    hmac,
    rand::{SecureRandom, SystemRandom},
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaEncoding},
};

use crate::{Algorithm, KeyError};

/// A private key.
pub(super) enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair, Algorithm),
    Ed25519(Ed25519KeyPair),
    Secret(Vec<u8>),
}

impl Pair {
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, Unspecified> {
        Ok(match algorithm {
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?),
            Algorithm::EdDSA => Self::Ed25519(Ed25519KeyPair::generate()?),
            Algorithm::HS256 => Self::Secret(random(32)?),
            Algorithm::HS384 => Self::Secret(random(48)?),
            Algorithm::HS512 => Self::Secret(random(64)?),
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 => {
                let curve = curve(algorithm).ok_or(Unspecified)?;
                Self::Ec(EcdsaKeyPair::generate(curve)?, algorithm)
            }
        })
    }

    /// Reads a PKCS#8 structure, which says itself of what type its key is.
    pub(super) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::ES512] {
            if let Ok(pair) = EcdsaKeyPair::from_pkcs8(curve(algorithm)?, der) {
                return Some(Self::Ec(pair, algorithm));
            }
        }
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return Some(Self::Ed25519(pair));
        }
        RsaKeyPair::from_pkcs8(der).ok().map(Self::Rsa)
    }

    pub(super) fn to_pkcs8(&self) -> Result<Option<Vec<u8>>, Unspecified> {
        Ok(Some(match self {
            Self::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der()?;
                der.as_ref().to_vec()
            }
            Self::Ec(pair, _) => pair.to_pkcs8v1()?.as_ref().to_vec(),
            // The first version of the format, which every other reader takes.
            Self::Ed25519(pair) => pair.to_pkcs8v1()?.as_ref().to_vec(),
            Self::Secret(_) => return Ok(None),
        }))
    }

    /// Returns the algorithm that is meant where nobody says which one.
    pub(super) fn first_algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::RS256,
            Self::Ec(_, algorithm) => *algorithm,
            Self::Ed25519(_) => Algorithm::EdDSA,
            Self::Secret(_) => Algorithm::HS256,
        }
    }

    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Ec(_, own) => *own == algorithm,
            _ => self.first_algorithm().key_type() == algorithm.key_type(),
        }
    }
}

/// What signs: the private key, made ready for one algorithm.
pub(super) enum Signer {
    Rsa(&'static dyn RsaEncoding),
    Ec,
    Ed25519,
    // Behind a pointer: it is twenty times as large.
    Secret(Box<hmac::Key>),
}

impl Signer {
    pub(super) fn new(pair: &Pair, algorithm: Algorithm) -> Result<Self, KeyError> {
        let reason = || format!("its private key does not fit the algorithm {algorithm}");
        if !pair.fits(algorithm) {
            return Err(KeyError::Unusable { reason: reason() });
        }
        Ok(match pair {
            Pair::Rsa(_) => Self::Rsa(rsa_encoding(algorithm)),
            Pair::Ec(..) => Self::Ec,
            Pair::Ed25519(_) => Self::Ed25519,
            Pair::Secret(secret) => {
                let hash = match algorithm {
                    Algorithm::HS384 => hmac::HMAC_SHA384,
                    Algorithm::HS512 => hmac::HMAC_SHA512,
                    _ => hmac::HMAC_SHA256,
                };
                Self::Secret(Box::new(hmac::Key::new(hash, secret)))
            }
        })
    }

    pub(super) fn sign(&self, pair: &Pair, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match (self, pair) {
            (Self::Rsa(encoding), Pair::Rsa(pair)) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &SystemRandom::new(), message, &mut signature)?;
                Ok(signature)
            }
            (Self::Ec, Pair::Ec(pair, _)) => {
                Ok(pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec())
            }
            (Self::Ed25519, Pair::Ed25519(pair)) => Ok(pair.sign(message).as_ref().to_vec()),
            (Self::Secret(key), _) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            _ => Err(Unspecified),
        }
    }
}

/// Returns that many bytes that nobody can guess.
pub(super) fn random(len: usize) -> Result<Vec<u8>, Unspecified> {
    let mut bytes = vec![0; len];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(bytes)
}

/// ECDSA signatures are `r || s`, of fixed width ([RFC 7518 §3.4]).
///
/// [RFC 7518 §3.4]: https://www.rfc-editor.org/rfc/rfc7518#section-3.4
fn curve(algorithm: Algorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    match algorithm {
        Algorithm::ES256 => Some(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::ES384 => Some(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::ES512 => Some(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
        _ => None,
    }
}

fn rsa_encoding(algorithm: Algorithm) -> &'static dyn RsaEncoding {
    match algorithm {
        Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::PS256 => &signature::RSA_PSS_SHA256,
        Algorithm::PS384 => &signature::RSA_PSS_SHA384,
        Algorithm::PS512 => &signature::RSA_PSS_SHA512,
        _ => &signature::RSA_PKCS1_SHA256,
    }
}
