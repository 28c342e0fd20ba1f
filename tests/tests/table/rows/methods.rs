//! Every method, and the preflights of browsers.

use portcullis::{TokenLocation, policy::scope};

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::Request,
};

const METHODS: [&str; 8] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PURGE"];

pub(super) fn rows(world: &World) -> Vec<Case> {
    [judged(world), preflights(world)].concat()
}

/// A method changes nothing, but for `HEAD`, whose answer is all but the body.
fn judged(world: &World) -> Vec<Case> {
    let needing = world.requiring("any method", [scope("orders:read")]);
    let good = world.token_of("alice");
    let expired = world.token().expired().build();
    let poor = world.token().without_claim("scope").build();
    let rows = METHODS.into_iter().flat_map(|method| {
        let insufficient = Answer::rejected("insufficient_scope").parameter("scope", "orders:read");
        let new = || Request::new().method(method);
        let rows = [
            ("accepted", new().bearer(&good), Answer::accepted(caller("alice"))),
            ("nothing", new(), Answer::rejected("no_credentials")),
            ("an expired token", new().bearer(&expired), Answer::rejected("token_expired")),
            ("two tokens", new().bearer(&good).bearer(&good), Answer::rejected("multiple_tokens")),
            ("too few rights", new().bearer(&poor), insufficient),
        ];
        rows.map(|(name, request, answer)| {
            (format!("{method}, {name}"), request, answer.for_method(method))
        })
    });
    cases(&needing, rows)
}

fn preflights(world: &World) -> Vec<Case> {
    let passed = world.configuration("preflights pass", |builder| {
        let setup = built(builder.locations(TokenLocation::header_query_cookie("access_token")));
        setup.pass_preflight().require(scope("orders:read"))
    });
    let judged = world.requiring("preflights are judged", [scope("orders:read")]);
    let token = world.token_of("alice");
    let origin = |method| Request::new().method(method).field("origin", "https://app.test");
    let preflight = |method| origin(method).field("access-control-request-method", "PUT");
    let anonymous = || Answer::anonymous().for_method("OPTIONS");
    let nothing = || Answer::rejected("no_credentials");
    let mut all = cases(
        &passed,
        [
            ("a preflight", preflight("OPTIONS"), anonymous()),
            ("a preflight with a token", preflight("OPTIONS").bearer(&token), anonymous()),
            ("a preflight with a bad token", preflight("OPTIONS").bearer("x"), anonymous()),
            (
                "a preflight with a token in the query",
                preflight("OPTIONS").query(format!("a=1&access_token={token}")),
                anonymous().seeing("a=1").no_store(),
            ),
            ("OPTIONS", Request::new().method("OPTIONS"), nothing()),
            ("OPTIONS with an origin alone", origin("OPTIONS"), nothing()),
            (
                "OPTIONS without an origin",
                Request::new().method("OPTIONS").field("access-control-request-method", "PUT"),
                nothing(),
            ),
            (
                "OPTIONS with a token",
                Request::new().method("OPTIONS").bearer(&token),
                Answer::accepted(caller("alice")).for_method("OPTIONS"),
            ),
            ("the fields of a preflight, and GET", preflight("GET"), nothing()),
            ("the fields of a preflight, and POST", preflight("POST"), nothing()),
            (
                "the fields of a preflight, and HEAD",
                preflight("HEAD"),
                nothing().for_method("HEAD"),
            ),
        ],
    );
    all.extend(cases(
        &judged,
        [
            ("a preflight", preflight("OPTIONS"), nothing()),
            (
                "a preflight with a bad token",
                preflight("OPTIONS").bearer("x"),
                Answer::rejected("malformed_token"),
            ),
        ],
    ));
    all
}
