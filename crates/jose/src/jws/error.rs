//! Why a JWS is rejected.

use std::fmt;

/// Why a JWS is rejected. The text holds nothing of the JWS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct JwsError {
    kind: JwsErrorKind,
    reason: Option<&'static str>,
}

/// The kinds of a [`JwsError`], in the order in which a JWS meets the checks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum JwsErrorKind {
    /// The text is empty.
    Empty,
    /// The text is longer than the limit.
    TooLong,
    /// The text has a character that no `b64token` has ([RFC 6750 §2.1]).
    ///
    /// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
    IllegalCharacter,
    /// The text is not a JWS in compact form with a JSON object as its header ([RFC 7515 §7.1]).
    ///
    /// [RFC 7515 §7.1]: https://www.rfc-editor.org/rfc/rfc7515#section-7.1
    Malformed,
    /// The header has `crit`, and no extension is supported ([RFC 7515 §4.1.11]).
    ///
    /// [RFC 7515 §4.1.11]: https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11
    UnsupportedCriticalHeader,
    /// The header's `alg` is not supported, or not allowed for any key ([RFC 8725 §3.1]).
    ///
    /// [RFC 8725 §3.1]: https://www.rfc-editor.org/rfc/rfc8725#section-3.1
    AlgorithmNotAllowed,
    /// There is no key with the header's `kid` ([RFC 7515 §4.1.4]).
    ///
    /// [RFC 7515 §4.1.4]: https://www.rfc-editor.org/rfc/rfc7515#section-4.1.4
    UnknownKey,
    /// The header does not say which of several keys it means, or more keys fit than are tried.
    AmbiguousKey,
    /// No key that fits has made the signature ([RFC 7515 §5.2]).
    ///
    /// [RFC 7515 §5.2]: https://www.rfc-editor.org/rfc/rfc7515#section-5.2
    SignatureMismatch,
}

impl JwsError {
    #[inline]
    pub(crate) const fn because(kind: JwsErrorKind, reason: &'static str) -> Self {
        Self { kind, reason: Some(reason) }
    }

    #[inline]
    pub(crate) const fn malformed(reason: &'static str) -> Self {
        Self::because(JwsErrorKind::Malformed, reason)
    }

    /// Returns the kind.
    #[inline]
    #[must_use]
    pub const fn kind(self) -> JwsErrorKind {
        self.kind
    }

    /// Returns what exactly is wrong, where the kind alone does not say it.
    #[inline]
    #[must_use]
    pub const fn reason(self) -> Option<&'static str> {
        self.reason
    }
}

impl From<JwsErrorKind> for JwsError {
    #[inline]
    fn from(kind: JwsErrorKind) -> Self {
        Self { kind, reason: None }
    }
}

impl fmt::Display for JwsErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the JWS is empty",
            Self::TooLong => "the JWS is too long",
            Self::IllegalCharacter => "the JWS has a character that is not allowed",
            Self::Malformed => "the JWS is malformed",
            Self::UnsupportedCriticalHeader => {
                "the JWS uses a critical extension that is not supported"
            }
            Self::AlgorithmNotAllowed => "the algorithm of the JWS is not allowed",
            Self::UnknownKey => "the key of the JWS is not known",
            Self::AmbiguousKey => "the JWS does not say which key has signed it",
            Self::SignatureMismatch => "the signature of the JWS is wrong",
        })
    }
}

impl fmt::Display for JwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Some(reason) => write!(f, "{}: {reason}", self.kind),
            None => self.kind.fmt(f),
        }
    }
}

impl std::error::Error for JwsError {}
