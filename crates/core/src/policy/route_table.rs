//! Policies that differ by route.

use std::{collections::BTreeMap, sync::Arc};

use super::{Node, Policy, RouteView};

/// A policy for most routes, and those for single ones.
pub(crate) struct RouteTable<G> {
    otherwise: Policy<G>,
    exceptions: BTreeMap<Box<str>, Vec<Exception<G>>>,
}

struct Exception<G> {
    /// `None`: any.
    method: Option<Box<str>>,
    policy: Policy<G>,
}

impl<G> Policy<G> {
    /// Lets another policy decide *instead* on one route, which is named as the application wrote it:
    /// `/orders/{id}`, with what the router is nested under, or the full name of a gRPC method.
    ///
    /// This is the way to make an exception from the policy of a group, since layers and
    /// [`and`](Self::and) only ever add up. Let the group have the stricter rule, and the exception the
    /// weaker one: then a new route is strict, and an exception for a route that does not exist, by a
    /// slip of the pen, opens nothing. A route that is named twice is a [mistake](Self::mistakes).
    /// Where no route is known, as for a path that leads nowhere, nobody is allowed.
    ///
    /// # Examples
    ///
    /// ```
    /// use portcullis::policy::{authenticated, role, scope};
    ///
    /// let policy = scope("orders:write")
    ///     .except_route("/orders/{id}/status", authenticated())
    ///     .except_method("DELETE", "/orders/{id}", role("admin"));
    /// ```
    pub fn except_route(self, route: impl Into<Box<str>>, policy: Self) -> Self {
        self.except(None, route.into(), policy)
    }

    /// Lets another policy decide *instead* on one route and one method. It comes before an exception
    /// for all methods of the route. `GET` stands for `HEAD` too, as it does for routers.
    pub fn except_method(
        self,
        method: impl Into<Box<str>>,
        route: impl Into<Box<str>>,
        policy: Self,
    ) -> Self {
        self.except(Some(method.into()), route.into(), policy)
    }

    fn except(self, method: Option<Box<str>>, route: Box<str>, policy: Self) -> Self {
        let mut table = match &self.node {
            Node::ByRoute(table) => RouteTable::clone(table),
            _ => RouteTable { otherwise: self, exceptions: BTreeMap::new() },
        };
        let mistake = format!("the route `{route}` is excepted twice");
        let exceptions = table.exceptions.entry(route).or_default();
        let is_there = exceptions.iter().any(|own| own.method == method);
        let policy = if is_there { Self::senseless(mistake) } else { policy };
        // The last one first: a mistake must be found before what it repeats.
        exceptions.insert(0, Exception { method, policy });
        Self { node: Node::ByRoute(Arc::new(table)) }
    }
}

impl<G> RouteTable<G> {
    /// Finds the policy for a route; why there is none where it is not known. The default would be a
    /// guess, and an exception may be the stricter one.
    pub(crate) fn policy(&self, route: &dyn RouteView) -> Result<&Policy<G>, &'static str> {
        let name = route.route().ok_or("a policy differs by route, and no route is known")?;
        let exceptions = self.exceptions.get(&*name);
        let differs_by_method =
            || exceptions.into_iter().flatten().any(|exception| exception.method.is_some());
        if route.method().is_none() && differs_by_method() {
            return Err("a policy differs by method, and no method is known");
        }
        let find = |method: Option<&str>| {
            exceptions.into_iter().flatten().find(|own| own.method.as_deref() == method)
        };
        let by_method = match route.method() {
            Some("HEAD") => find(Some("HEAD")).or_else(|| find(Some("GET"))),
            Some(method) => find(Some(method)),
            None => None,
        };
        Ok(by_method.or_else(|| find(None)).map_or(&self.otherwise, |found| &found.policy))
    }

    /// Returns every policy.
    pub(super) fn policies(&self) -> impl Iterator<Item = &Policy<G>> {
        let exceptions = self.exceptions.values().flatten().map(|exception| &exception.policy);
        std::iter::once(&self.otherwise).chain(exceptions)
    }

    /// Returns the table with each policy changed.
    pub(super) fn map<H>(&self, change: impl Fn(&Policy<G>) -> Policy<H>) -> RouteTable<H> {
        let exceptions = self.exceptions.iter().map(|(route, exceptions)| {
            let exceptions = exceptions.iter().map(|Exception { method, policy }| Exception {
                method: method.clone(),
                policy: change(policy),
            });
            (route.clone(), exceptions.collect())
        });
        RouteTable { otherwise: change(&self.otherwise), exceptions: exceptions.collect() }
    }

    pub(super) fn otherwise(&self) -> &Policy<G> {
        &self.otherwise
    }

    /// Returns the exceptions: method and route, and the policy.
    pub(super) fn exceptions(&self) -> impl Iterator<Item = (String, &Policy<G>)> {
        self.exceptions.iter().flat_map(|(route, exceptions)| {
            exceptions.iter().map(move |exception| {
                let method = exception.method.as_deref().unwrap_or("*");
                (format!("{method} {route}"), &exception.policy)
            })
        })
    }
}

impl<G> Clone for RouteTable<G> {
    fn clone(&self) -> Self {
        self.map(Policy::clone)
    }
}
