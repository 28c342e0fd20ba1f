//! What the engine sees of a request, and what a handler sees of it.

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header,
    uri::{Authority, PathAndQuery},
};
use portcullis::adapter::{HiddenTokens, RequestView};

/// What the engine sees of a request.
pub(crate) struct View<'a> {
    headers: &'a HeaderMap,
    uri: &'a Uri,
    method: &'a Method,
}

impl<'a> View<'a> {
    pub(crate) fn of<B>(request: &'a Request<B>) -> Self {
        Self { headers: request.headers(), uri: request.uri(), method: request.method() }
    }
}

impl RequestView for View<'_> {
    fn field_values<'r>(&'r self, name: &str, visit: &mut dyn FnMut(&'r [u8])) {
        let values = match name {
            // By far the most frequent one need not be read as a name each time.
            "authorization" => self.headers.get_all(header::AUTHORIZATION),
            _ => self.headers.get_all(name),
        };
        values.iter().for_each(|value| visit(value.as_bytes()));
    }

    fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    fn method(&self) -> &str {
        self.method.as_str()
    }

    fn authority(&self) -> Option<&str> {
        self.uri.authority().map(Authority::as_str)
    }
}

/// Removes the tokens from a request.
pub(crate) fn hide_tokens<B>(request: &mut Request<B>, hidden: &HiddenTokens) {
    for (name, values) in hidden.fields() {
        // The name is that of a field which is there, and the values are pieces of its values.
        let Ok(name) = HeaderName::try_from(name) else { continue };
        request.headers_mut().remove(&name);
        for value in values.iter().filter_map(|value| HeaderValue::from_bytes(value).ok()) {
            request.headers_mut().append(&name, value);
        }
    }
    if let Some(query) = hidden.query() {
        replace_query(request.uri_mut(), query);
    }
}

/// Puts another query into a URI; an empty one goes with its question mark.
fn replace_query(uri: &mut Uri, query: &str) {
    let path = uri.path();
    let path_and_query = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    let mut parts = std::mem::take(uri).into_parts();
    // Both are pieces of a valid URI, so this parses. If it ever did not, the path alone is the
    // answer that leaks nothing.
    parts.path_and_query = PathAndQuery::try_from(path_and_query).ok();
    *uri = Uri::from_parts(parts).unwrap_or_default();
}
