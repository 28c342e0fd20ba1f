//! Optional mode: requests *without* credentials go through, bad ones never do.

use portcullis::{TokenLocation, policy::scope};

use super::{World, built, caller, unentitled};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::Request,
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    let paved = || TokenLocation::header_query_cookie("access_token");
    let optional = world
        .configuration("optional", move |builder| built(builder.locations(paved())).optional());
    let needing = world.configuration("optional, and a scope", move |builder| {
        built(builder.locations(paved())).optional().require(scope("orders:read"))
    });
    let mut all = cases(&optional, without_credentials());
    all.extend(cases(&optional, with_credentials(world)));
    let token = world.token_of("alice");
    let bob = world.token().subject("bob").without_claim("scope").build();
    all.extend(cases(
        &needing,
        [
            ("nobody", Request::new(), Answer::rejected("no_credentials")),
            (
                "another scheme",
                Request::new().authorization("Basic x"),
                Answer::rejected("no_credentials"),
            ),
            ("alice", Request::new().bearer(&token), Answer::accepted(caller("alice"))),
            (
                "bob without the scope",
                Request::new().bearer(&bob),
                Answer::rejected("insufficient_scope").parameter("scope", "orders:read"),
            ),
            (
                "an empty token",
                Request::new().authorization("Bearer"),
                Answer::rejected("malformed_request"),
            ),
        ],
    ));
    let partner = world.setting.partner.token().audience("orders").build();
    all.extend(cases(
        &optional,
        [
            (
                "a scope of nothing",
                Request::new().bearer(&bob),
                Answer::accepted(unentitled("bob")),
            ),
            (
                "a token of an issuer that is not trusted",
                Request::new().bearer(&partner),
                Answer::rejected("untrusted_issuer"),
            ),
        ],
    ));
    all
}

fn without_credentials() -> Vec<(&'static str, Request, Answer)> {
    let anonymous = Answer::anonymous;
    vec![
        ("nothing", Request::new(), anonymous()),
        ("another scheme", Request::new().authorization("Basic YTpi"), anonymous()),
        ("an empty field", Request::new().authorization(""), anonymous()),
        ("other cookies", Request::new().cookie("a=1; b=2"), anonymous()),
        ("another query", Request::new().query("a=1"), anonymous().seeing("a=1")),
        ("HEAD", Request::new().method("HEAD"), anonymous().for_method("HEAD")),
        ("POST", Request::new().method("POST"), anonymous().for_method("POST")),
    ]
}

fn with_credentials(world: &World) -> Vec<(&'static str, Request, Answer)> {
    let new = Request::new;
    let rejected = Answer::rejected;
    let token = world.token_of("alice");
    let alice = || Answer::accepted(caller("alice"));
    let expired = world.token().expired().build();
    let pair = |token: &str| format!("access_token={token}");
    vec![
        ("a good header", new().bearer(&token), alice()),
        ("a good query", new().query(pair(&token)), alice().no_store()),
        ("a good cookie", new().cookie(pair(&token)), alice()),
        ("an expired header", new().bearer(&expired), rejected("token_expired")),
        ("an expired query", new().query(pair(&expired)), rejected("token_expired").no_store()),
        ("an expired cookie", new().cookie(pair(&expired)), rejected("token_expired")),
        ("the scheme alone", new().authorization("Bearer"), rejected("malformed_request")),
        ("an empty query", new().query(pair("")), rejected("malformed_request").no_store()),
        ("an empty cookie", new().cookie(pair("")), rejected("malformed_request")),
        ("no JWT", new().bearer("x"), rejected("malformed_token")),
        ("two tokens", new().bearer(&token).bearer(&token), rejected("multiple_tokens")),
        (
            "two fields of another scheme",
            new().authorization("Basic x").authorization("Basic y"),
            rejected("multiple_tokens"),
        ),
    ]
}
