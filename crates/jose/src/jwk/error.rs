//! Why a key, a JWK Set or a file of keys cannot be used.

use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

use crate::Algorithm;

/// A key that cannot be used. The text says what to change, and never holds a secret.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyError {
    /// A key is too short, malformed, not for signatures, or of an unsupported type.
    Unusable {
        /// Why the key cannot be used.
        reason: String,
    },
    /// A text is not a PEM text with one public key or certificate.
    InvalidPem {
        /// What is wrong with it.
        reason: String,
    },
    /// A text is not a PEM text with one private key.
    InvalidSigningKey {
        /// What is wrong with it.
        reason: String,
    },
    /// A private key was given where a public key is expected.
    PrivateKey {
        /// The label of the PEM block, or the JWK member.
        found: String,
    },
    /// A secret is shorter than the algorithm's hash ([RFC 7518 §3.2]).
    ///
    /// [RFC 7518 §3.2]: https://www.rfc-editor.org/rfc/rfc7518#section-3.2
    SecretTooShort {
        /// The algorithm.
        algorithm: Algorithm,
        /// The length needed, in bytes.
        needed: usize,
        /// The length of the secret, in bytes.
        found: usize,
    },
    /// A secret is a public key or a certificate, which others may know.
    SecretIsPublicKey,
    /// The cryptographic module failed: it had no random bytes, or a self-test failed.
    Cryptography,
}

impl KeyError {
    pub(crate) fn unusable(reason: impl Into<String>) -> Self {
        Self::Unusable { reason: reason.into() }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable { reason } => write!(f, "the key cannot be used: {reason}"),
            Self::InvalidPem { reason } => write!(
                f,
                "not a PEM text with a public key: {reason}; expected one block `PUBLIC KEY`, \
                 `RSA PUBLIC KEY` or `CERTIFICATE`"
            ),
            Self::InvalidSigningKey { reason } => write!(
                f,
                "not a PEM text with a private key: {reason}; expected one block `PRIVATE KEY` \
                 (PKCS#8)"
            ),
            Self::PrivateKey { found } => write!(
                f,
                "found a private key (`{found}`) where a public one is meant: give the public \
                 half, and keep the private one where tokens are signed"
            ),
            Self::SecretTooShort { algorithm, needed, found } => write!(
                f,
                "the secret has {found} bytes, and {algorithm} needs at least {needed} of them \
                 chosen at random (RFC 7518 §3.2)"
            ),
            Self::SecretIsPublicKey => f.write_str(
                "the secret is the text of a key or certificate, which others may know: for \
                 tokens signed with its private half, add it as a public key instead",
            ),
            Self::Cryptography => f.write_str("the cryptographic module has failed"),
        }
    }
}

impl Error for KeyError {}

/// A JWK Set that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum JwkSetError {
    /// A text is not a JWK Set.
    Invalid {
        /// What is wrong with it.
        reason: String,
    },
    /// No key of the set can be used.
    NoUsableKey {
        /// For each key, why not.
        reasons: Vec<String>,
    },
}

impl JwkSetError {
    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::Invalid { reason: reason.into() }
    }
}

impl fmt::Display for JwkSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { reason } => {
                write!(f, "not a JWK Set: {reason}; expected an object with a list `keys`")
            }
            Self::NoUsableKey { reasons } if reasons.is_empty() => {
                f.write_str("the JWK Set has no key")
            }
            Self::NoUsableKey { reasons } => {
                write!(f, "no key of the JWK Set can be used: {}", reasons.join("; "))
            }
        }
    }
}

impl Error for JwkSetError {}

/// A file that cannot be read, or whose content cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileError {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file was read, and its content cannot be used.
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with its content, such as a [`KeyError`].
        source: Box<dyn Error + Send + Sync>,
    },
}

impl FileError {
    /// Creates the error for a file that cannot be read.
    #[must_use]
    pub fn unreadable(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Unreadable { path: path.into(), source }
    }

    /// Creates the error for a file whose content cannot be used.
    #[must_use]
    pub fn unusable(
        path: impl Into<PathBuf>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Unusable { path: path.into(), source: source.into() }
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Unreadable { path, .. } | Self::Unusable { path, .. } => path,
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path().display();
        match self {
            Self::Unreadable { .. } => write!(f, "cannot read `{path}`"),
            Self::Unusable { .. } => write!(f, "cannot use `{path}`"),
        }
    }
}

impl Error for FileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match self {
            Self::Unreadable { source, .. } => source,
            Self::Unusable { source, .. } => source.as_ref(),
        })
    }
}
