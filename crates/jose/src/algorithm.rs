//! Signature algorithms, by their registered names.

use std::{fmt, str::FromStr};

/// A signature or MAC algorithm of [RFC 7518 §3.1] and [RFC 8037 §3.1].
///
/// `none` is not one of them: there is no value for it, so nothing can allow it.
///
/// [RFC 7518 §3.1]: https://www.rfc-editor.org/rfc/rfc7518#section-3.1
/// [RFC 8037 §3.1]: https://www.rfc-editor.org/rfc/rfc8037#section-3.1
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// ECDSA on P-521 with SHA-512.
    ES512,
    /// EdDSA on Ed25519. A token may name it `EdDSA` or, as RFC 9864 does, `Ed25519`.
    EdDSA,
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
}

impl Algorithm {
    /// Every algorithm, the asymmetric ones first.
    pub const ALL: &'static [Self] = &[
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::ES512,
        Self::EdDSA,
        Self::HS256,
        Self::HS384,
        Self::HS512,
    ];

    /// Returns the registered name.
    #[inline]
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::ES512 => "ES512",
            Self::EdDSA => "EdDSA",
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
        }
    }

    /// Tells whether signer and verifier share one secret.
    #[inline]
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }

    /// Returns the `kty` of the keys that it is used with ([RFC 7518 §6.1], [RFC 8037 §2]).
    ///
    /// [RFC 7518 §6.1]: https://www.rfc-editor.org/rfc/rfc7518#section-6.1
    /// [RFC 8037 §2]: https://www.rfc-editor.org/rfc/rfc8037#section-2
    #[inline]
    #[must_use]
    pub const fn key_type(self) -> &'static str {
        match self {
            Self::RS256 | Self::RS384 | Self::RS512 | Self::PS256 | Self::PS384 | Self::PS512 => {
                "RSA"
            }
            Self::ES256 | Self::ES384 | Self::ES512 => "EC",
            Self::EdDSA => "OKP",
            Self::HS256 | Self::HS384 | Self::HS512 => "oct",
        }
    }

    #[inline]
    const fn bit(self) -> u16 {
        match self {
            Self::RS256 => 1,
            Self::RS384 => 1 << 1,
            Self::RS512 => 1 << 2,
            Self::PS256 => 1 << 3,
            Self::PS384 => 1 << 4,
            Self::PS512 => 1 << 5,
            Self::ES256 => 1 << 6,
            Self::ES384 => 1 << 7,
            Self::ES512 => 1 << 8,
            Self::EdDSA => 1 << 9,
            Self::HS256 => 1 << 10,
            Self::HS384 => 1 << 11,
            Self::HS512 => 1 << 12,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no algorithm of ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct UnknownAlgorithm;

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a supported algorithm; names are case-sensitive, as in RS256")
    }
}

impl std::error::Error for UnknownAlgorithm {}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Reads a registered name. Case counts ([RFC 7515 §4.1.1]).
    ///
    /// [RFC 7515 §4.1.1]: https://www.rfc-editor.org/rfc/rfc7515#section-4.1.1
    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        match name {
            "RS256" => Ok(Self::RS256),
            "RS384" => Ok(Self::RS384),
            "RS512" => Ok(Self::RS512),
            "PS256" => Ok(Self::PS256),
            "PS384" => Ok(Self::PS384),
            "PS512" => Ok(Self::PS512),
            "ES256" => Ok(Self::ES256),
            "ES384" => Ok(Self::ES384),
            "ES512" => Ok(Self::ES512),
            "EdDSA" | "Ed25519" => Ok(Self::EdDSA),
            "HS256" => Ok(Self::HS256),
            "HS384" => Ok(Self::HS384),
            "HS512" => Ok(Self::HS512),
            _ => Err(UnknownAlgorithm),
        }
    }
}

impl TryFrom<jsonwebtoken::Algorithm> for Algorithm {
    type Error = UnknownAlgorithm;

    fn try_from(algorithm: jsonwebtoken::Algorithm) -> Result<Self, UnknownAlgorithm> {
        Ok(match algorithm {
            jsonwebtoken::Algorithm::RS256 => Self::RS256,
            jsonwebtoken::Algorithm::RS384 => Self::RS384,
            jsonwebtoken::Algorithm::RS512 => Self::RS512,
            jsonwebtoken::Algorithm::PS256 => Self::PS256,
            jsonwebtoken::Algorithm::PS384 => Self::PS384,
            jsonwebtoken::Algorithm::PS512 => Self::PS512,
            jsonwebtoken::Algorithm::ES256 => Self::ES256,
            jsonwebtoken::Algorithm::ES384 => Self::ES384,
            jsonwebtoken::Algorithm::EdDSA => Self::EdDSA,
            jsonwebtoken::Algorithm::HS256 => Self::HS256,
            jsonwebtoken::Algorithm::HS384 => Self::HS384,
            jsonwebtoken::Algorithm::HS512 => Self::HS512,
            _ => return Err(UnknownAlgorithm),
        })
    }
}

/// A set of algorithms, as one integer.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct AlgorithmSet(u16);

impl AlgorithmSet {
    /// No algorithm.
    pub const EMPTY: Self = Self(0);
    /// Every algorithm without a shared secret.
    pub const ASYMMETRIC: Self = Self(0x03ff);

    /// Returns whether the set has the algorithm.
    #[inline]
    #[must_use]
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & algorithm.bit() != 0
    }

    /// Returns the algorithms of both sets.
    #[inline]
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the algorithms.
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL.iter().copied().filter(move |&algorithm| self.contains(algorithm))
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        algorithms.into_iter().fold(Self::EMPTY, |set, algorithm| Self(set.0 | algorithm.bit()))
    }
}

impl fmt::Debug for AlgorithmSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_case_counts() {
        for &algorithm in Algorithm::ALL {
            assert_eq!(algorithm.name().parse(), Ok(algorithm));
            assert_eq!(algorithm.name().to_lowercase().parse::<Algorithm>(), Err(UnknownAlgorithm));
        }
        assert_eq!("Ed25519".parse(), Ok(Algorithm::EdDSA));
        for name in ["none", "None", "", "Ed448", "ES256K", "RS256 ", "RSA1_5", "dir"] {
            assert_eq!(name.parse::<Algorithm>(), Err(UnknownAlgorithm), "{name}");
        }
    }

    #[test]
    fn the_asymmetric_set_is_every_algorithm_without_a_shared_secret() {
        let expected: AlgorithmSet =
            Algorithm::ALL.iter().copied().filter(|a| !a.is_symmetric()).collect();
        assert_eq!(AlgorithmSet::ASYMMETRIC, expected);
        assert_eq!(AlgorithmSet::ASYMMETRIC.iter().count(), 10);
    }
}
