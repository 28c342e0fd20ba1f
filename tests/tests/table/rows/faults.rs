//! Applications that are put together wrongly: 500, and no word to the caller of what is wrong.

use portcullis::policy::scope;

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
            ("a bad token", Request::new().bearer("x"), Answer::refused("malformed_token")),
            ("nothing", Request::new(), Answer::refused("no_credentials")),
        ],
    ));
    let insufficient = Answer::refused("insufficient_scope").parameter("scope", "orders:write");
    let rich = world.token().scope("orders:write").build();
    all.extend(cases(
        &inside,
        [
            ("too few rights", Request::new().bearer(&token), insufficient),
            ("enough rights", Request::new().bearer(&rich), Answer::fault()),
        ],
    ));
    let bare = world.configuration("no policy", built);
    let alice = Answer::accepted(caller("alice"));
    all.extend(cases(&bare, [("a good token", Request::new().bearer(&token), alice)]));
    all
}
