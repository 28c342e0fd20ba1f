//! Tokens as their sources bring them.

use std::{fmt, sync::Arc, time::Duration};

use portcullis_jose::NumericDate;

use crate::MintedToken;

/// A token for calls to another service, and its end. Cloning it is cheap, and `Debug` does not show the
/// token.
#[derive(Clone)]
pub struct IssuedToken {
    token: Arc<str>,
    end: End,
}

/// What is known of the end.
#[derive(Clone, Copy, Debug)]
enum End {
    Unknown,
    In(Duration),
    At(NumericDate),
}

impl IssuedToken {
    /// Takes a token of which nothing more is known. It counts as good for the
    /// [lifetime](super::RenewingTokenBuilder::lifetime).
    #[must_use]
    pub fn new(token: impl Into<Arc<str>>) -> Self {
        Self { token: token.into(), end: End::Unknown }
    }

    /// How long it is good, as in the `expires_in` of [RFC 6749 §5.1]. It counts from the moment when
    /// the source was asked.
    ///
    /// [RFC 6749 §5.1]: https://www.rfc-editor.org/rfc/rfc6749#section-5.1
    #[must_use]
    pub fn expires_in(self, lifetime: Duration) -> Self {
        Self { end: End::In(lifetime), ..self }
    }

    /// When it stops being good, as in its claim `exp`.
    #[must_use]
    pub fn expires_at(self, end: NumericDate) -> Self {
        Self { end: End::At(end), ..self }
    }

    /// Returns the token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Returns the value of the field `Authorization` ([RFC 6750 §2.1]).
    ///
    /// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
    #[must_use]
    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// Returns when it stops being good; always known of one that a [`RenewingToken`](super::RenewingToken)
    /// has given.
    #[must_use]
    pub fn expiry(&self) -> Option<NumericDate> {
        match self.end {
            End::At(end) => Some(end),
            End::Unknown | End::In(_) => None,
        }
    }

    /// Tells whether both are one token: clones are. It is quick, for what is made of a token once.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.token, &other.token)
    }

    /// Returns the end of a token that was asked for at a time.
    pub(super) fn end(&self, requested_at: NumericDate, lifetime: Duration) -> NumericDate {
        match self.end {
            End::At(end) => end,
            End::In(lifetime) => requested_at.saturating_add(lifetime),
            End::Unknown => requested_at.saturating_add(lifetime),
        }
    }
}

impl From<MintedToken> for IssuedToken {
    fn from(minted: MintedToken) -> Self {
        let end = minted.expires_at().map_or(End::Unknown, End::At);
        Self { token: minted.into_token().into(), end }
    }
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedToken").field("token", &"***").field("end", &self.end).finish()
    }
}
