//! Tokens that handlers do not see: those of WebSocket subprotocols never, those of fields and
//! cookies where the engine is told so.

use portcullis::Place;

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
        built(builder.places([Place::bearer(), Place::web_socket_protocol("access_token")]))
    });
    let token = world.token_of("alice");
    let alice = |left: &str| Answer::accepted(caller("alice")).seeing_fields(&[(PROTOCOL, left)]);
    let refused = Answer::refused;
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
            ("others alone", with("chat, v2"), refused("no_credentials")),
            ("a token alone", with(&token), refused("no_credentials")),
            (
                "the name in upper case",
                with(&format!("ACCESS_TOKEN, {token}")),
                refused("no_credentials"),
            ),
            ("no token", with("access_token"), refused("malformed_request")),
            ("an empty token", with("access_token, ,"), refused("malformed_request")),
            ("twice", with(&format!("{pair}, {pair}")), refused("multiple_tokens")),
            ("beside a header", with(&pair).bearer(&token), refused("multiple_tokens")),
            ("a header alone", with("chat").bearer(&token), Answer::accepted(caller("alice"))),
        ],
    )
}

fn removed(world: &World) -> Vec<Case> {
    let configuration = world.configuration("tokens are removed", |builder| {
        let places = [
            Place::bearer(),
            Place::header("x-api-key"),
            Place::query("access_token"),
            Place::cookie("session"),
        ];
        built(builder.places(places).remove_tokens()).optional()
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
