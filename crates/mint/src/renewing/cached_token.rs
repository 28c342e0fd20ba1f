//! The token in the cache, and when it must be renewed.

use std::time::Duration;

use portcullis_jose::NumericDate;

use super::{IssuedToken, jitter::jitter};

/// A token in the cache.
#[derive(Debug)]
pub(super) struct CachedToken {
    pub(super) token: IssuedToken,
    /// When it was requested.
    from: NumericDate,
    renew_at: NumericDate,
    end: NumericDate,
    margin: Duration,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Freshness {
    Fresh,
    /// It is good, and should be renewed.
    RenewalDue,
    /// It must not be used any more.
    Expired,
}

impl CachedToken {
    pub(super) fn new(
        token: IssuedToken,
        requested_at: NumericDate,
        lifetime: Duration,
        margin: Duration,
        draw: u32,
    ) -> Self {
        let end = token.end(requested_at, lifetime);
        let left = end.saturating_since(requested_at);
        // A source may bring tokens that live shorter than the margin.
        let margin = if margin < left { margin } else { left / 2 };
        let spread = (left / 10).min(left.saturating_sub(margin) / 2);
        let renew_at = end.saturating_sub(margin).saturating_sub(jitter(spread, draw));
        Self { token: token.expires_at(end), from: requested_at, renew_at, end, margin }
    }

    pub(super) fn expiry(&self) -> NumericDate {
        self.end
    }

    /// Returns whether the token is usable now. After the clock was set back, the token seems to be from the
    /// future: servers may reject it, and it would be used for too long. If the difference is smaller than
    /// the margin, it is renewed, otherwise it counts as expired.
    pub(super) fn freshness(&self, now: NumericDate) -> Freshness {
        if now >= self.end || now.saturating_add(self.margin) < self.from {
            Freshness::Expired
        } else if now >= self.renew_at || now < self.from {
            Freshness::RenewalDue
        } else {
            Freshness::Fresh
        }
    }
}
