//! The tree of rules.

use std::sync::Arc;

use super::{
    RouteTable, RouteView,
    authorize::{self, Answer, answer_of, own_answer_of},
};
use crate::{AuthError, BoxFuture, Grant, MaybePending, Principal, error::StepUp};

/// What a handler asks of its caller. Cloning copies pointers.
///
/// `G` is the type of the grant that the engine makes.
#[must_use = "a policy does nothing until a layer has it"]
pub struct Policy<G = Grant> {
    pub(crate) node: Node<G>,
}

pub(crate) enum Node<G> {
    Scopes {
        tokens: Arc<[Box<str>]>,
        quantity: Quantity,
        grant: GrantOf<G>,
    },
    Rule {
        name: &'static str,
        function: RuleFunction<G>,
    },
    /// A rule about a parameter of the path.
    PathRule {
        name: &'static str,
        parameter: Arc<str>,
        function: PathRuleFunction<G>,
    },
    /// A rule that takes time to answer; about a parameter of the path, or none.
    Async {
        name: &'static str,
        parameter: Option<Arc<str>>,
        function: AsyncFunction<G>,
    },
    /// How, or how long ago, the user logged in.
    StepUp(Arc<StepUp>),
    /// A rule that says nothing: neither it nor its opposite ever allows.
    Senseless(Arc<str>),
    ByRoute(Arc<RouteTable<G>>),
    And(Arc<[Policy<G>; 2]>),
    Or(Arc<[Policy<G>; 2]>),
    Not(Arc<Policy<G>>),
}

type RuleFunction<G> = Arc<dyn Fn(&Principal, &G) -> Answer + Send + Sync>;

type PathRuleFunction<G> = Arc<dyn Fn(&str, &Principal, &G) -> Answer + Send + Sync>;

pub(super) type AsyncFunction<G> =
    Arc<dyn Fn(Principal, Arc<G>, Option<String>) -> AsyncAnswer + Send + Sync>;

pub(super) type AsyncAnswer = BoxFuture<'static, Result<(), AuthError>>;

/// Finds the standard grant inside of the application's.
pub(crate) type GrantOf<G> = Arc<dyn Fn(&G) -> &Grant + Send + Sync>;

/// How many of several must be there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Quantity {
    All,
    Any,
}

impl Policy {
    pub(super) fn scopes(tokens: Vec<Box<str>>, quantity: Quantity) -> Self {
        if tokens.is_empty() || !tokens.iter().all(|token| is_visible_ascii(token)) {
            return Self::senseless("no scope token, or one that no token can hold");
        }
        let grant: GrantOf<Grant> = Arc::new(|grant| grant);
        Self { node: Node::Scopes { tokens: tokens.into(), quantity, grant } }
    }

    /// Applies the policy to the standard grant inside of another type.
    ///
    /// Write the closure in place, `.on(|rights: &Rights| &rights.standard)`, or give a function: a
    /// closure that was bound to a variable before does not compile.
    pub fn on<G: 'static>(self, find: impl Fn(&G) -> &Grant + Send + Sync + 'static) -> Policy<G> {
        let find: GrantOf<G> = Arc::new(find);
        self.on_shared(&find)
    }

    fn on_shared<G: 'static>(&self, find: &GrantOf<G>) -> Policy<G> {
        let both = |pair: &[Self; 2]| {
            let [first, second] = pair;
            Arc::new([first.on_shared(find), second.on_shared(find)])
        };
        let node = match &self.node {
            Node::Scopes { tokens, quantity, .. } => Node::Scopes {
                tokens: Arc::clone(tokens),
                quantity: *quantity,
                grant: Arc::clone(find),
            },
            Node::Rule { name, function } => {
                let (function, find) = (Arc::clone(function), Arc::clone(find));
                let function: RuleFunction<G> =
                    Arc::new(move |principal, grant| function(principal, find(grant)));
                Node::Rule { name, function }
            }
            Node::PathRule { name, parameter, function } => {
                let (function, find) = (Arc::clone(function), Arc::clone(find));
                let function: PathRuleFunction<G> = Arc::new(move |value, principal, grant| {
                    function(value, principal, find(grant))
                });
                Node::PathRule { name, parameter: Arc::clone(parameter), function }
            }
            Node::Async { name, parameter, function } => {
                let (function, find) = (Arc::clone(function), Arc::clone(find));
                let function: AsyncFunction<G> = Arc::new(move |principal, grant, value| {
                    // The rule keeps it, and the one inside belongs to the whole.
                    function(principal, Arc::new(find(&grant).clone()), value)
                });
                Node::Async { name, parameter: parameter.clone(), function }
            }
            Node::StepUp(step_up) => Node::StepUp(Arc::clone(step_up)),
            Node::Senseless(mistake) => Node::Senseless(Arc::clone(mistake)),
            Node::ByRoute(table) => {
                Node::ByRoute(Arc::new(table.map(|policy| policy.on_shared(find))))
            }
            Node::And(pair) => Node::And(both(pair)),
            Node::Or(pair) => Node::Or(both(pair)),
            Node::Not(inner) => Node::Not(Arc::new(inner.on_shared(find))),
        };
        Policy { node }
    }
}

impl<G> Policy<G> {
    pub(super) fn senseless(mistake: impl Into<Arc<str>>) -> Self {
        Self { node: Node::Senseless(mistake.into()) }
    }

    /// A function of the application.
    pub(super) fn rule(
        name: &'static str,
        function: impl Fn(&Principal, &G) -> Result<(), AuthError> + Send + Sync + 'static,
    ) -> Self {
        let function: RuleFunction<G> =
            Arc::new(move |principal, grant| answer_of(|| function(principal, grant)));
        Self { node: Node::Rule { name, function } }
    }

    /// A rule of ours, which says itself whether its rejection has an opposite. It may allow only because of
    /// what the grant contains: the engine accepts its `Ok` even if a part of the grant is unknown.
    pub(super) fn own_rule(
        name: &'static str,
        function: impl Fn(&Principal, &G) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let function: RuleFunction<G> =
            Arc::new(move |principal, grant| own_answer_of(|| function(principal, grant)));
        Self { node: Node::Rule { name, function } }
    }

    /// A function of the application about a parameter of the path.
    pub(super) fn path_rule(
        name: &'static str,
        parameter: Arc<str>,
        function: impl Fn(&str, &Principal, &G) -> Result<(), AuthError> + Send + Sync + 'static,
    ) -> Self {
        let function: PathRuleFunction<G> = Arc::new(move |value, principal, grant| {
            answer_of(|| function(value, principal, grant))
        });
        Self { node: Node::PathRule { name, parameter, function } }
    }

    /// A rule of ours about a parameter of the path: see [`own_rule`](Self::own_rule).
    pub(super) fn own_path_rule(
        name: &'static str,
        parameter: Arc<str>,
        function: impl Fn(&str, &Principal, &G) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let function: PathRuleFunction<G> = Arc::new(move |value, principal, grant| {
            own_answer_of(|| function(value, principal, grant))
        });
        Self { node: Node::PathRule { name, parameter, function } }
    }

    pub(super) fn async_rule(
        name: &'static str,
        parameter: Option<Arc<str>>,
        function: impl Fn(Principal, Arc<G>, Option<String>) -> AsyncAnswer + Send + Sync + 'static,
    ) -> Self {
        Self { node: Node::Async { name, parameter, function: Arc::new(function) } }
    }

    /// Both must allow. The first that rejects decides what the caller is told; where both are rules
    /// of scopes, it is told all that are needed.
    pub fn and(self, other: Self) -> Self {
        Self { node: Node::And(Arc::new([self, other])) }
    }

    /// One must allow. If none does, the first decides what the caller is told.
    ///
    /// A rule that fails because something is unavailable rejects at once: its answer is not known. After
    /// one that reads a claim which the token
    /// [does not include](crate::Grant#claims-that-the-token-does-not-include), the other may still allow.
    pub fn or(self, other: Self) -> Self {
        Self { node: Node::Or(Arc::new([self, other])) }
    }

    /// The policy must reject. One that cannot tell, because something is unavailable, malformed or not
    /// included in the token, does not allow.
    #[expect(clippy::should_implement_trait, reason = "the operator would hide the rule")]
    pub fn not(self) -> Self {
        Self { node: Node::Not(Arc::new(self)) }
    }

    /// Decides whether a caller may use a handler.
    ///
    /// Rules are evaluated in the order in which they are written, and only as far as needed. The
    /// result is pending if an asynchronous rule is reached; the rules after it wait for its answer.
    /// Without one nothing is allocated. A pending result holds the caller and the parts of the route
    /// that rules look at, and nothing else of the request.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check). A rule that panics rejects the request as a fault of the application
    /// (500).
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use portcullis::{AuthError, Grant, Principal, policy::{RouteView, scope}};
    ///
    /// async fn may_go_on(
    ///     caller: &Principal,
    ///     grant: &Arc<Grant>,
    ///     route: &dyn RouteView,
    /// ) -> Result<(), AuthError> {
    ///     scope("orders:read").authorize(caller, grant, route).await
    /// }
    /// ```
    pub fn authorize(
        &self,
        principal: &Principal,
        grant: &Arc<G>,
        route: &dyn RouteView,
    ) -> MaybePending<Result<(), AuthError>>
    where
        G: Send + Sync + 'static,
    {
        authorize::authorize(self, principal, grant, route)
    }

    /// Decides whether a caller may go on, where there is no route to look at and no time to wait:
    /// rules about the path, and asynchronous ones, never allow here, and neither do their
    /// opposites.
    ///
    /// # Errors
    ///
    /// Why not: of kind `InsufficientScope`, naming the scope, `InsufficientRole` or
    /// `NotPermitted`, or what a function of the application rejects with.
    pub fn check(&self, principal: &Principal, grant: &G) -> Result<(), AuthError>
    where
        G: Send + Sync + 'static,
    {
        authorize::authorize_now(self, principal, grant)
    }
}

impl<G> Clone for Policy<G> {
    fn clone(&self) -> Self {
        let node = match &self.node {
            Node::Scopes { tokens, quantity, grant } => Node::Scopes {
                tokens: Arc::clone(tokens),
                quantity: *quantity,
                grant: Arc::clone(grant),
            },
            Node::Rule { name, function } => Node::Rule { name, function: Arc::clone(function) },
            Node::PathRule { name, parameter, function } => Node::PathRule {
                name,
                parameter: Arc::clone(parameter),
                function: Arc::clone(function),
            },
            Node::Async { name, parameter, function } => {
                Node::Async { name, parameter: parameter.clone(), function: Arc::clone(function) }
            }
            Node::StepUp(step_up) => Node::StepUp(Arc::clone(step_up)),
            Node::Senseless(mistake) => Node::Senseless(Arc::clone(mistake)),
            Node::ByRoute(table) => Node::ByRoute(Arc::clone(table)),
            Node::And(pair) => Node::And(Arc::clone(pair)),
            Node::Or(pair) => Node::Or(Arc::clone(pair)),
            Node::Not(inner) => Node::Not(Arc::clone(inner)),
        };
        Self { node }
    }
}

/// Visible characters only ([RFC 6749 §3.3]).
///
/// [RFC 6749 §3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
pub(super) fn is_visible_ascii(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| matches!(byte, b'!'..=b'~'))
}
