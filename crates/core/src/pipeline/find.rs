//! The one reader of tokens in a request: what a location holds, and at which position.
//!
//! [`extract`](super::extract) takes the tokens from what is found here, and [`hide`](super::hide) removes the
//! positions. So no token can be extracted that is not hidden.

use std::{borrow::Cow, ops::Range};

use percent_encoding::percent_decode_str;

use crate::{
    BearerToken, RequestView, TokenLocation,
    location::{LocationKind, Scheme, WEB_SOCKET_PROTOCOL},
};

/// An element of a request that a location names.
pub(super) struct Found<'r> {
    pub(super) position: Position,
    pub(super) content: Content<'r>,
}

/// Where an element is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Position {
    /// The number of the field among those of its name, from zero; zero for the query.
    pub(super) field: usize,
    /// The bytes in the value of the field, or in the query.
    pub(super) range: Range<usize>,
}

/// What an element holds.
pub(super) enum Content<'r> {
    Token(BearerToken<'r>),
    Empty,
    /// No token of this location: it has another scheme or prefix.
    Foreign,
}

/// Calls `visit` with each element of the request that this location names, in order.
///
/// A [custom](LocationKind::Custom) location has no elements itself, only its sources have.
#[inline]
pub(super) fn find<'r>(
    location: &TokenLocation,
    request: &'r dyn RequestView,
    visit: &mut impl FnMut(Found<'r>),
) {
    match location.kind {
        LocationKind::Header => in_header(location, request, visit),
        LocationKind::Query => in_query(location, request, visit),
        LocationKind::Cookie => in_cookies(location, request, visit),
        LocationKind::WebSocketProtocol => in_web_socket_protocols(location, request, visit),
        LocationKind::Custom(_) => {}
    }
}

/// Visits all fields of the name: extraction counts those of other schemes too.
#[inline]
fn in_header<'r>(
    location: &TokenLocation,
    request: &'r dyn RequestView,
    visit: &mut impl FnMut(Found<'r>),
) {
    let mut fields = 0_usize;
    request.field_values(&location.name, &mut |value| {
        let position = Position { field: fields, range: 0..value.len() };
        fields = fields.saturating_add(1);
        let token = match &location.scheme {
            Some(scheme) => after_scheme(value, scheme),
            None => Some(value),
        };
        let content = token.map_or(Content::Foreign, |token| read(location, token));
        visit(Found { position, content });
    });
}

/// Returns what follows the scheme and its spaces; `None` for another scheme
/// ([RFC 9110 §11.4]).
///
/// [RFC 9110 §11.4]: https://www.rfc-editor.org/rfc/rfc9110#section-11.4
fn after_scheme<'r>(value: &'r [u8], scheme: &Scheme) -> Option<&'r [u8]> {
    let name = scheme.name.as_bytes();
    let (start, rest) = value.split_at_checked(name.len())?;
    // The usual spelling first.
    if start != name && (scheme.exact || !start.eq_ignore_ascii_case(name)) {
        return None;
    }
    match rest.first() {
        None => Some(rest),
        Some(_) if scheme.exact => rest.strip_prefix(b" "),
        Some(b' ') => Some(trim_spaces(rest)),
        // Not the separator of the grammar, but no other scheme either: a malformed credential.
        Some(b'\t') => Some(rest),
        Some(_) => None,
    }
}

fn trim_spaces(mut text: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] | [rest @ .., b' '] = text {
        text = rest;
    }
    text
}

fn in_query<'r>(
    location: &TokenLocation,
    request: &'r dyn RequestView,
    visit: &mut impl FnMut(Found<'r>),
) {
    let Some(query) = request.query() else { return };
    let mut start = 0_usize;
    for parameter in query.split('&') {
        let range = start..start.saturating_add(parameter.len());
        start = range.end.saturating_add(1);
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if is_named(name, &location.name) {
            let value: Cow<'r, [u8]> = percent_decode_str(value).into();
            let content = read(location, value);
            visit(Found { position: Position { field: 0, range }, content });
        }
    }
}

/// Compares a parameter's name as the next reader of the query will: percent-decoded.
fn is_named(encoded: &str, name: &str) -> bool {
    if encoded.contains('%') {
        percent_decode_str(encoded).eq(name.bytes())
    } else {
        encoded == name
    }
}

/// Reads cookies ([RFC 6265 §4.2.1]). HTTP/2 may send them in several fields.
///
/// [RFC 6265 §4.2.1]: https://www.rfc-editor.org/rfc/rfc6265#section-4.2.1
fn in_cookies<'r>(
    location: &TokenLocation,
    request: &'r dyn RequestView,
    visit: &mut impl FnMut(Found<'r>),
) {
    let mut field = 0_usize;
    request.field_values("cookie", &mut |value| {
        for (range, cookie) in elements(value, b';') {
            let Some(text) = cookie_value(cookie, &location.name) else { continue };
            visit(Found { position: Position { field, range }, content: read(location, text) });
        }
        field = field.saturating_add(1);
    });
}

fn cookie_value<'c>(cookie: &'c [u8], name: &str) -> Option<&'c [u8]> {
    cookie.strip_prefix(name.as_bytes())?.strip_prefix(b"=").map(unquoted)
}

/// Takes one pair of double quotes off, which a cookie's value may have.
fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    }
}

/// Reads the subprotocol that follows the one of the location's name ([RFC 6455 §11.3.4]): the fields
/// make one list, whose empty elements do not count ([RFC 9110 §5.6.1.2]).
///
/// [RFC 6455 §11.3.4]: https://www.rfc-editor.org/rfc/rfc6455#section-11.3.4
/// [RFC 9110 §5.6.1.2]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1.2
fn in_web_socket_protocols<'r>(
    location: &TokenLocation,
    request: &'r dyn RequestView,
    visit: &mut impl FnMut(Found<'r>),
) {
    let (mut field, mut follows) = (0_usize, false);
    request.field_values(WEB_SOCKET_PROTOCOL, &mut |value| {
        for (range, protocol) in elements(value, b',').filter(|(_, text)| !text.is_empty()) {
            if follows {
                let content = read(location, protocol);
                visit(Found { position: Position { field, range }, content });
            }
            follows = !follows && protocol == location.name.as_bytes();
        }
        field = field.saturating_add(1);
    });
    // The name alone is a credential that is missing, like `Bearer` alone.
    if follows {
        visit(Found {
            position: Position { field, range: 0..0 },
            content: read(location, &b""[..]),
        });
    }
}

/// Returns the elements of a list without the white space around them, and the bytes of each.
pub(super) fn elements(list: &[u8], separator: u8) -> impl Iterator<Item = (Range<usize>, &[u8])> {
    let mut start = 0_usize;
    list.split(move |&byte| byte == separator).map(move |element| {
        let range = start..start.saturating_add(element.len());
        start = range.end.saturating_add(1);
        (range, element.trim_ascii())
    })
}

/// Reads the text of an element: takes the prefix off that the location has.
#[inline]
pub(super) fn read<'r>(location: &TokenLocation, text: impl Into<Cow<'r, [u8]>>) -> Content<'r> {
    match without_prefix(location, BearerToken::from_bytes(text)) {
        Content::Token(token) if token.as_bytes().is_empty() => Content::Empty,
        content => content,
    }
}

#[inline]
fn without_prefix<'r>(location: &TokenLocation, token: BearerToken<'r>) -> Content<'r> {
    let Some(prefix) = &location.prefix else { return Content::Token(token) };
    if token.as_bytes().starts_with(prefix.text.as_bytes()) {
        return Content::Token(token.without_prefix(&prefix.text, prefix.repeated));
    }
    Content::Foreign
}
