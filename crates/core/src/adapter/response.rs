//! What an adapter does with a request.

use crate::{AuthContext, HiddenTokens, Rejection, endpoint::SetCookies};

/// What an adapter does with a request: passes it on, or answers with a rejection.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "an adapter may replace the result by a rejection")]
pub struct Outcome {
    /// The context to leave in the request in place of the one that is there, if any; `None` leaves the
    /// request as it is.
    pub result: Result<Option<AuthContext>, Box<Rejection>>,
    /// The parts of the request that have tokens, without them. They replace what the client sent,
    /// before anything behind the layer sees the request.
    pub hidden: HiddenTokens,
    /// The cookies to set or remove in the response. A cookie that the response sets itself is left alone.
    pub set_cookies: Option<SetCookies>,
}

impl Outcome {
    /// Returns the outcome of a request that goes on as it is.
    #[must_use]
    #[inline]
    pub fn pass() -> Self {
        Self { result: Ok(None), hidden: HiddenTokens::default(), set_cookies: None }
    }

    /// The request goes on as it is, or is rejected.
    pub(super) fn unchanged(result: Result<(), Box<Rejection>>) -> Self {
        Self { result: result.map(|()| None), ..Self::pass() }
    }

    /// Returns the value of `Cache-Control` that the response must have, whoever makes it
    /// ([RFC 6750 §2.3]).
    ///
    /// [RFC 6750 §2.3]: https://www.rfc-editor.org/rfc/rfc6750#section-2.3
    #[must_use]
    #[inline]
    pub fn cache_control(&self) -> Option<&'static str> {
        cache_control(&self.hidden)
    }
}

/// A request with a token in its URI has a response that caches must not store.
#[inline]
pub(super) fn cache_control(hidden: &HiddenTokens) -> Option<&'static str> {
    hidden.query().map(|_| "no-store")
}

/// A response that is the same for every client, as plain data.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PlainResponse<'a> {
    /// The status code.
    pub status: u16,
    /// The header fields, with names in lower case.
    pub headers: &'static [(&'static str, &'static str)],
    /// The body. A `HEAD` request gets its length and nothing of it.
    pub body: &'a str,
}

impl<'a> PlainResponse<'a> {
    pub(crate) const fn new(
        status: u16,
        headers: &'static [(&'static str, &'static str)],
        body: &'a str,
    ) -> Self {
        Self { status, headers, body }
    }
}
