//! A layer inside of one whose engine makes grants of another type: the verdict of the inner layer replaces
//! that of the outer one.

use conformance::trusting;
use portcullis::{Authenticator, Requirement, TokenLocation, policy::scope};

use super::{World, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::Request,
    setup::{Configuration, OtherGrant, Setup},
};

const OUTER: &str = "x-outer-token";
const OUTER_OTHER: &str = "x-other-outer-token";

pub(super) fn rows(world: &World) -> Vec<Case> {
    let token = world.token_of("alice");
    let expired = world.token().expired().build();
    let outer = |request: Request| {
        let other = world.setting.partner.token().audience("orders").scope("orders:read");
        request.field(OUTER, world.token_of("outer")).field(OUTER_OTHER, other.build())
    };
    let both = |token: &str| outer(Request::new()).bearer(token);
    let preflight = || {
        let request = Request::new().method("OPTIONS").field("origin", "https://app.test");
        outer(request.field("access-control-request-method", "PUT"))
    };
    let inside = |name: &str, change: fn(Setup) -> Setup| inside(world, name, change);
    let alice = || Answer::accepted(caller("alice"));
    [
        cases(
            &inside("inside of another layer", |setup| setup),
            [
                ("both callers", both(&token), alice()),
                ("the outer caller", outer(Request::new()), Answer::rejected("no_credentials")),
                (
                    "the inner caller",
                    Request::new().bearer(&token),
                    Answer::rejected("no_credentials"),
                ),
                ("an expired inner token", both(&expired), Answer::rejected("token_expired")),
            ],
        ),
        cases(
            &inside("inside of another layer, optional", Setup::optional),
            [
                ("both callers", both(&token), alice()),
                ("the outer caller", outer(Request::new()), Answer::anonymous()),
            ],
        ),
        cases(
            &inside("inside of another layer, optional, and a scope", |setup| {
                setup.optional().require(scope("orders:read"))
            }),
            [
                ("both callers", both(&token), alice()),
                ("the outer caller", outer(Request::new()), Answer::rejected("no_credentials")),
            ],
        ),
        cases(
            &inside("inside of another layer, admitting failed credentials", |setup| {
                setup.dangerous_admit_failed()
            }),
            [("an expired inner token", both(&expired), Answer::failed("token_expired"))],
        ),
        cases(
            &inside("inside of another layer, and a policy about its grant", |setup| {
                setup.require_other_grant()
            }),
            [("both callers", both(&token), Answer::fault())],
        ),
        cases(
            &inside("inside of another layer, preflights pass", |setup| {
                setup.pass_preflight().require(scope("orders:read"))
            }),
            [("a preflight", preflight(), Answer::anonymous().for_method("OPTIONS"))],
        ),
    ]
    .concat()
}

/// A configuration whose layer is inside of one that asks for two tokens in header fields of their own.
fn inside(world: &World, name: &str, change: fn(Setup) -> Setup) -> Configuration {
    let (issuer, partner) = (world.setting.issuer.clone(), world.setting.partner.clone());
    world.configuration(name, move |builder| {
        let outer: Authenticator<OtherGrant> = trusting(issuer.trusted())
            .issuer(partner.trusted())
            .locations([TokenLocation::header(OUTER), TokenLocation::header(OUTER_OTHER)])
            .with_grant_from(|_| Ok(OtherGrant))
            .build()
            .unwrap()
            .with_requirement(Requirement::all(
                [issuer.name(), partner.name()].map(Requirement::issuer),
            ))
            .unwrap();
        change(super::built(builder).inside_of(outer))
    })
}
