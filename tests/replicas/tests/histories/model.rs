//! What must be true of a token.

use std::time::Duration;

/// What is known of one token.
#[derive(Debug, Default)]
pub(crate) struct Token {
    /// A call that revokes it was made; it may have failed.
    pub(crate) is_attempted: bool,
    pub(crate) acknowledged: Option<Acknowledged>,
}

/// A call that revokes the token has returned with success.
#[derive(Debug)]
pub(crate) struct Acknowledged {
    /// How many revocations had been acknowledged before.
    pub(crate) number: u64,
    /// How much time had passed, by no clock that is set.
    pub(crate) elapsed: Duration,
    /// The replica, and how often it had been started.
    pub(crate) by: (usize, u32),
}

/// A replica at the moment of a check.
#[derive(Debug)]
pub(crate) struct Checker {
    pub(crate) replica: (usize, u32),
    pub(crate) is_strict: bool,
    /// How many revocations had been acknowledged when its last read of the store began.
    pub(crate) acknowledged_at_read: u64,
    pub(crate) elapsed: Duration,
    pub(crate) longest_gap: Duration,
}

impl Token {
    /// Returns why this verdict is wrong.
    pub(crate) fn objection(&self, verdict: &str, checker: &Checker) -> Option<&'static str> {
        match verdict {
            "token_revoked" if !self.is_attempted => {
                Some("a token is rejected that nobody revoked")
            }
            "token_revoked" | "store_unavailable" => None,
            "ok" => self.acknowledged.as_ref().and_then(|it| it.objection_to_acceptance(checker)),
            _ => Some("a token has an unexpected verdict"),
        }
    }
}

impl Acknowledged {
    fn objection_to_acceptance(&self, checker: &Checker) -> Option<&'static str> {
        if checker.is_strict {
            return Some("a strict replica accepts a revoked token");
        }
        if checker.replica == self.by {
            return Some("the replica that revoked a token accepts it");
        }
        if checker.acknowledged_at_read > self.number {
            return Some("a replica has read the store since, and accepts a revoked token");
        }
        let gap = checker.elapsed.saturating_sub(self.elapsed);
        (gap > checker.longest_gap).then_some("a replica accepts a revoked token for too long")
    }
}
