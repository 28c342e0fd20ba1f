//! What rules see of the request's route.

use std::{borrow::Cow, sync::Arc};

/// What rules see of the route that a request was led to: an adapter implements it for its framework.
///
/// The unit type `()` is the view of a request that no route was found for: it has no parameters.
pub trait RouteView {
    /// Returns the value of a parameter of the path, as the handler gets it: the percent-encoding is
    /// undone. `None` if the route has no parameter of this name, or more than one: a rule that
    /// names it then never allows.
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>>;

    /// Returns the route as the application wrote it, such as `/orders/{id}`, or the full name of a
    /// gRPC method; `None` if there is none, as for a path that is not known.
    fn route(&self) -> Option<Cow<'_, str>> {
        None
    }

    /// Returns the method of the request, such as `GET`; `None` where it is not known: exceptions by
    /// method then allow nobody.
    fn method(&self) -> Option<&str> {
        None
    }
}

impl RouteView for () {
    fn path_parameter(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// What the rules of one policy may ask, kept for as long as a decision takes.
#[derive(Debug)]
pub(crate) struct KeptRoute {
    parameters: Vec<(Arc<str>, Option<Box<str>>)>,
    route: Option<Box<str>>,
    method: Option<Box<str>>,
}

impl KeptRoute {
    pub(crate) fn new(names: Vec<Arc<str>>, route: &dyn RouteView) -> Self {
        let value = |name: &Arc<str>| route.path_parameter(name).map(Into::into);
        Self {
            parameters: names.into_iter().map(|name| (Arc::clone(&name), value(&name))).collect(),
            route: route.route().map(Into::into),
            method: route.method().map(Into::into),
        }
    }
}

impl RouteView for KeptRoute {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut parameters = self.parameters.iter();
        let (_, value) = parameters.find(|(own, _)| **own == *name)?;
        value.as_deref().map(Cow::Borrowed)
    }

    fn route(&self) -> Option<Cow<'_, str>> {
        self.route.as_deref().map(Cow::Borrowed)
    }

    fn method(&self) -> Option<&str> {
        self.method.as_deref()
    }
}
