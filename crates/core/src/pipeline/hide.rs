//! What is left of a request without its tokens: what handlers and their logs should see.

use std::borrow::Cow;

use super::extract::{after_scheme, cookie_value, is_named, is_required};
use crate::{
    RequestView, TokenLocation,
    location::{LocationKind, WEB_SOCKET_PROTOCOL},
};

/// The parts of a request that hold tokens, without them. Adapters put these in place of what came.
#[derive(Clone, Default)]
pub struct HiddenTokens {
    query: Option<String>,
    fields: Vec<FieldWithoutTokens>,
}

/// The values that are left of the fields of one name.
#[derive(Clone)]
struct FieldWithoutTokens {
    name: String,
    values: Vec<Vec<u8>>,
}

impl HiddenTokens {
    /// Returns the query without tokens, if there were any in it. The response must not be stored by
    /// caches then ([RFC 6750 §2.3]).
    ///
    /// [RFC 6750 §2.3]: https://www.rfc-editor.org/rfc/rfc6750#section-2.3
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Returns the header fields that had tokens to be taken out: the name in lower case, and the
    /// values to put in place of all that came, which may be none.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[Vec<u8>])> {
        self.fields.iter().map(|field| (field.name.as_str(), field.values.as_slice()))
    }
}

impl std::fmt::Debug for HiddenTokens {
    /// Shows the names alone: other credentials may be among the values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HiddenTokens")
            .field("query", &self.query.is_some())
            .field("fields", &self.fields.iter().map(|field| &field.name).collect::<Vec<_>>())
            .finish()
    }
}

/// In which places tokens are hidden. The query and WebSocket subprotocols always are: they end up in
/// logs and in responses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Hide {
    Necessary,
    Everything,
}

/// Takes the tokens out of what the places name.
pub(crate) fn hide(
    places: &[TokenLocation],
    hide: Hide,
    request: &dyn RequestView,
) -> HiddenTokens {
    let query = request.query().and_then(|query| query_without_tokens(places, query));
    let is_field = |place: &&TokenLocation| match place.kind {
        LocationKind::Query => false,
        LocationKind::WebSocketProtocol => true,
        LocationKind::Header | LocationKind::Cookie => hide == Hide::Everything,
    };
    let mut fields: Vec<FieldWithoutTokens> = Vec::new();
    for place in places.iter().filter(is_field) {
        let name = field_name(place);
        if fields.iter().all(|done| done.name != name) {
            fields.extend(field_without_tokens(places, name, request));
        }
    }
    HiddenTokens { query, fields }
}

fn field_name(place: &TokenLocation) -> &str {
    match place.kind {
        LocationKind::Cookie => "cookie",
        LocationKind::WebSocketProtocol => WEB_SOCKET_PROTOCOL,
        LocationKind::Header | LocationKind::Query => &place.name,
    }
}

fn query_without_tokens(places: &[TokenLocation], query: &str) -> Option<String> {
    let is_token = |parameter: &str| {
        let name = parameter.split('=').next().unwrap_or_default();
        let mut in_query = places.iter().filter(|place| place.kind == LocationKind::Query);
        in_query.any(|place| is_named(name, &place.name))
    };
    if !query.split('&').any(is_token) {
        return None;
    }
    let rest: Vec<_> = query.split('&').filter(|parameter| !is_token(parameter)).collect();
    Some(rest.join("&"))
}

/// Returns what is left of the fields of one name, if there was a token in one.
fn field_without_tokens(
    places: &[TokenLocation],
    name: &str,
    request: &dyn RequestView,
) -> Option<FieldWithoutTokens> {
    let places: Vec<_> = places.iter().filter(|place| field_name(place) == name).collect();
    let (mut values, mut found) = (Vec::new(), false);
    let mut follows = vec![false; places.len()];
    request.field_values(name, &mut |value| {
        let left: Option<Cow<'_, [u8]>> = match name {
            "cookie" => list_without(value, b';', b"; ", |cookie| is_token_cookie(&places, cookie)),
            WEB_SOCKET_PROTOCOL => list_without(value, b',', b", ", |protocol| {
                if protocol.is_empty() {
                    return false;
                }
                let is_token = follows.contains(&true);
                for (follows, place) in follows.iter_mut().zip(&places) {
                    *follows = !*follows && place.name.as_bytes() == protocol;
                }
                is_token
            }),
            _ if places.iter().any(|place| is_token_field(place, value)) => None,
            _ => Some(Cow::Borrowed(value)),
        };
        found |= left.as_deref() != Some(value);
        values.extend(left.map(Cow::into_owned));
    });
    found.then(|| FieldWithoutTokens { name: name.to_owned(), values })
}

/// Returns a list without some of its elements; `None` if no element is left.
fn list_without<'v>(
    value: &'v [u8],
    separator: u8,
    joint: &[u8],
    mut is_token: impl FnMut(&[u8]) -> bool,
) -> Option<Cow<'v, [u8]>> {
    let elements: Vec<_> = value.split(|&byte| byte == separator).map(<[u8]>::trim_ascii).collect();
    let left: Vec<_> = elements.iter().copied().filter(|element| !is_token(element)).collect();
    if left.len() == elements.len() {
        return Some(Cow::Borrowed(value));
    }
    (!left.is_empty()).then(|| Cow::Owned(left.join(joint)))
}

fn is_token_cookie(places: &[&TokenLocation], cookie: &[u8]) -> bool {
    places.iter().any(|place| {
        cookie_value(cookie, &place.name).is_some_and(|value| has_prefix(place, value))
    })
}

fn is_token_field(place: &TokenLocation, value: &[u8]) -> bool {
    let token = match &place.scheme {
        Some(scheme) => after_scheme(value, scheme),
        None => Some(value),
    };
    // Where a scheme is required all else is a bad token, and no less secret.
    token.map_or_else(|| is_required(place), |token| has_prefix(place, token))
}

fn has_prefix(place: &TokenLocation, token: &[u8]) -> bool {
    let token = if place.trimmed { token.trim_ascii() } else { token };
    let has = |text: &str| token.starts_with(text.as_bytes());
    // Where a prefix is required all else is a bad token, and no less secret.
    place.prefix.as_ref().is_none_or(|prefix| prefix.required || has(&prefix.text))
}
