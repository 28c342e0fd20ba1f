//! The route of a request, as policies see it.

use std::{borrow::Cow, sync::Arc};

use http::{Method, Request};
use portcullis::policy::RouteView;

/// The route that a request was led to, and the parameters of its path: for policies that
/// [look at it](portcullis::policy::path_parameter), behind a router other than axum's.
///
/// Such a router, or a layer behind it, inserts it into the extensions of the request. axum's own
/// routes need nothing; where this is there, it counts instead of them.
///
/// # Examples
///
/// ```
/// use http::Request;
/// use portcullis_tower::PathParameters;
///
/// let mut request = Request::new(());
/// request.extensions_mut().insert(PathParameters::new("/orders/{id}", [("id", "42")]));
/// ```
#[derive(Clone, Debug)]
pub struct PathParameters {
    route: Box<str>,
    parameters: Arc<[(Box<str>, Box<str>)]>,
}

impl PathParameters {
    /// Creates it: the route as the application wrote it, and each parameter with its value, without
    /// percent-encoding.
    pub fn new<N: Into<Box<str>>, V: Into<Box<str>>>(
        route: impl Into<Box<str>>,
        parameters: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let parameters = parameters.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self { route: route.into(), parameters: parameters.collect() }
    }
}

/// The route of one request.
pub(crate) struct Route<'a> {
    pub(crate) method: &'a Method,
    found: Found,
}

/// Where the route is known from.
enum Found {
    None,
    Own(PathParameters),
    #[cfg(feature = "axum")]
    Axum(axum::AxumRoute),
}

impl<'a> Route<'a> {
    /// Reads the route.
    pub(crate) fn read<B>(request: &'a mut Request<B>) -> Self {
        let found = match request.extensions().get::<PathParameters>() {
            Some(own) => Found::Own(own.clone()),
            #[cfg(feature = "axum")]
            None => axum::read(request.extensions_mut()).map_or(Found::None, Found::Axum),
            #[cfg(not(feature = "axum"))]
            None => Found::None,
        };
        Self { method: request.method(), found }
    }
}

impl RouteView for Route<'_> {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        match &self.found {
            Found::None => None,
            Found::Own(own) => only(own.parameters.iter().filter(|(own, _)| **own == *name))
                .map(|(_, value)| &**value),
            #[cfg(feature = "axum")]
            Found::Axum(route) => only(route.parameters.iter().filter(|(own, _)| *own == name))
                .map(|(_, value)| value),
        }
        .map(Cow::Borrowed)
    }

    fn route(&self) -> Option<Cow<'_, str>> {
        match &self.found {
            Found::None => None,
            Found::Own(own) => Some(Cow::Borrowed(&own.route)),
            #[cfg(feature = "axum")]
            Found::Axum(route) => Some(Cow::Borrowed(route.path.as_str())),
        }
    }

    fn method(&self) -> Option<&str> {
        Some(self.method.as_str())
    }
}

/// Of several parameters with the same name nobody knows which one the handler takes.
fn only<T>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

#[cfg(feature = "axum")]
mod axum {
    //! What axum's router has found.

    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use ::axum::extract::{FromRequestParts, MatchedPath, RawPathParams};
    use http::{Extensions, Request};

    /// A route of axum's router.
    pub(super) struct AxumRoute {
        pub(super) path: MatchedPath,
        pub(super) parameters: RawPathParams,
    }

    /// Reads the route; `None` if the router has found none, if there is no router, or if a parameter is
    /// not UTF-8: no rule can judge that.
    pub(super) fn read(extensions: &mut Extensions) -> Option<AxumRoute> {
        let path = extensions.get::<MatchedPath>().cloned()?;
        let parameters = raw_path_params(extensions)?;
        Some(AxumRoute { path, parameters })
    }

    /// The parameters are in the extensions as a type that axum keeps to itself, and its extractor
    /// wants the parts of a request around them. It never waits.
    fn raw_path_params(extensions: &mut Extensions) -> Option<RawPathParams> {
        let (mut parts, ()) = Request::new(()).into_parts();
        std::mem::swap(&mut parts.extensions, extensions);
        let polled = {
            let extraction = pin!(RawPathParams::from_request_parts(&mut parts, &()));
            extraction.poll(&mut Context::from_waker(Waker::noop()))
        };
        std::mem::swap(&mut parts.extensions, extensions);
        match polled {
            Poll::Ready(parameters) => parameters.ok(),
            Poll::Pending => None,
        }
    }
}
