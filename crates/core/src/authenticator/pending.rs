//! Requests that wait: for a key, for a strategy, or for the application's rights.
//!
//! ```text
//!        ┌──────────────── judge the token ◀───────────────┐
//!        ▼                                                 │ it has come, or will not come
//!   accepted or rejected        something is missing ── wait for it
//!        │
//!        ▼  all tokens are judged
//!   is the engine still the newest? ── no: judge all tokens by the newest one, four times at most
//! ```

use std::{sync::Arc, time::Duration};

use super::{Authenticator, Route, one_time::Used};
use crate::{
    Attempt, AuthError, AuthErrorKind, Authenticated, BoxFuture, NumericDate, Principal,
    engine::Engine,
    grant_source::of_a_caller,
    interleave::point,
    key_source::{Asked, MissingKey, OtherKeys},
    pipeline::{Missing, Presented, Stop, accept_unrevoked, finish_identity, prove},
    strategy::{PendingStrategy, answer},
};

/// How often a request is judged anew because its engine is replaced while it waits.
const MAX_REPLACED: usize = 4;

impl<G: Send + Sync + 'static> Authenticator<G> {
    /// Judges the tokens of a request, of which the first without a caller lacks something. Returns the
    /// engine that has the last word: what a new one does not trust any more is not accepted.
    pub(super) async fn judge_later(
        &self,
        mut engine: Arc<Engine<G>>,
        tokens: &[Presented<'_>],
        mut callers: Vec<Authenticated<G>>,
        mut missing: Missing,
    ) -> (Arc<Engine<G>>, Result<Authenticated<G>, AuthError>) {
        let mut used = Used::default();
        for _ in 0..MAX_REPLACED {
            let judged = engine.judge_waiting(&self.route, tokens, callers, missing).await;
            let result = engine.use_tokens(&self.route, judged, &mut used).await;
            let newest = self.engine();
            if Arc::ptr_eq(&newest, &engine) {
                return (engine, result);
            }
            let extracts_alike = self.route.extracts_alike(&newest, &engine);
            engine = newest;
            if !extracts_alike {
                // The request is gone, so that its tokens cannot be extracted anew.
                return (engine, replaced("the token locations changed while the request waited"));
            }
            callers = Vec::new();
            point("pending: engine replaced");
            match engine.judge(&self.route, tokens, &mut callers) {
                Err(Stop::Missing(next, _)) => missing = *next,
                judged => return (engine, judged.map_err(Stop::into_error)),
            }
        }
        (engine, replaced("the configuration changed again and again while the request waited"))
    }
}

pub(super) fn replaced<T>(reason: &'static str) -> Result<T, AuthError> {
    Err(AuthError::because(AuthErrorKind::ResolverUnavailable, reason))
}

impl Route {
    /// Returns whether two engines extract the same tokens from a request of the route.
    fn extracts_alike<G>(&self, one: &Engine<G>, other: &Engine<G>) -> bool {
        one.multiple_tokens == other.multiple_tokens
            && (self.locations.is_some() || one.locations == other.locations)
    }
}

impl<G: Send + Sync + 'static> Engine<G> {
    /// Judges the tokens of a request, of which the first without a caller lacks something.
    async fn judge_waiting(
        &self,
        route: &Route,
        tokens: &[Presented<'_>],
        mut callers: Vec<Authenticated<G>>,
        missing: Missing,
    ) -> Result<Authenticated<G>, AuthError> {
        let (mut missing, mut deadline) = (Some(missing), None);
        for token in tokens.iter().skip(callers.len()) {
            let mut judged = match missing.take() {
                Some(missing) => Err(Stop::pending(missing)),
                None => self.judge_one(token, &mut ()),
            };
            while let Err(Stop::Missing(missing, _)) = judged {
                judged = self.judge_after(*missing, token, &mut deadline).await;
            }
            callers.push(judged.map_err(|stop| stop.into_error().about(&token.token))?);
        }
        route.choose(callers)
    }

    /// Waits for what a token lacks, and judges it again. `deadline` is that of the request for its keys,
    /// which its first wait sets.
    async fn judge_after(
        &self,
        missing: Missing,
        token: &Presented<'_>,
        deadline: &mut Option<NumericDate>,
    ) -> Result<Authenticated<G>, Stop> {
        match missing {
            Missing::Key(key) => self.judge_after_key(key, token, deadline).await,
            Missing::OtherKeys(keys) => self.judge_after_other_keys(keys, token, deadline).await,
            Missing::Strategy(pending) => self.judge_after_strategy(pending, token).await,
            Missing::Revocations(caller, issuer) => {
                self.ask_for_revocations(&caller).await?;
                accept_unrevoked(caller, issuer.as_ref(), self)
            }
            Missing::Grant(caller) => {
                let grant = self.grant.resolve(&caller, &*self.clock).await?;
                Ok(Authenticated::new(caller, grant))
            }
            // It stops a request whose tokens are all judged, so that none of them waits for it.
            Missing::FirstUse => Err(AuthError::from(AuthErrorKind::StoreUnavailable).into()),
        }
    }

    async fn judge_after_key(
        &self,
        mut key: MissingKey,
        token: &Presented<'_>,
        deadline: &mut Option<NumericDate>,
    ) -> Result<Authenticated<G>, Stop> {
        let timeout = self.timeout(key.fetches.longest_wait, deadline);
        tokio::select! {
            biased;
            judged = self.judge_at_each_fetch(&mut key, token) => judged,
            () = timeout => {
                key.fetches.give_up(self.clock.now());
                self.judge_again(token, Asked::NotAllAnswered)
            }
        }
    }

    /// Judges the token whenever a fetch is over, until its key is there or no fetch is left.
    async fn judge_at_each_fetch(
        &self,
        key: &mut MissingKey,
        token: &Presented<'_>,
    ) -> Result<Authenticated<G>, Stop> {
        loop {
            let asked = key.next_over().await;
            point("pending: a fetch is over");
            let too_early = matches!(asked, Asked::TooEarly(_));
            if too_early {
                // The task that was to fetch may be gone with its runtime.
                self.start_tasks();
            }
            match self.judge_again(token, asked) {
                Err(Stop::Missing(missing, error)) => match *missing {
                    Missing::Key(again) => *key = again,
                    other => return Err(Stop::Missing(Box::new(other), error)),
                },
                Err(Stop::Rejected(error))
                    if !too_early && !key.fetches.is_empty() && is_about_keys(&error) => {}
                judged => return judged,
            }
        }
    }

    async fn judge_after_other_keys(
        &self,
        mut keys: OtherKeys,
        token: &Presented<'_>,
        deadline: &mut Option<NumericDate>,
    ) -> Result<Authenticated<G>, Stop> {
        let timeout = self.timeout(keys.fetches.longest_wait, deadline);
        let mut judged = Err(Stop::Rejected(keys.error.clone()));
        tokio::select! {
            // Other keys that have come at the last moment count.
            biased;
            () = self.judge_by_other_keys(&mut keys, token, &mut judged) => {}
            () = timeout => keys.fetches.give_up(self.clock.now()),
        }
        judged
    }

    /// Judges the token whenever a source has brought other keys, until they verify it or no fetch is left.
    async fn judge_by_other_keys(
        &self,
        keys: &mut OtherKeys,
        token: &Presented<'_>,
        judged: &mut Result<Authenticated<G>, Stop>,
    ) {
        while keys.next_other().await {
            *judged = self.judge_again(token, Asked::AllAnswered);
            if !matches!(judged, Err(Stop::Rejected(error)) if is_about_keys(error)) {
                return;
            }
        }
    }

    /// Judges a token of an issuer whose sources were asked for keys.
    fn judge_again(&self, token: &Presented<'_>, asked: Asked) -> Result<Authenticated<G>, Stop> {
        prove(self, token, asked, &mut ())
    }

    /// Waits for the answer of a strategy. If it abstains, the next strategies judge the token.
    async fn judge_after_strategy(
        &self,
        pending: PendingStrategy,
        token: &Presented<'_>,
    ) -> Result<Authenticated<G>, Stop> {
        let PendingStrategy { attempt, until, registered, next, jwt_error } = pending;
        // After a clock step into the past, the old deadline may be hours away. The earlier one also holds
        // for further answers of the strategy that are pending.
        let until = until.min(self.clock.now().saturating_add(self.strategy_timeout));
        let answer = tokio::select! {
            biased;
            answer = answer(attempt) => answer,
            () = self.clock.sleep_until(until) => {
                let reason = "a strategy did not answer in time";
                return Err(AuthError::because(AuthErrorKind::ResolverUnavailable, reason).into());
            }
        };
        match answer {
            Attempt::Accept(identity) => finish_identity(self, identity, &registered.origin, token),
            Attempt::Reject(error) => Err(of_a_caller(error).into()),
            Attempt::Abstain => self.attempt_from(next, jwt_error, token, &mut ()),
            Attempt::Later(attempt) => {
                let pending = PendingStrategy { attempt, until, registered, next, jwt_error };
                Err(Stop::pending(Missing::Strategy(pending)))
            }
        }
    }

    /// Asks the store whether a caller was revoked.
    async fn ask_for_revocations(&self, caller: &Principal) -> Result<(), AuthError> {
        match &self.revocations {
            Some(revocations) => revocations.ask(&caller.question(), &*self.clock).await,
            None => Ok(()),
        }
    }

    /// Waits until the deadline of the request.
    fn timeout(
        &self,
        longest_wait: Duration,
        deadline: &mut Option<NumericDate>,
    ) -> BoxFuture<'_, ()> {
        let latest = self.clock.now().saturating_add(longest_wait);
        // After a clock step into the past, the old deadline may be hours away.
        self.clock.sleep_until(latest.min(*deadline.get_or_insert(latest)))
    }
}

fn is_about_keys(error: &AuthError) -> bool {
    matches!(
        error.kind(),
        AuthErrorKind::UnknownKey
            | AuthErrorKind::AmbiguousKey
            | AuthErrorKind::AlgorithmNotAllowed
            | AuthErrorKind::KeysUnavailable
            | AuthErrorKind::SignatureMismatch
    )
}
