//! What rules see of the route.

use std::borrow::Cow;

use actix_web::HttpRequest;
use percent_encoding::percent_decode_str;
use portcullis::policy::RouteView;

/// The route that a request was led to.
pub(super) struct Route<'a>(pub(super) &'a HttpRequest);

impl RouteView for Route<'_> {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.0.match_info().iter().filter(|(own, _)| *own == name);
        let (_, value) = values.next()?;
        // Two of one name, of a scope and of a resource in it: the handler may take the other.
        if values.next().is_some() {
            return None;
        }
        // The framework has left `%2F`, `%25` and `%2B` as they are; its `Path` decodes them.
        Some(percent_decode_str(value).decode_utf8_lossy())
    }

    fn route(&self) -> Option<Cow<'_, str>> {
        self.0.match_pattern().map(Cow::Owned)
    }

    fn method(&self) -> Option<&str> {
        Some(self.0.method().as_str())
    }
}
