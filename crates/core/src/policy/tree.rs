//! The tree of rules.

use std::{fmt, sync::Arc};

use crate::{AuthError, Grant, Principal, pipeline::authorize};

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
    /// A rule that says nothing: neither it nor its opposite ever allows.
    Senseless(&'static str),
    And(Arc<[Policy<G>; 2]>),
    Or(Arc<[Policy<G>; 2]>),
    Not(Arc<Policy<G>>),
}

type RuleFunction<G> = Arc<dyn Fn(&Principal, &G) -> Result<(), AuthError> + Send + Sync>;

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
        if tokens.is_empty() || !tokens.iter().all(|token| is_scope_token(token)) {
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
            Node::Senseless(reason) => Node::Senseless(reason),
            Node::And(pair) => Node::And(both(pair)),
            Node::Or(pair) => Node::Or(both(pair)),
            Node::Not(inner) => Node::Not(Arc::new(inner.on_shared(find))),
        };
        Policy { node }
    }
}

impl<G> Policy<G> {
    pub(super) fn senseless(reason: &'static str) -> Self {
        Self { node: Node::Senseless(reason) }
    }

    pub(super) fn rule(
        name: &'static str,
        function: impl Fn(&Principal, &G) -> Result<(), AuthError> + Send + Sync + 'static,
    ) -> Self {
        Self { node: Node::Rule { name, function: Arc::new(function) } }
    }

    /// Both must allow. The first that refuses decides what the caller is told; where both are rules
    /// of scopes, it is told all that are needed.
    pub fn and(self, other: Self) -> Self {
        Self { node: Node::And(Arc::new([self, other])) }
    }

    /// One must allow. If none does, the first decides what the caller is told.
    ///
    /// A rule that fails because something is unavailable refuses at once: its answer is not known.
    pub fn or(self, other: Self) -> Self {
        Self { node: Node::Or(Arc::new([self, other])) }
    }

    /// The policy must refuse. One that cannot tell, because something is unavailable or malformed,
    /// does not allow.
    #[expect(clippy::should_implement_trait, reason = "the operator would hide the rule")]
    pub fn not(self) -> Self {
        Self { node: Node::Not(Arc::new(self)) }
    }

    /// Decides whether a caller may go on.
    ///
    /// # Errors
    ///
    /// Why not: of kind `InsufficientScope`, naming the scope, `InsufficientRole` or
    /// `NotPermitted`, or what a function of the application refuses with.
    pub fn check(&self, principal: &Principal, grant: &G) -> Result<(), AuthError> {
        authorize::authorize(self, principal, grant)
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
            Node::Senseless(reason) => Node::Senseless(reason),
            Node::And(pair) => Node::And(Arc::clone(pair)),
            Node::Or(pair) => Node::Or(Arc::clone(pair)),
            Node::Not(inner) => Node::Not(Arc::clone(inner)),
        };
        Self { node }
    }
}

impl<G> fmt::Debug for Policy<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Node::Scopes { tokens, quantity: Quantity::All, .. } => {
                write!(f, "all_scopes({tokens:?})")
            }
            Node::Scopes { tokens, quantity: Quantity::Any, .. } => {
                write!(f, "any_scope({tokens:?})")
            }
            Node::Rule { name, .. } => write!(f, "{name}(…)"),
            Node::Senseless(reason) => write!(f, "never({reason})"),
            Node::And(pair) => {
                let [first, second] = &**pair;
                write!(f, "({first:?} and {second:?})")
            }
            Node::Or(pair) => {
                let [first, second] = &**pair;
                write!(f, "({first:?} or {second:?})")
            }
            Node::Not(inner) => write!(f, "not {inner:?}"),
        }
    }
}

/// Visible characters only ([RFC 6749 §3.3]).
///
/// [RFC 6749 §3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
fn is_scope_token(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| matches!(byte, b'!'..=b'~'))
}
