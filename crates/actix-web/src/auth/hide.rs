//! Takes tokens out of a request, before handlers and their logs see it.

use actix_web::{
    dev::ServiceRequest,
    http::{
        Uri,
        header::{HeaderName, HeaderValue},
        uri::PathAndQuery,
    },
};
use portcullis::HiddenTokens;

use crate::shared_request::is_shared;

/// The request is held elsewhere too, so that it cannot be changed.
pub(super) struct SharedRequest;

/// Takes tokens out of the request. Tells whether there were any in the query, so that the response
/// must not be stored.
pub(super) fn hide_tokens(
    request: &mut ServiceRequest,
    hidden: &HiddenTokens,
) -> Result<bool, SharedRequest> {
    if hidden.query().is_none() && hidden.fields().next().is_none() {
        return Ok(false);
    }
    if is_shared(request) {
        return Err(SharedRequest);
    }
    let head = request.head_mut();
    for (name, values) in hidden.fields() {
        // The name is that of a field which is there, and the values are pieces of its values.
        let Ok(name) = HeaderName::try_from(name) else { continue };
        head.headers.remove(&name);
        for value in values.iter().filter_map(|value| HeaderValue::from_bytes(value).ok()) {
            head.headers.append(name.clone(), value);
        }
    }
    let Some(query) = hidden.query() else { return Ok(false) };
    replace_query(&mut head.uri, query);
    // The framework keeps a second copy of the URI for its routing.
    let routed = request.match_info_mut().get_mut();
    let mut uri = routed.uri().clone();
    replace_query(&mut uri, query);
    routed.update(&uri);
    Ok(true)
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
