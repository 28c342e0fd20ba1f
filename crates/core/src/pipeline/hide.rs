//! The parts of a request without their tokens, for handlers and their logs.

use super::find::{Content, Position, elements, find};
use crate::{
    RequestView, TokenLocation,
    location::{LocationKind, WEB_SOCKET_PROTOCOL},
};

/// The parts of a request that hold tokens, without these tokens. Adapters replace the original parts with them.
#[derive(Clone, Default)]
pub struct HiddenTokens {
    // Behind a pointer, because most requests have nothing to hide.
    parts: Option<Box<Parts>>,
}

#[derive(Clone)]
struct Parts {
    query: Option<String>,
    fields: Vec<FieldWithoutTokens>,
}

/// The values that remain of the fields of one name.
#[derive(Clone)]
struct FieldWithoutTokens {
    name: String,
    values: Vec<Vec<u8>>,
}

impl HiddenTokens {
    fn new(query: Option<String>, fields: Vec<FieldWithoutTokens>) -> Self {
        let has_parts = query.is_some() || !fields.is_empty();
        Self { parts: has_parts.then(|| Box::new(Parts { query, fields })) }
    }

    /// Returns the query without tokens, if there were any in it. The response must not be stored by
    /// caches then ([RFC 6750 §2.3]).
    ///
    /// [RFC 6750 §2.3]: https://www.rfc-editor.org/rfc/rfc6750#section-2.3
    #[must_use]
    #[inline]
    pub fn query(&self) -> Option<&str> {
        self.parts.as_ref()?.query.as_deref()
    }

    /// Returns the header fields that had tokens: the name in lower case, and the values that replace all
    /// original ones, which may be none.
    #[inline]
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[Vec<u8>])> {
        let fields = self.parts.as_ref().map(|parts| parts.fields.as_slice()).unwrap_or_default();
        fields.iter().map(|field| (field.name.as_str(), field.values.as_slice()))
    }
}

impl std::fmt::Debug for HiddenTokens {
    /// Shows the names alone: other credentials may be among the values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HiddenTokens")
            .field("query", &self.query().is_some())
            .field("fields", &self.fields().map(|(name, _)| name).collect::<Vec<_>>())
            .finish()
    }
}

/// The locations whose tokens are hidden. The query and WebSocket subprotocols always are: they end up in
/// logs and in responses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Hide {
    Necessary,
    Everything,
}

/// Removes what the locations name. Every location counts, also one that extraction does not read because
/// another has precedence.
pub(crate) fn hide(
    locations: &[TokenLocation],
    hide: Hide,
    request: &dyn RequestView,
) -> HiddenTokens {
    let query = query_without_tokens(locations, request);
    let may_hide_fields = |location: &TokenLocation| {
        matches!(location.kind, LocationKind::WebSocketProtocol | LocationKind::Custom(_))
    };
    if hide == Hide::Necessary && !locations.iter().any(may_hide_fields) {
        return HiddenTokens::new(query, Vec::new());
    }
    let mut fields: Vec<FieldWithoutTokens> = Vec::new();
    for source in locations.iter().flat_map(TokenLocation::sources) {
        let Some(name) = field_name(source) else { continue };
        let is_hidden = hide == Hide::Everything || name == WEB_SOCKET_PROTOCOL;
        if is_hidden && fields.iter().all(|done| done.name != name) {
            fields.extend(field_without_tokens(locations, name, request));
        }
    }
    HiddenTokens::new(query, fields)
}

/// Returns the field that a location reads; `None`: the query.
fn field_name(location: &TokenLocation) -> Option<&str> {
    match location.kind {
        LocationKind::Query => None,
        LocationKind::Cookie => Some("cookie"),
        LocationKind::WebSocketProtocol => Some(WEB_SOCKET_PROTOCOL),
        LocationKind::Header | LocationKind::Custom(_) => Some(&location.name),
    }
}

/// Returns the positions of tokens in the query, or in the fields of this name.
fn positions(
    locations: &[TokenLocation],
    name: Option<&str>,
    request: &dyn RequestView,
) -> Vec<Position> {
    let mut positions = Vec::new();
    let sources = locations.iter().flat_map(TokenLocation::sources);
    for location in sources.filter(|location| field_name(location) == name) {
        // A parameter or subprotocol of the location's name is hidden whatever it holds.
        let is_hidden_whole =
            matches!(location.kind, LocationKind::Query | LocationKind::WebSocketProtocol);
        find(location, request, &mut |found| {
            if is_hidden_whole || !matches!(found.content, Content::Foreign) {
                positions.push(found.position);
            }
        });
    }
    positions
}

fn query_without_tokens(locations: &[TokenLocation], request: &dyn RequestView) -> Option<String> {
    let query = request.query()?;
    let positions = positions(locations, None, request);
    if positions.is_empty() {
        return None;
    }
    let rest = elements(query.as_bytes(), b'&').map(|(range, _)| range);
    let rest = rest.filter(|range| positions.iter().all(|position| position.range != *range));
    Some(rest.filter_map(|range| query.get(range)).collect::<Vec<_>>().join("&"))
}

/// Returns what remains of the fields of one name, if one of them has a token.
fn field_without_tokens(
    locations: &[TokenLocation],
    name: &str,
    request: &dyn RequestView,
) -> Option<FieldWithoutTokens> {
    let positions = positions(locations, Some(name), request);
    let (mut field, mut values, mut is_changed) = (0_usize, Vec::new(), false);
    request.field_values(name, &mut |value| {
        let in_field = || positions.iter().filter(|position| position.field == field);
        if in_field().next().is_none() {
            values.push(value.to_vec());
        } else {
            is_changed = true;
            values.extend(value_without_tokens(name, value, |range| {
                in_field().any(|position| position.range == *range)
            }));
        }
        field = field.saturating_add(1);
    });
    is_changed.then(|| FieldWithoutTokens { name: name.to_owned(), values })
}

/// Returns a value without some of its elements; `None` if no element remains. The value of a field that is
/// not a list is one element.
fn value_without_tokens(
    name: &str,
    value: &[u8],
    is_token: impl Fn(&std::ops::Range<usize>) -> bool,
) -> Option<Vec<u8>> {
    let (separator, joint) = match name {
        "cookie" => (b';', b"; "),
        WEB_SOCKET_PROTOCOL => (b',', b", "),
        _ => return None,
    };
    let rest = elements(value, separator).filter(|(range, _)| !is_token(range));
    let rest: Vec<_> = rest.map(|(_, element)| element).collect();
    (!rest.is_empty()).then(|| rest.join(&joint[..]))
}
