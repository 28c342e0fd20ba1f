//! May they use this handler? ([RFC 6750 §3.1])
//!
//! A tree of rules is evaluated in the order in which it is written, and only as far as needed. An
//! answer is ready or pending. A pair whose first answer is pending becomes pending too: its future
//! waits for the answer and evaluates the rest, by the same functions.
//!
//! [RFC 6750 §3.1]: https://www.rfc-editor.org/rfc/rfc6750#section-3.1

use std::{borrow::Cow, cell::OnceCell, future::poll_fn, pin::Pin, sync::Arc};

use super::{KeptRoute, Node, Policy, Quantity, RouteView, check_login, tree::AsyncFunction};
use crate::{
    AuthError, AuthErrorKind, BoxFuture, Grant, MaybePending, Principal,
    claims::not_included,
    error::StepUp,
    future::PanicCaught,
    grant::{Watched, watch},
    hooks::{caught, panicked},
};

/// Evaluates a policy without waiting: an asynchronous rule that is reached rejects.
pub(super) fn authorize_now<G: Send + Sync + 'static>(
    policy: &Policy<G>,
    principal: &Principal,
    grant: &G,
) -> Result<(), AuthError> {
    let request = AccessRequest::new(policy, principal, grant, None, &());
    match caught(|| evaluate(policy, &request)) {
        Some(MaybePending::Ready(answer)) => answer.map_err(Denial::into_error),
        // Only a shared grant makes an answer pending.
        Some(MaybePending::Pending(_)) => Err(AuthErrorKind::InternalError.into()),
        None => Err(panicked()),
    }
}

/// Evaluates a policy.
pub(super) fn authorize<G: Send + Sync + 'static>(
    policy: &Policy<G>,
    principal: &Principal,
    grant: &Arc<G>,
    route: &dyn RouteView,
) -> MaybePending<Result<(), AuthError>> {
    let request = AccessRequest::new(policy, principal, grant, Some(grant), route);
    // A rule that panics gives no answer, and no rule around it may make one of that.
    match caught(|| evaluate(policy, &request)) {
        Some(MaybePending::Ready(answer)) => {
            MaybePending::Ready(answer.map_err(Denial::into_error))
        }
        Some(MaybePending::Pending(answer)) => {
            let mut answer = PanicCaught(answer);
            MaybePending::Pending(Box::pin(poll_fn(move |cx| {
                Pin::new(&mut answer).poll(cx).map(|answer| match answer {
                    Some(answer) => answer.map_err(Denial::into_error),
                    None => Err(panicked()),
                })
            })))
        }
        None => MaybePending::Ready(Err(panicked())),
    }
}

/// What a policy is evaluated for: a caller, and the route of the request.
struct AccessRequest<'a, G> {
    policy: &'a Policy<G>,
    principal: &'a Principal,
    grant: &'a G,
    /// The same grant, for asynchronous rules. Without it none can be evaluated.
    shared: Option<&'a Arc<G>>,
    route: &'a dyn RouteView,
    /// A copy for pending answers, made for the first of them.
    kept: OnceCell<Arc<KeptRequest<G>>>,
}

/// What pending answers keep.
struct KeptRequest<G> {
    policy: Policy<G>,
    principal: Principal,
    grant: Arc<G>,
    route: KeptRoute,
}

impl<'a, G> AccessRequest<'a, G> {
    fn new(
        policy: &'a Policy<G>,
        principal: &'a Principal,
        grant: &'a G,
        shared: Option<&'a Arc<G>>,
        route: &'a dyn RouteView,
    ) -> Self {
        Self { policy, principal, grant, shared, route, kept: OnceCell::new() }
    }

    fn of(kept: &'a Arc<KeptRequest<G>>) -> Self {
        let KeptRequest { policy, principal, grant, route } = &**kept;
        let shared = Some(grant);
        Self { policy, principal, grant, shared, route, kept: Arc::clone(kept).into() }
    }

    /// Returns the copy, which needs a shared grant.
    fn keep(&self) -> Option<Arc<KeptRequest<G>>> {
        let grant = self.shared?;
        let kept = self.kept.get_or_init(|| {
            Arc::new(KeptRequest {
                policy: self.policy.clone(),
                principal: self.principal.clone(),
                grant: Arc::clone(grant),
                route: KeptRoute::new(self.policy.path_parameters(), self.route),
            })
        });
        Some(Arc::clone(kept))
    }
}

fn evaluate<G: Send + Sync + 'static>(
    policy: &Policy<G>,
    request: &AccessRequest<'_, G>,
) -> MaybePending<Answer> {
    let AccessRequest { principal, grant, route, .. } = *request;
    MaybePending::Ready(match &policy.node {
        Node::Scopes { tokens, quantity, grant: find } => {
            own_answer_of(|| check_scopes(tokens, *quantity, find(grant)).map_err(Denial::No))
        }
        Node::Rule { function, .. } => function(principal, grant),
        Node::PathRule { parameter, function, .. } => {
            path_parameter(parameter, route).and_then(|value| function(&value, principal, grant))
        }
        Node::Async { parameter, function, .. } => {
            match call(function, parameter.as_deref(), request) {
                Ok(answer) => return MaybePending::Pending(answer),
                Err(rejection) => Err(rejection),
            }
        }
        Node::StepUp(step_up) => check_login(step_up, principal),
        Node::Senseless(mistake) => Err(fault(&**mistake)),
        Node::ByRoute(table) => match table.policy(route) {
            Ok(policy) => return evaluate(policy, request),
            // The client may be at fault: its path leads nowhere.
            Err(reason) => {
                Err(Denial::Unknown(AuthError::because(AuthErrorKind::NotPermitted, reason)))
            }
        },
        Node::And(pair) | Node::Or(pair) => {
            let [first, _] = &**pair;
            return then(evaluate(first, request), policy, request, after_first);
        }
        Node::Not(inner) => return then(evaluate(inner, request), policy, request, after_first),
    })
}

/// Continues with an answer, at once or when it is ready.
fn then<G: Send + Sync + 'static>(
    answer: MaybePending<Answer>,
    policy: &Policy<G>,
    request: &AccessRequest<'_, G>,
    next: impl FnOnce(&Policy<G>, Answer, &AccessRequest<'_, G>) -> MaybePending<Answer>
    + Send
    + 'static,
) -> MaybePending<Answer> {
    let answer = match answer {
        MaybePending::Ready(answer) => return next(policy, answer, request),
        MaybePending::Pending(answer) => answer,
    };
    let Some(kept) = request.keep() else { return MaybePending::Ready(Err(not_here())) };
    let policy = policy.clone();
    MaybePending::Pending(Box::pin(async move {
        let answer = answer.await;
        let answer = next(&policy, answer, &AccessRequest::of(&kept));
        answer.await
    }))
}

/// Continues after the first rule of a pair, or the only one.
fn after_first<G: Send + Sync + 'static>(
    policy: &Policy<G>,
    answer: Answer,
    request: &AccessRequest<'_, G>,
) -> MaybePending<Answer> {
    let (pair, rejected) = match (&policy.node, answer) {
        (Node::And(pair), Ok(())) => (pair, None),
        (Node::Or(pair), Err(rejection)) if rejection.leaves_a_choice() => (pair, Some(rejection)),
        (Node::And(_), Err(rejection)) => {
            return MaybePending::Ready(Err(name_all(rejection, policy)));
        }
        (Node::Not(_), answer) => return MaybePending::Ready(opposite(answer)),
        (_, answer) => return MaybePending::Ready(answer),
    };
    let [_, second] = &**pair;
    then(evaluate(second, request), policy, request, |policy, answer, _| {
        MaybePending::Ready(after_second(policy, rejected, answer))
    })
}

/// Decides a pair. `rejected` is what the first rule of an `or` said.
fn after_second<G>(policy: &Policy<G>, rejected: Option<Denial>, answer: Answer) -> Answer {
    match (rejected, answer) {
        (Some(rejected), Err(Denial::No(_))) => Err(rejected),
        (None, answer) => answer.map_err(|rejection| name_all(rejection, policy)),
        (_, answer) => answer,
    }
}

/// Calls an asynchronous rule.
fn call<G>(
    function: &AsyncFunction<G>,
    parameter: Option<&str>,
    request: &AccessRequest<'_, G>,
) -> Result<BoxFuture<'static, Answer>, Denial> {
    let value = parameter.map(|name| path_parameter(name, request.route)).transpose()?;
    let grant = request.shared.ok_or_else(not_here)?;
    let value = value.map(Cow::into_owned);
    match watch(|| function(request.principal.clone(), Arc::clone(grant), value)) {
        (_, true) => Err(Denial::Unknown(not_included())),
        (answer, false) => Ok(Box::pin(async move {
            let (answer, has_read) = Watched::new(answer).await;
            known(answer.map_err(Denial::from), has_read)
        })),
    }
}

fn not_here() -> Denial {
    fault("an asynchronous rule cannot be evaluated here")
}

/// Why a rule does not allow. Only a rule that says no has an opposite.
#[derive(Debug)]
pub(crate) enum Denial {
    No(AuthError),
    Unknown(AuthError),
}

impl Denial {
    /// Returns whether the other rule of an `or` may still allow: if this one rejected, or read a claim that
    /// the token does not include.
    fn leaves_a_choice(&self) -> bool {
        match self {
            Self::No(_) => true,
            Self::Unknown(error) => error.kind() == AuthErrorKind::ClaimNotIncluded,
        }
    }

    fn into_error(self) -> AuthError {
        match self {
            Self::No(error) | Self::Unknown(error) => error,
        }
    }
}

impl From<AuthError> for Denial {
    fn from(error: AuthError) -> Self {
        match error.kind() {
            AuthErrorKind::InsufficientScope
            | AuthErrorKind::InsufficientRole
            | AuthErrorKind::NotPermitted
            | AuthErrorKind::ReauthenticationRequired => Self::No(error),
            _ => Self::Unknown(error),
        }
    }
}

pub(super) type Answer = Result<(), Denial>;

/// Calls a function of the application. Its answer is unknown if it read an unknown part of the grant,
/// whether it is a yes or a no.
#[inline]
pub(super) fn answer_of(function: impl FnOnce() -> Result<(), AuthError>) -> Answer {
    let (answer, has_read) = watch(function);
    known(answer.map_err(Denial::from), has_read)
}

/// Calls a rule of ours. Such rules allow only because of what the grant contains, so that an unknown part
/// makes only a rejection uncertain.
#[inline]
pub(super) fn own_answer_of(rule: impl FnOnce() -> Answer) -> Answer {
    match watch(rule) {
        (answer @ Err(_), has_read) => known(answer, has_read),
        (yes, _) => yes,
    }
}

fn known(answer: Answer, has_read_unknown: bool) -> Answer {
    match answer {
        Ok(()) | Err(Denial::No(_)) if has_read_unknown => Err(Denial::Unknown(not_included())),
        answer => answer,
    }
}

fn opposite(answer: Answer) -> Answer {
    match answer {
        Ok(()) => Err(Denial::No(AuthErrorKind::NotPermitted.into())),
        Err(Denial::No(_)) => Ok(()),
        cannot_tell => cannot_tell,
    }
}

/// Reads a parameter of the path. A route without it is a fault of the application; where no route
/// was found at all, as for a path that is not known, the client may be at fault.
fn path_parameter<'a>(name: &str, route: &'a dyn RouteView) -> Result<Cow<'a, str>, Denial> {
    route.path_parameter(name).ok_or_else(|| match route.route() {
        Some(route) => fault(format!(
            "a policy names the path parameter `{name}`, which the route `{route}` does not have \
             exactly once"
        )),
        None => Denial::Unknown(AuthError::because(
            AuthErrorKind::NotPermitted,
            "a policy names a path parameter, and no route is known, or its path is not UTF-8",
        )),
    })
}

/// A fault of the application.
fn fault(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Denial {
    Denial::Unknown(AuthError::with_source(AuthErrorKind::InternalError, reason))
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
fn name_all<G>(rejection: Denial, policy: &Policy<G>) -> Denial {
    match rejection {
        Denial::No(error) if error.missing_scope().is_some() => match required_scope(policy) {
            Some(scope) => Denial::No(AuthError::insufficient_scope(scope)),
            None => Denial::No(error),
        },
        Denial::No(error) => match (error.step_up(), required_login(policy)) {
            (Some(failed), Some(required)) => {
                // A function of the application may ask for more than the rules around it.
                let both = required.and(failed);
                Denial::No(AuthError::stepping_up(Arc::new(both)))
            }
            _ => Denial::No(error),
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
