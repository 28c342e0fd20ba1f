//! Requests that wait: for a key, for a strategy, or for the application's rights.

use std::sync::Arc;

use super::{
    Authenticator, Bound, Engine, Verdict,
    grant_source::of_a_caller,
    judge::{Begun, Held},
};
use crate::{
    Attempt, AuthError, AuthErrorKind, Authenticated, BoxFuture, HiddenTokens, NumericDate,
    pipeline::{Coming, Presented, Stop, finish_identity},
    strategy::{Slot, StrategyComing, answer},
};
use crate::{
    issuer::{KeysComing, OtherKeysComing, Over},
    pipeline::{Patience, prove},
};

/// Waits for the verdict on a request. It holds the tokens, and nothing else of the request.
pub(super) fn verdict_later<G: Send + Sync + 'static>(
    auth: Bound<'_, G>,
    tokens: &[Presented<'_>],
    begun: Box<Begun<G>>,
    hidden: HiddenTokens,
) -> BoxFuture<'static, Verdict<G>> {
    let tokens: Vec<_> = tokens.iter().map(Presented::to_owned_token).collect();
    let (handle, standing) = (auth.handle.clone(), Standing::new(auth, &begun));
    Box::pin(async move {
        let (standing, result) = judge_as_it_stands(&handle, &tokens, *begun, standing).await;
        standing.bound(&handle).verdict(result, hidden)
    })
}

/// Waits for the caller of tokens.
pub(super) fn result_later<G: Send + Sync + 'static>(
    auth: Bound<'_, G>,
    tokens: &[Presented<'_>],
    begun: Box<Begun<G>>,
) -> BoxFuture<'static, Result<Authenticated<G>, AuthError>> {
    let tokens: Vec<_> = tokens.iter().map(Presented::to_owned_token).collect();
    let (handle, standing) = (auth.handle.clone(), Standing::new(auth, &begun));
    Box::pin(async move { judge_as_it_stands(&handle, &tokens, *begun, standing).await.1 })
}

/// Goes on with a judgement, and judges anew as long as what it was made by is replaced meanwhile.
async fn judge_as_it_stands<G: Send + Sync + 'static>(
    handle: &Authenticator<G>,
    tokens: &[Presented<'_>],
    mut begun: Begun<G>,
    mut standing: Standing<G>,
) -> (Standing<G>, Result<Authenticated<G>, AuthError>) {
    for _ in 0..MOST_JUDGEMENTS {
        let result = judge_later(standing.bound(handle), tokens, begun).await;
        if standing.still_stands(handle) {
            return (standing, result);
        }
        let newest = Standing::newest(handle);
        let reads_alike = newest.reads_like(&standing, handle);
        standing = newest;
        if !reads_alike {
            return (
                standing,
                Err(changed("the places of tokens changed while the request waited")),
            );
        }
        begun = match standing.bound(handle).judge(tokens) {
            Ok(caller) => return (standing, Ok(caller)),
            Err(Held { error, begun: None }) => return (standing, Err(error)),
            Err(Held { begun: Some(begun), .. }) => *begun,
        };
    }
    let reason = "the configuration changed again and again while the request waited";
    (standing, Err(changed(reason)))
}

fn changed(reason: &'static str) -> AuthError {
    AuthError::because(AuthErrorKind::ResolverUnavailable, reason)
}

/// How often a request is judged whose engine or strategies change while it waits.
const MOST_JUDGEMENTS: usize = 4;

/// What a judgement is made by. It counts if that is what holds when the wait is over: an issuer or a
/// strategy that was removed meanwhile is not believed any more.
struct Standing<G> {
    engine: Arc<Engine<G>>,
    slots: Arc<Vec<Slot>>,
}

impl<G> Standing<G> {
    fn new(auth: Bound<'_, G>, begun: &Begun<G>) -> Self {
        let engine = Arc::clone(auth.engine);
        // Those that were asked, which were perhaps changed since. Where there were none, none can have
        // been removed.
        let slots = begun.slots.clone().unwrap_or_else(|| engine.chain.load_full());
        Self { engine, slots }
    }

    fn newest(handle: &Authenticator<G>) -> Self {
        let engine = handle.engine();
        Self { slots: engine.chain.load_full(), engine }
    }

    fn still_stands(&self, handle: &Authenticator<G>) -> bool {
        let newest = Self::newest(handle);
        Arc::ptr_eq(&newest.engine, &self.engine) && Arc::ptr_eq(&newest.slots, &self.slots)
    }

    /// Tells whether a request has the same tokens for both. It is gone, so that nobody can look again.
    fn reads_like(&self, other: &Self, handle: &Authenticator<G>) -> bool {
        let (engine, other) = (&self.engine, &other.engine);
        let has_own_places = handle.route.places.is_some();
        engine.several == other.several && (has_own_places || engine.places == other.places)
    }

    fn bound<'s>(&'s self, handle: &'s Authenticator<G>) -> Bound<'s, G> {
        Bound { engine: &self.engine, handle }
    }
}

/// Goes on with a judgement that one token has held up.
async fn judge_later<G: Send + Sync + 'static>(
    auth: Bound<'_, G>,
    tokens: &[Presented<'_>],
    Begun { mut found, coming, .. }: Begun<G>,
) -> Result<Authenticated<G>, AuthError> {
    let (mut coming, mut deadline) = (Some(coming), None);
    for token in tokens.iter().skip(found.len()) {
        let judged = match coming.take() {
            Some(coming) => Err(Stop::until(coming)),
            // If these are others by now, all of it is judged anew in the end.
            None => auth.judge_one(token, auth.engine.chain.load().as_ref()),
        };
        found.push(settle(auth, token, judged, &mut deadline).await?);
    }
    auth.choose(found)
}

/// Waits until one token is judged.
async fn settle<G: Send + Sync + 'static>(
    auth: Bound<'_, G>,
    token: &Presented<'_>,
    mut judged: Result<Authenticated<G>, Stop>,
    deadline: &mut Option<NumericDate>,
) -> Result<Authenticated<G>, AuthError> {
    loop {
        judged = match judged {
            Ok(caller) => return Ok(caller),
            Err(Stop { error, coming: None, .. }) => return Err(error.about(&token.token)),
            Err(Stop { coming: Some(coming), .. }) => match *coming {
                Coming::Keys(coming) => wait_for_keys(auth, token, coming, deadline).await,
                Coming::OtherKeys(coming) => {
                    wait_for_other_keys(auth, token, coming, deadline).await
                }
                Coming::Strategy(coming) => wait_for_strategy(auth, token, coming).await,
                Coming::Grant(principal) => {
                    auth.engine.grant.resolve(principal, &*auth.engine.clock).await
                }
            },
        };
    }
}

/// Waits for a strategy; if it abstains, the next ones are asked.
async fn wait_for_strategy<G: Send + Sync + 'static>(
    auth: Bound<'_, G>,
    token: &Presented<'_>,
    coming: StrategyComing,
) -> Result<Authenticated<G>, Stop> {
    let StrategyComing { attempt, until, registered, slots, next, told } = coming;
    let clock = &auth.engine.clock;
    // After a clock step into the past, the old deadline may be hours away. The earlier one also holds
    // for what the strategy still asks for.
    let until = until.min(clock.now().saturating_add(auth.engine.strategy_timeout));
    let answer = tokio::select! {
        biased;
        answer = answer(attempt) => answer,
        () = clock.sleep_until(until) => {
            let reason = "a strategy did not answer in time";
            return Err(AuthError::because(AuthErrorKind::ResolverUnavailable, reason).into());
        }
    };
    match answer {
        Attempt::Accept(identity) => finish_identity(auth.engine, identity, &registered.origin),
        Attempt::Reject(error) => Err(of_a_caller(error).into()),
        Attempt::Abstain => auth.ask_from(next, &slots, told, token, &mut ()),
        Attempt::Later(attempt) => {
            let coming = StrategyComing { attempt, until, registered, slots, next, told };
            Err(Stop::until(Coming::Strategy(coming)))
        }
    }
}

/// Waits for a key, no longer than the deadline of the request.
async fn wait_for_keys<G: Send + Sync + 'static>(
    auth: Bound<'_, G>,
    token: &Presented<'_>,
    mut coming: KeysComing,
    deadline: &mut Option<NumericDate>,
) -> Result<Authenticated<G>, Stop> {
    let timeout = timeout(auth, coming.longest_wait(), deadline);
    let judged = tokio::select! {
        judged = judge_when_over(auth, token, &mut coming) => Some(judged),
        () = timeout => None,
    };
    judged.unwrap_or_else(|| {
        coming.give_up(auth.engine.clock.now());
        prove(auth.engine, token, Patience::NotAnswered)
    })
}

/// Judges anew whenever a fetch is over, until the key is there or no fetch is left.
async fn judge_when_over<G: Send + Sync + 'static>(
    auth: Bound<'_, G>,
    token: &Presented<'_>,
    coming: &mut KeysComing,
) -> Result<Authenticated<G>, Stop> {
    loop {
        let over = coming.next_over().await;
        let patience = match over {
            Over::AskAgain => Patience::AskAgain(coming.key_use()),
            Over::AllAnswered => Patience::AllAnswered,
            Over::MoreToCome | Over::NotAnswered => Patience::NotAnswered,
        };
        if over == Over::AskAgain {
            // The task that was to fetch may be gone with its runtime.
            auth.engine.start_tasks();
        }
        match prove(auth.engine, token, patience) {
            Err(Stop { coming: Some(next), error, abstains }) => match *next {
                Coming::Keys(again) => *coming = again,
                other => return Err(Stop { coming: Some(Box::new(other)), error, abstains }),
            },
            Err(stop) if over == Over::MoreToCome && is_about_keys(&stop.error) => {}
            judged => return judged,
        }
    }
}

/// Waits for other keys than those that do not verify a token, no longer than the deadline of the
/// request.
async fn wait_for_other_keys<G: Send + Sync + 'static>(
    auth: Bound<'_, G>,
    token: &Presented<'_>,
    mut coming: OtherKeysComing,
    deadline: &mut Option<NumericDate>,
) -> Result<Authenticated<G>, Stop> {
    let timeout = timeout(auth, coming.longest_wait(), deadline);
    let mut verdict = Err(coming.error().clone().into());
    let is_final = tokio::select! {
        // Other keys that have come at the last moment count.
        biased;
        () = judge_by_others(auth, token, &mut coming, &mut verdict) => true,
        () = timeout => false,
    };
    if !is_final {
        coming.give_up(auth.engine.clock.now());
    }
    verdict
}

/// Judges anew whenever a source has brought other keys, until they verify the token or no fetch is
/// left.
async fn judge_by_others<G: Send + Sync + 'static>(
    auth: Bound<'_, G>,
    token: &Presented<'_>,
    coming: &mut OtherKeysComing,
    verdict: &mut Result<Authenticated<G>, Stop>,
) {
    while coming.next_other().await {
        *verdict = prove(auth.engine, token, Patience::AllAnswered);
        if !verdict.as_ref().is_err_and(|stop| is_about_keys(&stop.error)) {
            return;
        }
    }
}

/// Waits until the deadline of the request, which the first wait of a request sets.
fn timeout<'e, G>(
    auth: Bound<'e, G>,
    longest_wait: std::time::Duration,
    deadline: &mut Option<NumericDate>,
) -> BoxFuture<'e, ()> {
    let clock = &auth.engine.clock;
    let latest = clock.now().saturating_add(longest_wait);
    // After a clock step into the past, the old deadline may be hours away.
    clock.sleep_until(latest.min(*deadline.get_or_insert(latest)))
}

fn is_about_keys(error: &AuthError) -> bool {
    use AuthErrorKind::{
        AlgorithmNotAllowed, AmbiguousKey, KeysUnavailable, SignatureMismatch, UnknownKey,
    };
    let kind = error.kind();
    let is_about_which = matches!(kind, UnknownKey | AmbiguousKey | AlgorithmNotAllowed);
    is_about_which || matches!(kind, KeysUnavailable | SignatureMismatch)
}
