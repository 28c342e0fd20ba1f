//! What may stand in one `Authorization` field ([RFC 9110 §11.4], [RFC 6750 §2.1]).
//!
//! [RFC 9110 §11.4]: https://www.rfc-editor.org/rfc/rfc9110#section-11.4
//! [RFC 6750 §2.1]: https://www.rfc-editor.org/rfc/rfc6750#section-2.1

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::Request,
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    let configuration = world.configuration("Authorization", built);
    let token = world.token_of("alice");
    let alice = || Answer::accepted(caller("alice"));
    let good = [
        ("the scheme as registered", format!("Bearer {token}")),
        ("the scheme in lower case", format!("bearer {token}")),
        ("the scheme in upper case", format!("BEARER {token}")),
        ("the scheme in mixed case", format!("bEaReR {token}")),
        ("two spaces", format!("Bearer  {token}")),
        ("many spaces", format!("Bearer{}{token}", " ".repeat(64))),
    ];
    let bad = [
        ("nothing at all", String::new(), "no_credentials"),
        ("the token alone", token.clone(), "no_credentials"),
        ("no space", format!("Bearer{token}"), "no_credentials"),
        ("an equals sign for the space", format!("Bearer={token}"), "no_credentials"),
        ("a colon for the space", format!("Bearer:{token}"), "no_credentials"),
        ("Basic", "Basic YWxpY2U6c2VjcmV0".to_owned(), "no_credentials"),
        ("Basic, with our token", format!("Basic {token}"), "no_credentials"),
        ("DPoP", format!("DPoP {token}"), "no_credentials"),
        ("a scheme that begins like ours", format!("BearerX {token}"), "no_credentials"),
        ("a scheme that ends like ours", format!("XBearer {token}"), "no_credentials"),
        ("another scheme before ours", format!("Basic x, Bearer {token}"), "no_credentials"),
        ("the scheme alone", "Bearer".to_owned(), "malformed_request"),
        ("a tab for the space", format!("Bearer\t{token}"), "malformed_request"),
        ("a space and a tab", format!("Bearer \t{token}"), "malformed_request"),
        ("two tokens", format!("Bearer {token} {token}"), "malformed_request"),
        ("two tokens, and a comma", format!("Bearer {token}, {token}"), "malformed_request"),
        ("another scheme after ours", format!("Bearer {token}, Basic x"), "malformed_request"),
        ("a comma at the end", format!("Bearer {token},"), "malformed_request"),
        ("quotes", format!("Bearer \"{token}\""), "malformed_request"),
        ("a parameter", format!("Bearer token={token}"), "malformed_request"),
        ("the scheme twice", format!("Bearer Bearer {token}"), "malformed_request"),
        ("padding alone", "Bearer ==".to_owned(), "malformed_request"),
        ("no JWT", "Bearer abc".to_owned(), "malformed_token"),
        ("three letters for segments", "Bearer a.b.c".to_owned(), "malformed_token"),
        ("two segments", "Bearer e30.e30".to_owned(), "malformed_token"),
        ("four segments", format!("Bearer {token}.e30"), "malformed_token"),
        ("padding after the signature", format!("Bearer {token}="), "malformed_token"),
    ];
    let request = |value: String| Request::new().authorization(value);
    let rows = good
        .map(|(name, value)| (name, request(value), alice()))
        .into_iter()
        .chain(bad.map(|(name, value, code)| (name, request(value), Answer::rejected(code))));
    let mut all = cases(&configuration, rows);
    all.extend(cases(&configuration, bytes(&token)));
    all
}

/// Bytes that no text of ASCII has, and what only HTTP/1.1 can say.
fn bytes(token: &str) -> Vec<(&'static str, Request, Answer)> {
    let alice = || Answer::accepted(caller("alice"));
    let rejected = Answer::rejected;
    let with = |value: &[u8]| Request::new().authorization([b"Bearer ", value].concat());
    let value = format!("Bearer {token}");
    vec![
        (
            "a byte that is no ASCII",
            with(&[token.as_bytes(), b"\xff"].concat()),
            rejected("malformed_request"),
        ),
        ("UTF-8", with("tökén".as_bytes()), rejected("malformed_request")),
        ("bytes that are no UTF-8", with(b"\x80\xfe\xff"), rejected("malformed_request")),
        (
            "a scheme that is no ASCII",
            Request::new().authorization("Bëarer x"),
            rejected("no_credentials"),
        ),
        (
            "the name in upper case",
            Request::new().field("AUTHORIZATION", value.clone()).http1_only(),
            alice(),
        ),
        (
            "spaces and tabs around the value",
            Request::new().authorization(format!(" \t {value} \t ")).http1_only(),
            alice(),
        ),
        (
            "the scheme and a space alone",
            Request::new().authorization("Bearer ").http1_only(),
            rejected("malformed_request"),
        ),
        (
            "a field of another name",
            Request::new().field("proxy-authorization", value.clone()),
            rejected("no_credentials"),
        ),
        (
            "a field with an underscore",
            Request::new().field("x_authorization", value),
            rejected("no_credentials"),
        ),
    ]
}
