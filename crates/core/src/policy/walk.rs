//! What can be said of a policy without a request.

use std::{fmt, sync::Arc};

use super::{Node, Policy, Quantity};

impl<G> Policy<G> {
    /// Returns what is wrong with rules that can never allow anybody, such as one for a role that does
    /// not stand in its order of [`RoleHierarchy`](super::RoleHierarchy). For a test of the application; adapters
    /// [report](Self::report_mistakes) them.
    ///
    /// # Examples
    ///
    /// ```
    /// use portcullis::policy::{RoleHierarchy, scope};
    ///
    /// let roles = RoleHierarchy::new(["reader", "writer"]);
    /// assert!(scope("orders").or(roles.role_at_least("writer")).mistakes().is_empty());
    ///
    /// let mistakes = roles.role_at_least("wirter").mistakes();
    /// assert_eq!(*mistakes[0], *"`wirter` does not stand in the order reader < writer");
    /// ```
    #[must_use]
    pub fn mistakes(&self) -> Vec<Arc<str>> {
        let mut mistakes = Vec::new();
        self.visit(&mut |node| {
            if let Node::Senseless(mistake) = node {
                mistakes.push(Arc::clone(mistake));
            }
        });
        mistakes
    }

    /// Tells the log of each [mistake](Self::mistakes), as an error. Adapters do so when the
    /// application is put together. Without the feature `tracing` it does nothing.
    pub fn report_mistakes(&self) {
        #[cfg(feature = "tracing")]
        for mistake in self.mistakes() {
            tracing::error!(target: "portcullis", "a rule of a policy never allows: {mistake}");
        }
    }

    /// Tells whether a rule looks at the route, so that an adapter need not read it for nothing.
    #[must_use]
    pub fn looks_at_route(&self) -> bool {
        let mut looks = false;
        self.visit(&mut |node| {
            looks |= matches!(
                node,
                Node::PathRule { .. } | Node::Async { parameter: Some(_), .. } | Node::ByRoute(_)
            );
        });
        looks
    }

    /// Returns the parameters of the path that rules name.
    pub(crate) fn path_parameters(&self) -> Vec<Arc<str>> {
        let mut names: Vec<Arc<str>> = Vec::new();
        self.visit(&mut |node| match node {
            Node::PathRule { parameter, .. } | Node::Async { parameter: Some(parameter), .. }
                if !names.contains(parameter) =>
            {
                names.push(Arc::clone(parameter));
            }
            _ => {}
        });
        names
    }

    fn visit(&self, visit: &mut dyn FnMut(&Node<G>)) {
        visit(&self.node);
        match &self.node {
            Node::And(pair) | Node::Or(pair) => pair.iter().for_each(|policy| policy.visit(visit)),
            Node::Not(inner) => inner.visit(visit),
            Node::ByRoute(table) => table.policies().for_each(|policy| policy.visit(visit)),
            Node::Scopes { .. }
            | Node::Rule { .. }
            | Node::PathRule { .. }
            | Node::Async { .. }
            | Node::StepUp(_)
            | Node::Senseless(_) => {}
        }
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
            Node::Rule { name, .. } | Node::Async { name, parameter: None, .. } => {
                write!(f, "{name}(…)")
            }
            Node::PathRule { name, parameter, .. }
            | Node::Async { name, parameter: Some(parameter), .. } => {
                write!(f, "path_parameter({parameter:?}).{name}(…)")
            }
            Node::StepUp(step_up) => write!(f, "{step_up:?}"),
            Node::Senseless(mistake) => write!(f, "never({mistake})"),
            Node::ByRoute(table) => {
                write!(f, "({:?}", table.otherwise())?;
                for (route, policy) in table.exceptions() {
                    write!(f, " except on {route}: {policy:?}")?;
                }
                write!(f, ")")
            }
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
