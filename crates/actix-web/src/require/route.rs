//! What rules see of the route.

use std::{any::type_name, borrow::Cow, cell::RefCell, collections::HashMap};

use actix_web::{
    HttpRequest, Resource, Scope,
    dev::{Path, ResourceDef, ServiceFactory, ServiceRequest, Url},
    web,
};
use percent_encoding::percent_decode_str;
use portcullis::policy::RouteView;

/// The route that a request was led to.
pub(super) struct Route<'a> {
    pub(super) request: &'a HttpRequest,
    pub(super) pattern: Option<&'a str>,
}

impl RouteView for Route<'_> {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.request.match_info().iter().filter(|(own, _)| *own == name);
        let (_, value) = values.next()?;
        // Two of one name, of a scope and of a resource in it: the handler may take the other.
        if values.next().is_some() {
            return None;
        }
        // The framework has left `%2F`, `%25` and `%2B` as they are; its `Path` decodes them.
        Some(percent_decode_str(value).decode_utf8_lossy())
    }

    fn route(&self) -> Option<Cow<'_, str>> {
        self.pattern.map(Cow::Borrowed)
    }

    fn method(&self) -> Option<&str> {
        Some(self.request.method().as_str())
    }
}

/// Returns the pattern that the router has matched; `None` if that is not certain.
///
/// The framework's answer is right once the request has reached a resource, except that it is the
/// first pattern of a resource that has several. Before that it is a guess by the path as the client
/// sent it. Only a pattern that matches the routed path as the router did is used: all of the path,
/// with the same parameters. The router tries the patterns of a resource in order, so that a first
/// pattern that matches is the one that it has matched.
///
/// This leaves one case, a scope whose prefix is the whole path: see [`has_routed`].
pub(super) fn pattern(request: &HttpRequest) -> Option<String> {
    let path = request.match_info();
    if path.as_str().is_empty() || !path.unprocessed().is_empty() {
        return None;
    }
    request.match_pattern().filter(|pattern| is_match(pattern, path))
}

/// Returns whether a service is that of a resource or of a route, so that the resource is known when it
/// is called. The router of a scope or an `App` is not one of them, and for a path that the prefix of a scope matches
/// completely nothing in the request shows the difference.
///
/// [`type_name`] promises no format, and a middleware may hide the type of the service inside, as
/// `middleware::from_fn` does. So only what is recognized counts: for any other service no route is known,
/// and rules about routes reject.
pub(super) fn has_routed<S>() -> bool {
    fn of_scope<T: ServiceFactory<ServiceRequest>>(_: &Scope<T>) -> &'static str {
        type_name::<T::Service>()
    }
    fn of_resource<T: ServiceFactory<ServiceRequest>>(_: &Resource<T>) -> &'static str {
        type_name::<T::Service>()
    }
    // What a route with a middleware keeps its handler in.
    const OF_ROUTE: &str = "Box<dyn actix_service::Service<actix_web::service::ServiceRequest";
    let name = type_name::<S>();
    let is_routed = name.contains(of_resource(&web::resource(""))) || name.contains(OF_ROUTE);
    is_routed && !name.contains(of_scope(&web::scope("")))
}

fn is_match(pattern: &str, path: &Path<Url>) -> bool {
    thread_local! {
        /// Patterns are the application's own, so that a worker keeps no more than the application has.
        static COMPILED: RefCell<HashMap<Box<str>, Option<Compiled>>> = RefCell::default();
    }
    if !pattern.contains('{') {
        return path.is_empty() && path.as_str() == pattern;
    }
    COMPILED.with_borrow_mut(|all| {
        if !all.contains_key(pattern) {
            all.insert(pattern.into(), Compiled::new(pattern));
        }
        all.get(pattern).and_then(Option::as_ref).is_some_and(|compiled| compiled.is_match(path))
    })
}

/// A pattern with parameters.
#[derive(Debug)]
struct Compiled {
    names: Vec<Box<str>>,
    /// The pattern with a number for each name, since names may repeat.
    numbered: ResourceDef,
}

impl Compiled {
    /// How many parameters the framework can compile.
    const MAX_PARAMETERS: usize = 16;

    /// Compiles a pattern; `None` for one that [`ResourceDef`] may panic at. Its parts, those of scopes
    /// and of a resource, were compiled when the application started, and are valid.
    fn new(pattern: &str) -> Option<Self> {
        let (mut names, mut numbered) = (Vec::new(), String::new());
        let mut rest = pattern;
        while let Some((text, parameter)) = rest.split_once('{') {
            let (parameter, after) = parameter.split_at_checked(closing_brace(parameter)?)?;
            let (name, expression) = match parameter.split_once(':') {
                Some((name, expression)) => (name, Some(expression)),
                None => (parameter, None),
            };
            // Groups with names may repeat too, and an expression may not end a pattern with `*`.
            let has_name = |text: &str| text.contains("(?P<") || text.contains("(?<");
            if expression.is_some_and(|text| has_name(text) || after == "}*") {
                return None;
            }
            let colon = if expression.is_some() { ":" } else { "" };
            let number = names.len();
            numbered.extend([text, "{p", &number.to_string(), colon, expression.unwrap_or("")]);
            names.push(name.into());
            rest = after;
        }
        numbered.push_str(rest);
        let can_compile = names.len() <= Self::MAX_PARAMETERS;
        can_compile.then(|| Self { names, numbered: ResourceDef::new(numbered) })
    }

    fn is_match(&self, path: &Path<Url>) -> bool {
        let mut matched = Path::new(path.as_str());
        self.numbered.capture_match_info(&mut matched)
            && self.names.iter().map(|name| &**name).eq(path.iter().map(|(name, _)| name))
            && matched.iter().map(|(_, value)| value).eq(path.iter().map(|(_, value)| value))
    }
}

/// Finds the brace that ends a parameter, whose expression may have braces too.
fn closing_brace(parameter: &str) -> Option<usize> {
    let mut open = 1_usize;
    parameter.find(|character| {
        match character {
            '{' => open = open.saturating_add(1),
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
        open == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_the_framework_may_panic_at_is_not_compiled() {
        let names_of = |pattern: &str| Compiled::new(pattern).map(|compiled| compiled.names);
        let names = ["x", "y", "x"].map(Box::from).to_vec();
        assert_eq!(names_of("/a/{x}/{y:[a-z]{2}}/{x}*"), Some(names));
        for pattern in ["/{x", "/{x:[a-z]{2}", "/{x:(?P<y>a)}", "/{x:(?<y>a)}", "/{x:a}*"] {
            assert_eq!(names_of(pattern), None, "{pattern}");
        }
        let many: String = (0..16).map(|number| format!("/{{x{number}}}")).collect();
        assert_eq!(names_of(&many).map(|names| names.len()), Some(16));
        assert_eq!(names_of(&format!("{many}/{{x16}}")), None);
    }

    #[test]
    fn the_service_of_a_resource_is_found_inside_of_others_and_that_of_a_scope_is_not_one() {
        struct Around<S>(S);
        fn of_scope<T: ServiceFactory<ServiceRequest>>(_: &Scope<T>) -> [bool; 2] {
            [has_routed::<T::Service>(), has_routed::<Option<Around<T::Service>>>()]
        }
        fn of_resource<T: ServiceFactory<ServiceRequest>>(_: &Resource<T>) -> [bool; 2] {
            [has_routed::<T::Service>(), has_routed::<Option<Around<T::Service>>>()]
        }
        assert_eq!(of_scope(&web::scope("")), [false, false]);
        assert_eq!(of_resource(&web::resource("")), [true, true]);
        assert!(!has_routed::<Around<ServiceRequest>>());
    }
}
