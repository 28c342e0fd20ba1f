//! Tokens from cookies in requests that another site caused.

use portcullis::{AuthenticatorBuilder, MultipleTokens, TokenLocation};

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::Request,
    setup::Setup,
};

const OWN: &str = "https://api.test";
const ALLOWED: &str = "https://app.test";
const OTHER: &str = "https://evil.test";

pub(super) fn rows(world: &World) -> Vec<Case> {
    [table(world), locations(world), settings(world)].concat()
}

fn checking(builder: AuthenticatorBuilder) -> AuthenticatorBuilder {
    let locations = TokenLocation::header_query_cookie("access_token");
    builder.locations(locations).public_origin(OWN).allowed_origins([ALLOWED])
}

fn site(request: Request, origin: Option<&str>, site: Option<&str>) -> Request {
    let request = match origin {
        Some(origin) => request.field("origin", origin),
        None => request,
    };
    match site {
        Some(site) => request.field("sec-fetch-site", site),
        None => request,
    }
}

fn verdict(is_accepted: bool) -> Answer {
    verdict_on("POST", is_accepted)
}

fn verdict_on(method: &str, is_accepted: bool) -> Answer {
    let answer = match is_accepted {
        true => Answer::accepted(caller("alice")),
        false => Answer::rejected("cross_site_request"),
    };
    answer.for_method(method)
}

/// The locations of a token. The check is about the cookie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Location {
    Cookie,
    Header,
    Query,
}

/// A WebSocket handshake, beside the methods.
const HANDSHAKE: &str = "a WebSocket handshake";

/// Each method, and a WebSocket handshake, with each origin, each value of `Sec-Fetch-Site` and each location.
fn table(world: &World) -> Vec<Case> {
    let configuration =
        world.configuration("a cookie and its origin", |builder| built(checking(builder)));
    let token = world.token_of("alice");
    let with_token = |request: Request, location| match location {
        Location::Cookie => request.cookie(format!("access_token={token}")),
        Location::Header => request.bearer(&token),
        Location::Query => request.query(format!("access_token={token}")),
    };
    let mut rows = Vec::new();
    for method in ["POST", "PUT", "PATCH", "DELETE", "GET", "HEAD", "OPTIONS", HANDSHAKE] {
        for location in [Location::Cookie, Location::Header, Location::Query] {
            for (origin, fetch) in origins() {
                let is_safe = matches!(method, "GET" | "HEAD" | "OPTIONS");
                let is_accepted = is_safe
                    || location != Location::Cookie
                    || origin == Some(ALLOWED)
                    || match fetch {
                        Some(fetch) => fetch == "same-origin" || fetch == "none",
                        None => origin.is_none() || origin == Some(OWN),
                    };
                let request = match method {
                    HANDSHAKE => Request::new().field("upgrade", "websocket").http1_only(),
                    // gRPC has one method, POST, and HTTP/2 only.
                    _ if is_safe => Request::new().method(method).http1_only(),
                    _ => Request::new().method(method),
                };
                let request = with_token(site(request, origin, fetch), location);
                let of = if method == HANDSHAKE { "GET" } else { method };
                let answer = verdict_on(of, is_accepted);
                let answer = if location == Location::Query { answer.no_store() } else { answer };
                rows.push((
                    format!("{method}, {location:?}, {origin:?}, {fetch:?}"),
                    request,
                    answer,
                ));
            }
        }
    }
    cases(&configuration, rows)
}

/// Each origin with each value of `Sec-Fetch-Site`.
fn origins() -> impl Iterator<Item = (Option<&'static str>, Option<&'static str>)> {
    let fetches = [None, Some("same-origin"), Some("none"), Some("same-site"), Some("cross-site")];
    let origins = [None, Some(OWN), Some(ALLOWED), Some(OTHER), Some("null")];
    origins.into_iter().flat_map(move |origin| fetches.map(|fetch| (origin, fetch)))
}

/// The check is about cookies, wherever else a token may be.
fn locations(world: &World) -> Vec<Case> {
    let token = world.token_of("alice");
    let cookie = format!("access_token={token}");
    let post = || site(Request::new().method("POST"), Some(OTHER), Some("cross-site"));
    let query = format!("access_token={token}");
    let mut rows = cases(
        &world.configuration("locations and their origin", |builder| built(checking(builder))),
        [
            ("the token in a header field", post().bearer(&token), verdict(true)),
            ("the token in the query", post().query(query), verdict(true).no_store()),
            (
                "both, where the cookie is not read",
                post().bearer(&token).cookie(&*cookie),
                verdict(true),
            ),
            ("another cookie", post().cookie("a=1"), Answer::rejected("no_credentials")),
            (
                "a bad token in the cookie",
                post().cookie("access_token=x"),
                Answer::rejected("cross_site_request"),
            ),
            (
                "a WebSocket handshake",
                site(Request::new(), Some(OTHER), None)
                    .cookie(&*cookie)
                    .field("upgrade", "websocket")
                    .http1_only(),
                verdict_on("GET", false),
            ),
            (
                "a WebSocket handshake of an allowed page",
                site(Request::new(), Some(ALLOWED), None)
                    .cookie(&*cookie)
                    .field("upgrade", "websocket")
                    .http1_only(),
                verdict_on("GET", true),
            ),
        ],
    );
    for several in [MultipleTokens::First, MultipleTokens::All] {
        let name = format!("the origin, {several:?}");
        let configuration = world.configuration(&name, move |builder| {
            let cookie_first = [TokenLocation::cookie("access_token"), TokenLocation::bearer()];
            built(checking(builder).locations(cookie_first).multiple_tokens(several))
        });
        let both = post().cookie(&*cookie).bearer(&token);
        rows.extend(cases(
            &configuration,
            [
                ("the cookie", post().cookie(&*cookie), verdict(false)),
                ("the cookie and a header field", both, verdict(false)),
                ("a header field", post().bearer(&token), verdict(true)),
            ],
        ));
    }
    let custom = world.configuration("a cookie inside a custom location", |builder| {
        let sources = [TokenLocation::cookie("access_token")];
        let custom = TokenLocation::custom("cookie", sources, |values| {
            Ok(values.first().copied().flatten().map(str::to_owned))
        });
        built(checking(builder).locations([custom]))
    });
    rows.extend(cases(&custom, [("another site", post().cookie(&*cookie), verdict(false))]));
    rows
}

fn settings(world: &World) -> Vec<Case> {
    let cookie = format!("access_token={}", world.token_of("alice"));
    let post = |origin, fetch| site(Request::new().method("POST").cookie(&*cookie), origin, fetch);
    let off = world.configuration("no check of the origin", |builder| {
        built(checking(builder).dangerous_without_origin_check())
    });
    let optional = world.configuration("an optional cookie and its origin", |builder| -> Setup {
        built(checking(builder)).optional()
    });
    let other = || post(Some(OTHER), Some("cross-site"));
    let mut rows = cases(&off, [("another site", other(), verdict(true))]);
    rows.extend(cases(
        &optional,
        [
            ("another site", other(), verdict(false)),
            ("the own site", post(Some(OWN), Some("same-origin")), verdict(true)),
        ],
    ));
    rows
}
