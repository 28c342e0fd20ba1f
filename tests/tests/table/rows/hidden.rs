//! Tokens that handlers do not see: those of WebSocket subprotocols never, those of fields and
//! cookies where the engine is told so.

use portcullis::TokenLocation;

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::Request,
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    [web_sockets(world), removed(world)].concat()
}

const PROTOCOL: &str = "sec-websocket-protocol";

fn web_sockets(world: &World) -> Vec<Case> {
    let configuration = world.configuration("WebSocket", |builder| {
        built(builder.locations([
            TokenLocation::bearer(),
            TokenLocation::web_socket_protocol("access_token"),
        ]))
    });
    let token = world.token_of("alice");
    let alice = |left: &str| Answer::accepted(caller("alice")).seeing_fields(&[(PROTOCOL, left)]);
    let rejected = Answer::rejected;
    let with = |value: &str| Request::new().field(PROTOCOL, value);
    let pair = format!("access_token, {token}");
    cases(
        &configuration,
        [
            ("alone", with(&pair), alice("access_token")),
            ("before others", with(&format!("{pair}, chat")), alice("access_token, chat")),
            ("after others", with(&format!("chat,v2,{pair}")), alice("chat, v2, access_token")),
            ("no spaces", with(&format!("access_token,{token},chat")), alice("access_token, chat")),
            ("in two fields", with("access_token").field(PROTOCOL, &*token), alice("access_token")),
            ("others alone", with("chat, v2"), rejected("no_credentials")),
            ("a token alone", with(&token), rejected("no_credentials")),
            (
                "the name in upper case",
                with(&format!("ACCESS_TOKEN, {token}")),
                rejected("no_credentials"),
            ),
            ("no token", with("access_token"), rejected("malformed_request")),
            ("an empty token", with("access_token, ,"), rejected("malformed_request")),
            ("twice", with(&format!("{pair}, {pair}")), rejected("multiple_tokens")),
            ("beside a header", with(&pair).bearer(&token), rejected("multiple_tokens")),
            ("a header alone", with("chat").bearer(&token), Answer::accepted(caller("alice"))),
        ],
    )
}

fn removed(world: &World) -> Vec<Case> {
    let configuration = world.configuration("tokens are removed", |builder| {
        let places = [
            TokenLocation::bearer(),
            TokenLocation::header("x-api-key"),
            TokenLocation::query("access_token"),
            TokenLocation::cookie("session"),
        ];
        built(builder.locations(places).remove_tokens()).optional()
    });
    let token = world.token_of("alice");
    let alice = || Answer::accepted(caller("alice"));
    let cookie = |text: String| Request::new().cookie(text);
    let session = format!("session={token}");
    cases(
        &configuration,
        [
            ("a field", Request::new().bearer(&token), alice().seeing_fields(&[])),
            ("a raw field", Request::new().field("x-api-key", &*token), alice().seeing_fields(&[])),
            ("a cookie", cookie(session.clone()), alice().seeing_fields(&[])),
            (
                "a cookie among others",
                cookie(format!("a=1; {session}; b=2")),
                alice().seeing_fields(&[("cookie", "a=1; b=2")]),
            ),
            (
                "a cookie that does not count",
                Request::new().bearer(&token).cookie(format!("a=1; {session}")),
                alice().seeing_fields(&[("cookie", "a=1")]),
            ),
            (
                "a query",
                Request::new().query(format!("access_token={token}&a=1")),
                alice().seeing("a=1").no_store(),
            ),
            (
                "another scheme stays",
                Request::new().authorization("Basic YTpi"),
                Answer::anonymous(),
            ),
            ("other cookies stay", cookie("a=1; sessions=2".to_owned()), Answer::anonymous()),
        ],
    )
}
