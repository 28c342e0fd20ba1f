//! Why no token is at hand.

use std::{error::Error, fmt, sync::Arc};

/// No good token is at hand, and none was to be had.
///
/// Those who wait for one renewal share its error, and so do those who come before the next try. The
/// text holds no token; what a [source](Error::source) says is up to the [`TokenSource`](super::TokenSource).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TokenError {
    /// The source has failed, for this reason.
    Source(Arc<dyn Error + Send + Sync>),
    /// The source did not answer in time.
    TimedOut,
    /// The source has panicked.
    Panicked,
    /// The source has brought a text that cannot be a bearer token ([RFC 6750 §2.1]).
    ///
    /// [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
    Malformed,
    /// The source has brought a token that is no longer good.
    Expired,
}

impl TokenError {
    /// Returns how long the source wants not to be asked.
    pub(super) fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            #[cfg(feature = "remote")]
            Self::Source(error) => error.downcast_ref::<crate::TokenRequestError>()?.retry_after(),
            _ => None,
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source(_) => "the source of tokens has failed",
            Self::TimedOut => "the source of tokens did not answer in time",
            Self::Panicked => "the source of tokens has panicked",
            Self::Malformed => "the source of tokens has brought what is no bearer token",
            Self::Expired => "the source of tokens has brought one that is no longer good",
        })
    }
}

impl Error for TokenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Source(error) => Some(&**error),
            _ => None,
        }
    }
}
