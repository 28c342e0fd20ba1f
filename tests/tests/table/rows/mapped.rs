//! Layers that answer as another system does.

use portcullis::{AuthErrorKind, TokenLocation, policy::scope};

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::Request,
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    [forbidden(world), failed(world)].concat()
}

/// Every bad token is 403 without a challenge, as Airflow answers.
fn forbidden(world: &World) -> Vec<Case> {
    let configuration = world.configuration("bad tokens are 403", |builder| {
        let setup = built(builder).require(scope("orders:write"));
        setup.map_challenge(|challenge, error| match error.kind() {
            AuthErrorKind::NoCredentials => challenge,
            AuthErrorKind::InsufficientScope => challenge.with_status(404),
            _ => challenge.with_status(403).without_www_authenticate(),
        })
    });
    let insufficient = Answer::rejected("insufficient_scope").parameter("scope", "orders:write");
    let bad = |code| Answer::rejected(code).with_status(403).without_challenge();
    cases(
        &configuration,
        [
            ("nothing", Request::new(), Answer::rejected("no_credentials")),
            ("no JWT", Request::new().bearer("x"), bad("malformed_token")),
            (
                "an expired token",
                Request::new().bearer(&world.token().expired().build()),
                bad("token_expired"),
            ),
            ("two tokens", Request::new().bearer("x").bearer("y"), bad("multiple_tokens")),
            (
                "too few rights",
                Request::new().bearer(&world.token_of("alice")),
                insufficient.with_status(404),
            ),
        ],
    )
}

/// Failed credentials are let through, and the handler sees what was wrong.
fn failed(world: &World) -> Vec<Case> {
    let all = world.configuration("failures pass", |builder| {
        built(builder.locations(TokenLocation::header_query_cookie("access_token")))
            .dangerous_admit_failed()
    });
    let needing = world.configuration("failures pass, and a scope", |builder| {
        built(builder).dangerous_admit_failed().require(scope("orders:read"))
    });
    let token = world.token_of("alice");
    let expired = world.token().expired().build();
    let new = Request::new;
    let alice = || Answer::accepted(caller("alice"));
    let mut rows = cases(
        &all,
        [
            ("nothing", new(), Answer::anonymous()),
            ("a good token", new().bearer(&token), alice()),
            ("an expired token", new().bearer(&expired), Answer::failed("token_expired")),
            ("no JWT", new().bearer("x"), Answer::failed("malformed_token")),
            (
                "the scheme alone",
                new().authorization("Bearer"),
                Answer::failed("malformed_request"),
            ),
            ("two tokens", new().bearer(&token).bearer(&token), Answer::failed("multiple_tokens")),
            (
                "an expired token in the query",
                new().query(format!("access_token={expired}&a=1")),
                Answer::failed("token_expired").seeing("a=1").no_store(),
            ),
        ],
    );
    rows.extend(cases(
        &needing,
        [
            ("nothing", new(), Answer::rejected("no_credentials")),
            ("a good token", new().bearer(&token), alice()),
            ("an expired token", new().bearer(&expired), Answer::rejected("token_expired")),
            (
                "two tokens",
                new().bearer(&token).bearer(&token),
                Answer::rejected("multiple_tokens"),
            ),
        ],
    ));
    rows
}
