//! What can be revoked.

use crate::NumericDate;

/// One entry of a [`RevocationStore`](super::RevocationStore): what is revoked, and until when the entry is
/// needed.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct Revocation {
    /// The issuer of the revoked tokens, as its tokens name it in `iss`, or the configured name of an issuer
    /// whose tokens have no `iss`.
    pub issuer: Box<str>,
    /// What is revoked.
    pub revoked: Revoked,
    /// When the last token that the entry can match has expired; `None` if the entry is needed forever.
    pub until: Option<NumericDate>,
}

impl Revocation {
    /// Creates an entry that is needed forever.
    #[must_use]
    pub fn new(issuer: impl Into<Box<str>>, revoked: Revoked) -> Self {
        Self { issuer: issuer.into(), revoked, until: None }
    }

    /// Sets when the last token that the entry can match has expired.
    #[must_use]
    pub fn until(mut self, until: NumericDate) -> Self {
        self.until = Some(until);
        self
    }

    /// Takes over the later times of an entry of the same kind, issuer and id.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.until = self.until.zip(other.until).map(|(this, other)| this.max(other));
        if let (Revoked::Subject(_, time) | Revoked::Client(_, time), Some(other)) =
            (&mut self.revoked, other.revoked.issued_until())
        {
            *time = other.max(*time);
        }
    }
}

/// What is revoked.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Revoked {
    /// The token with this `jti` ([RFC 7519 §4.1.7]).
    ///
    /// [RFC 7519 §4.1.7]: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.7
    Token(Box<str>),
    /// Tokens of this `sub` that were issued at or before a time, in whole seconds, and those without `iat`.
    Subject(Box<str>, NumericDate),
    /// Tokens of this session: the claim `sid` ([OpenID Connect Back-Channel Logout 1.0 §2.1]).
    ///
    /// [OpenID Connect Back-Channel Logout 1.0 §2.1]: https://openid.net/specs/openid-connect-backchannel-1_0.html#OPLogoutSupport
    Session(Box<str>),
    /// Tokens of this client (`client_id`, else `azp`) that were issued at or before a time, in whole
    /// seconds, and those without `iat`.
    Client(Box<str>, NumericDate),
    /// Tokens that were verified with the key of this JWK thumbprint ([RFC 7638], SHA-256, base64url).
    ///
    /// [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
    Key(Box<str>),
}

impl Revoked {
    /// Returns a stable name of the kind: `token`, `subject`, `session`, `client` or `key`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Subject(..) => "subject",
            Self::Session(_) => "session",
            Self::Client(..) => "client",
            Self::Key(_) => "key",
        }
    }

    /// Returns the `jti`, `sub`, `sid`, client id or thumbprint.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Token(id)
            | Self::Subject(id, _)
            | Self::Session(id)
            | Self::Client(id, _)
            | Self::Key(id) => id,
        }
    }

    /// Returns the time up to which issued tokens are revoked, for a subject or a client.
    #[must_use]
    pub fn issued_until(&self) -> Option<NumericDate> {
        match self {
            Self::Subject(_, time) | Self::Client(_, time) => Some(*time),
            Self::Token(_) | Self::Session(_) | Self::Key(_) => None,
        }
    }

    /// Creates the value of a kind by its name, for a store that keeps the parts in columns.
    ///
    /// Returns `None` if the kind is unknown, or if a subject or client has no time.
    #[must_use]
    pub fn from_parts(kind: &str, id: &str, issued_until: Option<NumericDate>) -> Option<Self> {
        let id = id.into();
        Some(match (kind, issued_until) {
            ("token", _) => Self::Token(id),
            ("subject", Some(time)) => Self::Subject(id, time),
            ("session", _) => Self::Session(id),
            ("client", Some(time)) => Self::Client(id, time),
            ("key", _) => Self::Key(id),
            _ => return None,
        })
    }
}
