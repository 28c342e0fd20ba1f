//! `[extract]`: where in a request the token is.

use portcullis::{AuthenticatorBuilder, MultipleTokens, TokenLocation};

use crate::{
    apply::Applying,
    mistakes::Mistakes,
    section::{PlaceEntry, Section},
    table::{
        Apply::{Flag, Text, Together, Word},
        Kind, REQUIRED, Table, rows,
    },
};

/// The kinds of token locations.
pub(crate) const PLACES: &[&str] = &["header", "query", "cookie", "web_socket_protocol"];

/// The parameter, cookie and subprotocol, unless they are named.
const ACCESS_TOKEN: &str = "access_token";

pub(crate) static EXTRACT: Table<AuthenticatorBuilder> = Table {
    rows: rows! {
        places: Together(Kind::Places(&PLACE)), "[\"header\"]",
            "The places in order, each by its name or as a table";
        query: Together(Kind::Text), ACCESS_TOKEN,
            "The query parameter of the place `query`";
        cookie: Together(Kind::Text), ACCESS_TOKEN,
            "The cookie of the place `cookie`";
        web_socket_protocol: Together(Kind::Text), ACCESS_TOKEN,
            "The subprotocol before the token, of the place `web_socket_protocol`";
        several: Word(&["refuse", "first", "all"], multiple_tokens), "refuse",
            "More than one token: two explicit ones are an error, and a cookie yields to an \
             explicit one; or the first counts; or all must be good";
        remove_tokens: Flag(AuthenticatorBuilder::remove_tokens), "false",
            "Takes tokens out of header fields and cookies too before handlers see the request; \
             trailers are not changed";
    },
    check,
};

static PLACE: Table<TokenLocation> = Table {
    rows: rows! {
        kind: Together(Kind::Word(PLACES)), REQUIRED,
            "Which part of the request";
        name: Together(Kind::Text), "`authorization`, or `access_token`",
            "The header field, query parameter, cookie or subprotocol";
        scheme: Together(Kind::Text), "`Bearer` for `authorization`, else none",
            "The scheme before the token in a header field";
        prefix: Together(Kind::Text), "none",
            "What the token has in front of it in this place; it is taken off";
        exact_scheme: Together(Kind::Flag), "false",
            "The scheme counts letter by letter, with one space behind it";
        // Changes the prefix, which is set before the rows are applied.
        dangerous_repeated_prefix: Flag(TokenLocation::dangerous_repeated_prefix), "false",
            "Takes the prefix off as often as it is there";
        issuer: Text(TokenLocation::of_issuer), "any",
            "The only issuer, or the only `name`, whose tokens the place may hold";
    },
    check: check_place,
};

#[expect(clippy::needless_pass_by_value, reason = "a row passes its value on")]
fn multiple_tokens(builder: AuthenticatorBuilder, several: String) -> AuthenticatorBuilder {
    builder.multiple_tokens(match several.as_str() {
        "first" => MultipleTokens::First,
        "all" => MultipleTokens::All,
        _ => MultipleTokens::Reject,
    })
}

fn check(section: &Section, mistakes: &mut Mistakes) {
    let is_used = |kind: &str| {
        let mut entries = section.places("places").into_iter().flatten();
        entries.any(|entry| matches!(entry, PlaceEntry::Named(name) if name == kind))
    };
    for kind in ["query", "cookie", "web_socket_protocol"] {
        if section.has(kind) && !is_used(kind) && !section.lacks_values() {
            let message = format!("no place is `{kind}`, so it means nothing");
            mistakes.add(section.path_of(kind), message, format!("add {kind:?} to `places`"));
        }
    }
}

fn check_place(section: &Section, mistakes: &mut Mistakes) {
    let mut lacks = |key: &str, needed: &str| {
        if section.lacks_values() {
            return;
        }
        let message = format!("there is no `{needed}`, so it means nothing");
        mistakes.add(section.path_of(key), message, "add one");
    };
    let has_scheme = section.has("scheme") || is_authorization(section);
    if section.flag("exact_scheme") && !has_scheme {
        lacks("exact_scheme", "scheme");
    }
    if section.flag("dangerous_repeated_prefix") && !section.has("prefix") {
        lacks("dangerous_repeated_prefix", "prefix");
    }
}

/// Returns whether a location is the header field that has the scheme `Bearer` by default.
fn is_authorization(section: &Section) -> bool {
    let name = section.text("name").unwrap_or("authorization");
    section.text("kind") == Some("header") && name.eq_ignore_ascii_case("authorization")
}

pub(crate) fn apply(
    builder: AuthenticatorBuilder,
    section: &Section,
    applying: &Applying<'_>,
) -> AuthenticatorBuilder {
    let builder = EXTRACT.apply(builder, section, applying);
    let Some(places) = section.places("places") else { return builder };
    builder.locations(places.iter().map(|entry| match entry {
        PlaceEntry::Named(kind) => location(kind, section.text(kind)),
        PlaceEntry::Detailed(place) => detailed(place, applying),
    }))
}

/// Returns the location of a kind, where the default names are not replaced.
fn location(kind: &str, name: Option<&str>) -> TokenLocation {
    match kind {
        "query" => TokenLocation::query(name.unwrap_or(ACCESS_TOKEN)),
        "cookie" => TokenLocation::cookie(name.unwrap_or(ACCESS_TOKEN)),
        "web_socket_protocol" => TokenLocation::web_socket_protocol(name.unwrap_or(ACCESS_TOKEN)),
        _ => match name {
            Some(name) if !name.eq_ignore_ascii_case("authorization") => {
                TokenLocation::header(name)
            }
            name => TokenLocation::header(name.unwrap_or("authorization")).scheme("Bearer"),
        },
    }
}

fn detailed(section: &Section, applying: &Applying<'_>) -> TokenLocation {
    let mut location = location(section.text("kind").unwrap_or_default(), section.text("name"));
    let bearer = is_authorization(section).then_some("Bearer");
    if let Some(scheme) = section.text("scheme").or(bearer) {
        location = match section.flag("exact_scheme") {
            true => location.exact_scheme(scheme),
            false => location.scheme(scheme),
        };
    }
    if let Some(prefix) = section.text("prefix") {
        location = location.prefix(prefix);
    }
    PLACE.apply(location, section, applying)
}
