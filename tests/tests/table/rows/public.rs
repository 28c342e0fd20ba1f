//! A route that is declared public admits every request, in production too. The route alone decides.

use portcullis::TokenLocation;

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::Request,
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    let places = || TokenLocation::header_query_cookie("access_token");
    let configurations = [
        world.configuration("public", move |builder| built(builder.locations(places()))),
        world.configuration("public, in production", move |builder| {
            built(builder.locations(places()).production())
        }),
        world.configuration("public, in production with optional credentials", move |builder| {
            built(builder.locations(places()).production().optional_credentials())
        }),
    ];
    let rows = configurations.map(|configuration| cases(&configuration.public(), requests(world)));
    rows.concat()
}

fn requests(world: &World) -> Vec<(&'static str, Request, Answer)> {
    let new = Request::new;
    let token = world.token_of("alice");
    let expired = world.token().expired().build();
    let forged = world.setting.attacker.token().audience("orders").build();
    let elsewhere = || Request::new().path("/tenants/acme/orders");
    vec![
        ("nothing", new(), Answer::anonymous()),
        ("a good token", new().bearer(&token), Answer::accepted(caller("alice"))),
        ("an expired token", new().bearer(&expired), Answer::failed("token_expired")),
        ("a forged token", new().bearer(&forged), Answer::failed("signature_mismatch")),
        ("no JWT", new().bearer("x"), Answer::failed("malformed_token")),
        ("the scheme alone", new().authorization("Bearer"), Answer::failed("malformed_request")),
        ("two tokens", new().bearer(&token).bearer(&token), Answer::failed("multiple_tokens")),
        (
            "an expired token in the query",
            new().query(format!("a=1&access_token={expired}")),
            Answer::failed("token_expired").seeing("a=1").no_store(),
        ),
        ("nothing, on another route", elsewhere(), Answer::rejected("no_credentials")),
        (
            "an expired token, on another route",
            elsewhere().bearer(&expired),
            Answer::rejected("token_expired"),
        ),
    ]
}
