//! May they use this handler? ([RFC 6750 §3.1])
//!
//! A tree of rules is asked in the order in which it is written, and no further than is needed. A
//! rule that is asynchronous ends the walk: what is still open around it is kept as a list of
//! [`Open`] places, the innermost first, and its answer goes on from there. Each step is one
//! function, whether the answer came at once or later.
//!
//! [RFC 6750 §3.1]: https://www.rfc-editor.org/rfc/rfc6750#section-3.1

use std::{borrow::Cow, future::poll_fn, pin::Pin, sync::Arc};

use crate::{
    AuthError, AuthErrorKind, Grant, MaybePending, Policy, Principal,
    claims::not_included,
    error::StepUp,
    future::PanicCaught,
    grant::{Watched, watch},
    hooks::{caught, panicked},
    policy::{KeptRoute, Node, Quantity, RouteView, check_login},
};

/// Decides by a policy whether a caller may go on, without waiting for anything.
///
/// # Errors
///
/// [`AuthErrorKind::InsufficientScope`], naming the scope that the rule needs;
/// [`AuthErrorKind::InsufficientRole`], [`AuthErrorKind::NotPermitted`], and what functions of the
/// application reject with. [`AuthErrorKind::InternalError`] for a rule that cannot be asked.
pub(crate) fn authorize<G>(
    policy: &Policy<G>,
    principal: &Principal,
    grant: &G,
) -> Result<(), AuthError> {
    let inquiry = Inquiry { principal, grant, shared: None, route: &() };
    let decided = caught(|| match decide(policy, inquiry) {
        Step::Done(answer) => answer.map_err(Rejection::into_error),
        // It is reached with a shared grant only.
        Step::Pending(_) => Err(AuthErrorKind::InternalError.into()),
    });
    decided.unwrap_or_else(|| Err(panicked()))
}

/// Decides by a policy whether a caller may go on, at once or after an asynchronous rule.
pub(crate) fn begin<G: Send + Sync + 'static>(
    policy: &Policy<G>,
    principal: &Principal,
    grant: &Arc<G>,
    route: &dyn RouteView,
) -> MaybePending<Result<(), AuthError>> {
    // The panic of a rule says neither yes nor no: it decides for the whole, whatever stands around it.
    let begun = caught(|| {
        let inquiry: Inquiry<'_, G> = Inquiry { principal, grant, shared: Some(grant), route };
        match decide(policy, inquiry) {
            Step::Done(answer) => MaybePending::Ready(answer.map_err(Rejection::into_error)),
            Step::Pending(pending) => {
                let kept = Kept {
                    principal: principal.clone(),
                    grant: Arc::clone(grant),
                    route: KeptRoute::new(policy.path_parameters(), route),
                };
                let mut answer = PanicCaught(Box::pin(go_on(pending, kept)));
                MaybePending::Pending(Box::pin(poll_fn(move |cx| {
                    let polled = Pin::new(&mut answer).poll(cx);
                    polled.map(|answer| answer.unwrap_or_else(|| Err(panicked())))
                })))
            }
        }
    });
    begun.unwrap_or_else(|| MaybePending::Ready(Err(panicked())))
}

/// Waits for the rule, and asks what is still open, until all is decided.
async fn go_on<G: Send + Sync + 'static>(
    pending: Pending<G>,
    kept: Kept<G>,
) -> Result<(), AuthError> {
    let Pending { mut answer, mut open } = pending;
    // The innermost place is the last from here on.
    open.reverse();
    loop {
        let (answered, has_read) = Watched::new(answer).await;
        let mut settled = known(answered.map_err(Rejection::from), has_read);
        answer = loop {
            let Some(place) = open.pop() else {
                return settled.map_err(Rejection::into_error);
            };
            match place.close(settled, kept.inquiry()) {
                Step::Done(answer) => settled = answer,
                Step::Pending(Pending { answer, open: inner }) => {
                    open.extend(inner.into_iter().rev());
                    break answer;
                }
            }
        };
    }
}

/// What rules are asked about.
pub(crate) struct Inquiry<'a, G> {
    principal: &'a Principal,
    grant: &'a G,
    /// The same grant, for rules that keep it. Without it no asynchronous rule can be asked.
    shared: Option<&'a Arc<G>>,
    route: &'a dyn RouteView,
}

impl<G> Clone for Inquiry<'_, G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G> Copy for Inquiry<'_, G> {}

/// What rules are asked about, for as long as it takes.
struct Kept<G> {
    principal: Principal,
    grant: Arc<G>,
    route: KeptRoute,
}

impl<G> Kept<G> {
    fn inquiry(&self) -> Inquiry<'_, G> {
        let Self { principal, grant, route } = self;
        Inquiry { principal, grant, shared: Some(grant), route }
    }
}

/// A rule that says no, and one that could not answer: only the first has an opposite.
#[derive(Debug)]
pub(crate) enum Rejection {
    No(AuthError),
    CannotTell(AuthError),
}

impl Rejection {
    /// Returns whether the other rule of an `or` may still allow: if this one rejected, or read a claim that
    /// the token does not include.
    fn leaves_a_choice(&self) -> bool {
        match self {
            Self::No(_) => true,
            Self::CannotTell(error) => error.kind() == AuthErrorKind::ClaimNotIncluded,
        }
    }

    fn into_error(self) -> AuthError {
        match self {
            Self::No(error) | Self::CannotTell(error) => error,
        }
    }
}

impl From<AuthError> for Rejection {
    fn from(error: AuthError) -> Self {
        match error.kind() {
            AuthErrorKind::InsufficientScope
            | AuthErrorKind::InsufficientRole
            | AuthErrorKind::NotPermitted
            | AuthErrorKind::ReauthenticationRequired => Self::No(error),
            _ => Self::CannotTell(error),
        }
    }
}

pub(crate) type Answer = Result<(), Rejection>;

/// Calls a function of the application. What it answers after a read of an unknown part of the grant is
/// not known, whether it is a yes or a no.
#[inline]
pub(crate) fn answer_of(function: impl FnOnce() -> Result<(), AuthError>) -> Answer {
    let (answer, has_read) = watch(function);
    known(answer.map_err(Rejection::from), has_read)
}

/// Calls a rule of ours. Such rules allow only because of what the grant contains, so that an unknown part
/// makes only a rejection uncertain.
#[inline]
pub(crate) fn own_answer_of(rule: impl FnOnce() -> Answer) -> Answer {
    match watch(rule) {
        (answer @ Err(_), has_read) => known(answer, has_read),
        (yes, _) => yes,
    }
}

fn known(answer: Answer, has_read_unknown: bool) -> Answer {
    match answer {
        Ok(()) | Err(Rejection::No(_)) if has_read_unknown => {
            Err(Rejection::CannotTell(not_included()))
        }
        answer => answer,
    }
}

/// How far the walk has come.
enum Step<G> {
    Done(Answer),
    Pending(Pending<G>),
}

/// An asynchronous rule that was asked, and what is open around it, the innermost place first.
struct Pending<G> {
    answer: AsyncAnswer,
    open: Vec<Open<G>>,
}

pub(crate) type AsyncAnswer = Pin<Box<dyn Future<Output = Result<(), AuthError>> + Send>>;

impl<G> Step<G> {
    /// Goes on with an answer, or keeps the place that it is for.
    fn then(self, go_on: impl FnOnce(Answer) -> Self, place: impl FnOnce() -> Open<G>) -> Self {
        match self {
            Self::Done(answer) => go_on(answer),
            Self::Pending(mut pending) => {
                pending.open.push(place());
                Self::Pending(pending)
            }
        }
    }
}

/// A place in the tree that waits for an answer from below.
enum Open<G> {
    /// The first of two, or the only one.
    First(Policy<G>),
    /// The second of two.
    Second(Policy<G>, Option<Rejection>),
}

impl<G> Open<G> {
    fn close(self, answer: Answer, inquiry: Inquiry<'_, G>) -> Step<G> {
        match self {
            Self::First(policy) => after_first(&policy, answer, inquiry),
            Self::Second(policy, rejected) => Step::Done(after_second(&policy, rejected, answer)),
        }
    }
}

fn decide<G>(policy: &Policy<G>, inquiry: Inquiry<'_, G>) -> Step<G> {
    let Inquiry { principal, grant, shared, route } = inquiry;
    let done = |answer: Answer| Step::Done(answer);
    match &policy.node {
        Node::Scopes { tokens, quantity, grant: find } => {
            let check = || check_scopes(tokens, *quantity, find(grant)).map_err(Rejection::No);
            done(own_answer_of(check))
        }
        Node::Rule { function, .. } => done(function(principal, grant)),
        Node::PathRule { parameter, function, .. } => done(
            path_parameter(parameter, route).and_then(|value| function(&value, principal, grant)),
        ),
        Node::Async { parameter, function, .. } => {
            let value = parameter.as_deref().map(|name| path_parameter(name, route)).transpose();
            match (value, shared) {
                (Err(rejection), _) => done(Err(rejection)),
                (Ok(_), None) => done(Err(fault("an asynchronous rule cannot be asked here"))),
                (Ok(value), Some(grant)) => {
                    let value = value.map(Cow::into_owned);
                    let call = || function(principal.clone(), Arc::clone(grant), value);
                    match watch(call) {
                        (_, true) => done(Err(Rejection::CannotTell(not_included()))),
                        (answer, false) => Step::Pending(Pending { answer, open: Vec::new() }),
                    }
                }
            }
        }
        Node::StepUp(step_up) => done(check_login(step_up, principal)),
        Node::Senseless(mistake) => done(Err(fault(&**mistake))),
        Node::ByRoute(table) => match table.policy(route) {
            Ok(policy) => decide(policy, inquiry),
            // The client may be at fault: its path leads nowhere.
            Err(reason) => done(Err(Rejection::CannotTell(AuthError::because(
                AuthErrorKind::NotPermitted,
                reason,
            )))),
        },
        Node::And(pair) | Node::Or(pair) => {
            let [first, _] = &**pair;
            decide(first, inquiry)
                .then(|answer| after_first(policy, answer, inquiry), || Open::First(policy.clone()))
        }
        Node::Not(inner) => decide(inner, inquiry)
            .then(|answer| after_first(policy, answer, inquiry), || Open::First(policy.clone())),
    }
}

/// Goes on after the first rule of a pair, or the only one.
fn after_first<G>(policy: &Policy<G>, answer: Answer, inquiry: Inquiry<'_, G>) -> Step<G> {
    match (&policy.node, answer) {
        (Node::And(pair), Ok(())) => ask_second(policy, pair, None, inquiry),
        (Node::Or(pair), Err(rejection)) if rejection.leaves_a_choice() => {
            ask_second(policy, pair, Some(rejection), inquiry)
        }
        (Node::And(_), Err(rejection)) => Step::Done(Err(name_all(rejection, policy))),
        (Node::Not(_), answer) => Step::Done(opposite(answer)),
        (_, answer) => Step::Done(answer),
    }
}

fn ask_second<G>(
    policy: &Policy<G>,
    pair: &[Policy<G>; 2],
    rejected: Option<Rejection>,
    inquiry: Inquiry<'_, G>,
) -> Step<G> {
    let [_, second] = pair;
    match decide(second, inquiry) {
        Step::Done(answer) => Step::Done(after_second(policy, rejected, answer)),
        Step::Pending(mut pending) => {
            pending.open.push(Open::Second(policy.clone(), rejected));
            Step::Pending(pending)
        }
    }
}

/// Decides a pair. `rejected` is what the first rule of an `or` said.
fn after_second<G>(policy: &Policy<G>, rejected: Option<Rejection>, answer: Answer) -> Answer {
    match (rejected, answer) {
        (Some(rejected), Err(Rejection::No(_))) => Err(rejected),
        (None, answer) => answer.map_err(|rejection| name_all(rejection, policy)),
        (_, answer) => answer,
    }
}

fn opposite(answer: Answer) -> Answer {
    match answer {
        Ok(()) => Err(Rejection::No(AuthErrorKind::NotPermitted.into())),
        Err(Rejection::No(_)) => Ok(()),
        cannot_tell => cannot_tell,
    }
}

/// Reads a parameter of the path. A route without it is a fault of the application; where no route
/// was found at all, as for a path that is not known, the client may be at fault.
fn path_parameter<'a>(name: &str, route: &'a dyn RouteView) -> Result<Cow<'a, str>, Rejection> {
    route.path_parameter(name).ok_or_else(|| match route.route() {
        Some(route) => fault(format!(
            "a policy names the path parameter `{name}`, which the route `{route}` does not have \
             exactly once"
        )),
        None => Rejection::CannotTell(AuthError::because(
            AuthErrorKind::NotPermitted,
            "a policy names a path parameter, and no route is known, or its path is not UTF-8",
        )),
    })
}

/// A fault of the application.
fn fault(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Rejection {
    Rejection::CannotTell(AuthError::with_source(AuthErrorKind::InternalError, reason))
}

fn check_scopes(tokens: &[Box<str>], quantity: Quantity, grant: &Grant) -> Result<(), AuthError> {
    let enough = match quantity {
        Quantity::All => tokens.iter().all(|token| grant.has_scope(token)),
        Quantity::Any => tokens.iter().any(|token| grant.has_scope(token)),
    };
    if enough { Ok(()) } else { Err(AuthError::insufficient_scope(scope_of(tokens, quantity))) }
}

fn scope_of(tokens: &[Box<str>], quantity: Quantity) -> String {
    match quantity {
        Quantity::All => tokens.join(" "),
        // The first one would do: asking for all of them would ask for more than is needed.
        Quantity::Any => tokens.first().map(|token| token.to_string()).unwrap_or_default(),
    }
}

/// Lets a rejection name all that a rule needs, where one after the other would send the caller away
/// several times: every scope of a rule that is made of scopes alone, and the whole of the login.
fn name_all<G>(rejection: Rejection, policy: &Policy<G>) -> Rejection {
    match rejection {
        Rejection::No(error) if error.missing_scope().is_some() => match required_scope(policy) {
            Some(scope) => Rejection::No(AuthError::insufficient_scope(scope)),
            None => Rejection::No(error),
        },
        Rejection::No(error) => match (error.step_up(), required_login(policy)) {
            (Some(failed), Some(required)) => {
                // A function of the application may ask for more than the rules around it.
                let both = required.and(failed);
                Rejection::No(AuthError::stepping_up(Arc::new(both)))
            }
            _ => Rejection::No(error),
        },
        cannot_tell => cannot_tell,
    }
}

fn required_scope<G>(policy: &Policy<G>) -> Option<String> {
    match &policy.node {
        Node::Scopes { tokens, quantity, .. } => Some(scope_of(tokens, *quantity)),
        Node::And(pair) => {
            let [first, second] = &**pair;
            Some(format!("{} {}", required_scope(first)?, required_scope(second)?))
        }
        Node::Or(pair) => {
            let [first, second] = &**pair;
            required_scope(first).filter(|_| required_scope(second).is_some())
        }
        _ => None,
    }
}

/// What a rule needs of the login, whatever else it needs.
fn required_login<G>(policy: &Policy<G>) -> Option<StepUp> {
    match &policy.node {
        Node::StepUp(step_up) => Some(StepUp::clone(step_up)),
        Node::And(pair) => {
            let [first, second] = &**pair;
            match (required_login(first), required_login(second)) {
                (Some(first), Some(second)) => Some(first.and(&second)),
                (first, second) => first.or(second),
            }
        }
        Node::Or(pair) => {
            let [first, second] = &**pair;
            required_login(first).filter(|_| required_login(second).is_some())
        }
        _ => None,
    }
}
