//! The token at hand, and what becomes of it with time.

use std::time::Duration;

use super::IssuedToken;
use crate::NumericDate;

/// The token at hand.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) token: IssuedToken,
    /// When it was asked for.
    from: NumericDate,
    renew_at: NumericDate,
    end: NumericDate,
    margin: Duration,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Age {
    Fresh,
    /// It is good, and a new one should come.
    Due,
    /// It is not good.
    Over,
}

impl Held {
    pub(super) fn new(
        token: IssuedToken,
        asked_at: NumericDate,
        lifetime: Duration,
        margin: Duration,
    ) -> Self {
        let end = token.end(asked_at, lifetime);
        let left = end.saturating_since(asked_at);
        // A source may bring tokens that live shorter than the margin.
        let margin = if margin < left { margin } else { left / 2 };
        let renew_at = end.saturating_sub(margin);
        Self { token: token.expires_at(end), from: asked_at, renew_at, end, margin }
    }

    /// Tells what becomes of it now. A clock that was set back makes it a token of the future: one that
    /// servers reject, or that lives on for as long as the clock was wrong. By less than the margin it is
    /// renewed, by more it is over.
    pub(super) fn age(&self, now: NumericDate) -> Age {
        if now >= self.end || now.saturating_add(self.margin) < self.from {
            Age::Over
        } else if now >= self.renew_at || now < self.from {
            Age::Due
        } else {
            Age::Fresh
        }
    }
}
