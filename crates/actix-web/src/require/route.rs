//! What rules see of the route.

use std::borrow::Cow;

use actix_web::{HttpRequest, dev::ServiceRequest, http::Uri};
use percent_encoding::percent_decode_str;
use portcullis::policy::RouteView;

use crate::shared_request::is_shared;

/// The route that a request was led to.
pub(super) struct Route<'a> {
    pub(super) request: &'a HttpRequest,
    pub(super) pattern: Option<&'a str>,
}

/// Returns the pattern of the resource that the request was led to; `None` where that is not over yet.
pub(super) fn pattern(request: &mut ServiceRequest) -> Option<String> {
    if is_shared(request) {
        return None;
    }
    // Where the routing is not over, the framework guesses by the path as it was sent: it decodes
    // nothing and looks at no guard, so that the guess may be another route than the request's.
    // No pattern matches this path, and what it says then is no guess.
    let uri = std::mem::replace(&mut request.head_mut().uri, Uri::from_static("*"));
    let pattern = request.match_pattern();
    request.head_mut().uri = uri;
    pattern
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
