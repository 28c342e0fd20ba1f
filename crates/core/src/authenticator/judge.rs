//! The judgement of the tokens of one request: each by the strategies in order, and then together.

use std::sync::Arc;

use super::{Bound, grant_source::of_a_caller};
use crate::{
    Attempt, AuthError, AuthErrorKind, Authenticated, Credential,
    pipeline::{Coming, Observer, Patience, Presented, Stop, finish_identity, prove_observed},
    strategy::{Slot, StrategyComing},
};

/// The judgement of several tokens that one of them holds up.
pub(super) struct Held<G> {
    pub(super) error: AuthError,
    pub(super) begun: Option<Box<Begun<G>>>,
}

/// What a judgement goes on from.
pub(super) struct Begun<G> {
    /// The callers of the tokens before the one that is waited for.
    pub(super) found: Vec<Authenticated<G>>,
    pub(super) coming: Coming,
    /// The strategies that were asked; `None` where there were issuers alone.
    pub(super) slots: Option<Arc<Vec<Slot>>>,
}

impl<G> From<AuthError> for Held<G> {
    fn from(error: AuthError) -> Self {
        Self { error, begun: None }
    }
}

impl<G: Send + Sync + 'static> Bound<'_, G> {
    /// Judges all tokens of a request, as far as nothing has to be waited for.
    pub(super) fn judge(&self, tokens: &[Presented<'_>]) -> Result<Authenticated<G>, Held<G>> {
        // Once for all tokens: they are judged by the same strategies, which a wait remembers.
        let slots = self.engine.chain.load();
        if let ([token], None) = (tokens, &self.handle.route.requirement) {
            return self
                .judge_one(token, slots.as_ref())
                .map_err(|stop| held(stop, Vec::new(), slots));
        }
        let mut found = Vec::new();
        for token in tokens {
            match self.judge_one(token, slots.as_ref()) {
                Ok(caller) => found.push(caller),
                Err(stop) => return Err(held(stop, found, slots)),
            }
        }
        Ok(self.choose(found)?)
    }

    /// Finds the caller among those of all tokens: the first, unless a requirement chooses.
    pub(super) fn choose(
        &self,
        mut found: Vec<Authenticated<G>>,
    ) -> Result<Authenticated<G>, AuthError> {
        match &self.handle.route.requirement {
            Some(requirement) => requirement.choose(found),
            None if found.is_empty() => Err(AuthErrorKind::NoCredentials.into()),
            None => {
                let first = found.remove(0);
                Ok(first.with_others(found))
            }
        }
    }

    /// Judges one token by the strategies in order.
    #[inline]
    pub(super) fn judge_one(
        &self,
        token: &Presented<'_>,
        slots: Option<&Arc<Vec<Slot>>>,
    ) -> Result<Authenticated<G>, Stop> {
        self.judge_one_observed(token, slots, &mut ())
    }

    /// Judges one token, and lets someone look on.
    #[inline]
    pub(super) fn judge_one_observed<O: Observer>(
        &self,
        token: &Presented<'_>,
        slots: Option<&Arc<Vec<Slot>>>,
        observer: &mut O,
    ) -> Result<Authenticated<G>, Stop> {
        let judged = match slots {
            None => prove_observed(self.engine, token, Patience::Ask, observer),
            // Issuers look at this too, but as something that another strategy may know.
            Some(_) if token.token.as_bytes().len() > self.engine.max_token_len => {
                Err(AuthError::from(AuthErrorKind::TokenTooLarge).into())
            }
            Some(slots) => self.ask_from(0, slots, None, token, observer),
        };
        judged.map_err(|stop| Stop { error: stop.error.about(&token.token), ..stop })
    }

    /// Asks the strategies from one on.
    pub(super) fn ask_from<O: Observer>(
        &self,
        start: usize,
        slots: &Arc<Vec<Slot>>,
        mut told: Option<AuthError>,
        token: &Presented<'_>,
        observer: &mut O,
    ) -> Result<Authenticated<G>, Stop> {
        for (position, slot) in slots.iter().enumerate().skip(start) {
            let registered = match slot {
                Slot::Jwt => match prove_observed(self.engine, token, Patience::Ask, observer) {
                    Err(stop) if stop.abstains => {
                        told = Some(stop.error);
                        continue;
                    }
                    judged => return judged,
                },
                Slot::Other(registered) => registered,
            };
            // The place is for the tokens of one, which is another.
            if token.of_issuer.as_deref().is_some_and(|name| name != registered.name()) {
                continue;
            }
            match registered.attempt(&Credential::of(&token.token, &**self.engine)?) {
                Attempt::Abstain => observer.abstained(registered.name()),
                Attempt::Accept(identity) => {
                    observer.known_to(registered.name());
                    return finish_identity(self.engine, identity, &registered.origin);
                }
                Attempt::Reject(error) => {
                    observer.known_to(registered.name());
                    return Err(of_a_caller(error).into());
                }
                Attempt::Later(attempt) => {
                    observer.known_to(registered.name());
                    let timeout = self.engine.strategy_timeout;
                    let coming = StrategyComing {
                        attempt,
                        until: self.engine.clock.now().saturating_add(timeout),
                        registered: Arc::clone(registered),
                        slots: Arc::clone(slots),
                        next: position.saturating_add(1),
                        told,
                    };
                    return Err(Stop::until(Coming::Strategy(coming)));
                }
            }
        }
        let reason = "no strategy knows the token";
        let nobody = AuthError::because(AuthErrorKind::NoCredentials, reason);
        Err(told.unwrap_or(nobody).into())
    }
}

fn held<G>(stop: Stop, found: Vec<Authenticated<G>>, slots: Option<Arc<Vec<Slot>>>) -> Held<G> {
    let begun = stop.coming.map(|coming| Box::new(Begun { found, coming: *coming, slots }));
    Held { error: stop.error, begun }
}
