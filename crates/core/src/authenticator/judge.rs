//! The judgement of the tokens of one request: each by the strategies in order, and then together.

use std::{iter, mem, sync::Arc};

use super::Route;
use crate::{
    Attempt, AuthError, AuthErrorKind, Authenticated, Credential,
    engine::Engine,
    grant_source::of_a_caller,
    key_source::Asked,
    pipeline::{Missing, Observer, Presented, Stop, finish_identity, prove},
    strategy::{PendingStrategy, Slot},
};

impl<G: Send + Sync + 'static> Engine<G> {
    /// Judges the tokens of a request until something is missing. `callers` are those of the tokens that
    /// are judged.
    pub(super) fn judge(
        &self,
        route: &Route,
        tokens: &[Presented<'_>],
        callers: &mut Vec<Authenticated<G>>,
    ) -> Result<Authenticated<G>, Stop> {
        if let ([token], None) = (tokens, &route.requirement) {
            let caller = self.judge_one(token, &mut ())?;
            if let Err(stop) = self.check_first_use(route, iter::once(&caller)) {
                callers.push(caller);
                return Err(stop);
            }
            return Ok(caller);
        }
        for token in tokens {
            callers.push(self.judge_one(token, &mut ())?);
        }
        self.check_first_use(route, callers.iter())?;
        Ok(route.choose(mem::take(callers))?)
    }

    /// Judges one token by the strategies in order, and lets an observer look on.
    #[inline]
    pub(super) fn judge_one<O: Observer>(
        &self,
        token: &Presented<'_>,
        observer: &mut O,
    ) -> Result<Authenticated<G>, Stop> {
        let judged = if self.strategies.is_empty() {
            prove(self, token, Asked::NotYet, observer)
        } else if token.token.as_bytes().len() > self.max_token_len {
            // Issuers check this too, but abstain then.
            Err(AuthError::from(AuthErrorKind::TokenTooLarge).into())
        } else {
            self.attempt_from(0, None, token, observer)
        };
        judged.map_err(|stop| stop.about(&token.token))
    }

    /// Judges one token by the strategies from a position on. `jwt_error` is why the issuers of JWTs
    /// abstained before.
    pub(super) fn attempt_from<O: Observer>(
        &self,
        start: usize,
        mut jwt_error: Option<AuthError>,
        token: &Presented<'_>,
        observer: &mut O,
    ) -> Result<Authenticated<G>, Stop> {
        for (position, slot) in self.strategies.iter().enumerate().skip(start) {
            let registered = match slot {
                Slot::Jwt => match prove(self, token, Asked::NotYet, observer) {
                    Err(Stop::NotOurs(error)) => {
                        jwt_error = Some(error);
                        continue;
                    }
                    judged => return judged,
                },
                Slot::Other(registered) => registered,
            };
            // The location may be bound to another strategy or issuer.
            if token.of_issuer.as_deref().is_some_and(|name| name != registered.name()) {
                continue;
            }
            let attempt = registered.attempt(&Credential::of(&token.token, self)?);
            match attempt {
                Attempt::Abstain => observer.abstained(registered.name()),
                _ => observer.known_to(registered.name()),
            }
            match attempt {
                Attempt::Abstain => {}
                Attempt::Accept(identity) => {
                    return finish_identity(self, identity, &registered.origin, token);
                }
                Attempt::Reject(error) => return Err(of_a_caller(error).into()),
                Attempt::Later(attempt) => {
                    return Err(Stop::pending(Missing::Strategy(PendingStrategy {
                        attempt,
                        until: self.clock.now().saturating_add(self.strategy_timeout),
                        registered: Arc::clone(registered),
                        next: position.saturating_add(1),
                        jwt_error,
                    })));
                }
            }
        }
        let reason = "no strategy knows the token";
        let unknown = || AuthError::because(AuthErrorKind::NoCredentials, reason);
        Err(jwt_error.unwrap_or_else(unknown).into())
    }
}

impl Route {
    /// Finds the caller among those of all tokens: the first, unless a requirement chooses.
    pub(super) fn choose<G>(
        &self,
        mut callers: Vec<Authenticated<G>>,
    ) -> Result<Authenticated<G>, AuthError> {
        match &self.requirement {
            Some(requirement) => requirement.choose(callers),
            None if callers.is_empty() => Err(AuthErrorKind::NoCredentials.into()),
            None => {
                let first = callers.remove(0);
                Ok(first.with_others(callers))
            }
        }
    }
}
