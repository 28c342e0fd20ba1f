//! Applications that are put together wrongly: 500, and no word to the caller of what is wrong.

use std::sync::Arc;

use portcullis::{
    Grant, Principal,
    policy::{self, scope},
};

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::Request,
    setup::{Configuration, Setup},
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    let token = world.token_of("alice");
    let missing =
        Configuration::new("no layer", || Setup::without_layer().require(scope("orders:read")));
    let other = world
        .configuration("a grant of another type", |builder| built(builder).require_other_grant());
    let inside = world.configuration("a grant of another type inside", |builder| {
        built(builder).require(scope("orders:write")).require_other_grant()
    });
    let mut all = cases(
        &missing,
        [
            ("nothing", Request::new(), Answer::fault()),
            ("a good token", Request::new().bearer(&token), Answer::fault()),
            ("a bad token", Request::new().bearer("x"), Answer::fault()),
            ("HEAD", Request::new().method("HEAD"), Answer::fault().for_method("HEAD")),
        ],
    );
    all.extend(cases(
        &other,
        [
            ("a good token", Request::new().bearer(&token), Answer::fault()),
            ("a bad token", Request::new().bearer("x"), Answer::rejected("malformed_token")),
            ("nothing", Request::new(), Answer::rejected("no_credentials")),
        ],
    ));
    let insufficient = Answer::rejected("insufficient_scope").parameter("scope", "orders:write");
    let rich = world.token().scope("orders:write").build();
    all.extend(cases(
        &inside,
        [
            ("too few rights", Request::new().bearer(&token), insufficient),
            ("enough rights", Request::new().bearer(&rich), Answer::fault()),
        ],
    ));
    all.extend(panics(world, &token));
    let bare = world.configuration("no policy", built);
    let alice = Answer::accepted(caller("alice"));
    all.extend(cases(&bare, [("a good token", Request::new().bearer(&token), alice)]));
    all
}

/// A function of the application that panics rejects the request, whatever stands around it.
fn panics(world: &World, token: &str) -> Vec<Case> {
    let rule = || policy::grant(|_: &Grant| panic!("in a rule"));
    let later = || policy::check_async(async |_: Principal, _: Arc<Grant>| panic!("in a rule"));
    let never = || scope("orders:write");
    let mut all = Vec::new();
    for (name, policy) in [
        ("a rule that panics", rule()),
        ("the opposite of a rule that panics", rule().not()),
        ("a rule that panics, or another", rule().or(policy::authenticated())),
        ("a rule, or one that panics", never().or(rule())),
        ("a rule that panics later", later()),
        ("the opposite of a rule that panics later", later().not()),
        ("a rule that panics later, or another", later().or(policy::authenticated())),
    ] {
        let configuration =
            world.configuration(name, move |builder| built(builder).require(policy.clone()));
        let request = Request::new().bearer(token);
        all.extend(cases(&configuration, [("a good token", request, Answer::fault())]));
    }
    let not_reached = world
        .configuration("a rule that is enough, or one that panics", move |builder| {
            built(builder).require(policy::authenticated().or(rule()))
        });
    let alice = Answer::accepted(caller("alice"));
    all.extend(cases(&not_reached, [("a good token", Request::new().bearer(token), alice)]));
    let map = world.configuration("a map of challenges that panics", |builder| {
        built(builder).map_challenge(|_, _| panic!("in a map"))
    });
    all.extend(cases(
        &map,
        [
            ("a bad token", Request::new().bearer("x"), Answer::fault()),
            ("nothing", Request::new(), Answer::fault()),
            ("a good token", Request::new().bearer(token), Answer::accepted(caller("alice"))),
        ],
    ));
    all
}
