//! Policies that look at the route, and those that take their time.

use std::sync::Arc;

use portcullis::{
    AuthErrorKind, Grant, Policy, Principal,
    policy::{authenticated, check_async, path_parameter, role, scope},
};
use portcullis_testkit::TokenBuilder;
use serde_json::json;

use super::{World, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    request::{PATH, Request, TENANT_ROUTE},
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    [parameters(world), exceptions(world), asynchronous(world)].concat()
}

fn parameters(world: &World) -> Vec<Case> {
    let tenant = || path_parameter("tenant");
    let table: [(&str, Policy, [&str; 6]); 5] = [
        (
            "the tenant of the claim",
            tenant().equals_claim("tenant"),
            ["yes", "no", "no", "no", "no", "malformed_claim"],
        ),
        (
            "one of the tenants",
            tenant().is_in_claim("tenants"),
            ["no", "no", "yes", "no", "no", "no"],
        ),
        (
            "either",
            tenant().equals_claim("tenant").or(tenant().is_in_claim("tenants")),
            ["yes", "no", "yes", "no", "no", "malformed_claim"],
        ),
        (
            "any other tenant",
            tenant().equals_claim("tenant").not(),
            ["no", "yes", "yes", "yes", "yes", "malformed_claim"],
        ),
        ("a parameter that is not there", path_parameter("x").equals_claim("sub"), ["fault"; 6]),
    ];
    let mut all = Vec::new();
    for (name, policy, told) in table {
        let configuration = world.requiring(&format!("needs {name}"), [policy]);
        let rows = requests(world).into_iter().zip(told);
        all.extend(cases(
            &configuration,
            rows.map(|((name, path, token), told)| {
                let request = Request::new().path(path).bearer(&token.build());
                (name, request, answer_of(told))
            }),
        ));
    }
    all
}

fn requests(world: &World) -> [(&'static str, &'static str, TokenBuilder); 6] {
    let acme = || world.token().claim("tenant", "acme");
    [
        ("its own", "/tenants/acme/orders", acme()),
        ("another", "/tenants/other/orders", acme()),
        ("on the list", "/tenants/acme/orders", world.token().claim("tenants", ["x", "acme"])),
        ("in upper case", "/tenants/ACME/orders", acme()),
        ("no claim", "/tenants/acme/orders", world.token()),
        ("a claim of an object", "/tenants/acme/orders", world.token().claim("tenant", json!({}))),
    ]
}

fn answer_of(told: &str) -> Answer {
    match told {
        "yes" => Answer::accepted(caller("alice")),
        "no" => Answer::rejected("not_permitted"),
        "fault" => Answer::fault(),
        code => Answer::rejected(code),
    }
}

/// A policy differs by route: the route is the one that leads to the handler.
fn exceptions(world: &World) -> Vec<Case> {
    let (admin, everyone) = (|| role("admin"), authenticated);
    let path = "/tenants/acme/orders";
    let reader = world.token().build();
    let table = [
        ("this route is secret", everyone().except_route(TENANT_ROUTE, admin()), false),
        ("this route is open", admin().except_route(TENANT_ROUTE, everyone()), true),
        ("another route is secret", everyone().except_route(PATH, admin()), true),
        ("another route is open", admin().except_route(PATH, everyone()), false),
        ("this path is secret", everyone().except_route(path, admin()), true),
        ("this path is open", admin().except_route(path, everyone()), false),
    ];
    let mut all = Vec::new();
    for (name, policy, is_allowed) in table {
        let answer = if is_allowed {
            Answer::accepted(caller("alice"))
        } else {
            Answer::rejected("insufficient_role")
        };
        let request = Request::new().path(path).bearer(&reader);
        let configuration = world.requiring(name, [policy]);
        all.extend(cases(&configuration, [("a caller without roles", request, answer)]));
    }
    all
}

async fn is_member(caller: Principal, _: Arc<Grant>) -> Result<(), portcullis::AuthError> {
    tokio::task::yield_now().await;
    match caller.subject() {
        "alice" => Ok(()),
        "outage" => Err(AuthErrorKind::ResolverUnavailable.into()),
        _ => Err(AuthErrorKind::NotPermitted.into()),
    }
}

fn asynchronous(world: &World) -> Vec<Case> {
    let member = || check_async(is_member);
    let read = || scope("orders:read");
    let write = || scope("orders:write");
    let table = [
        ("a member", member(), ["yes", "no", "resolver_unavailable"]),
        ("no member", member().not(), ["no", "yes", "resolver_unavailable"]),
        ("a member or read", member().or(read()), ["yes", "yes", "resolver_unavailable"]),
        ("read or a member", read().or(member()), ["yes"; 3]),
        ("write, and a member", write().and(member()), ["orders:write"; 3]),
        (
            "a member, and write",
            member().and(write()),
            ["orders:write", "no", "resolver_unavailable"],
        ),
    ];
    let mut all = Vec::new();
    for (name, policy, told) in table {
        let configuration = world.requiring(&format!("asks later for {name}"), [policy]);
        let rows = ["alice", "bob", "outage"].into_iter().zip(told);
        all.extend(cases(
            &configuration,
            rows.map(|(subject, told)| {
                let answer = match told {
                    "orders:write" => {
                        Answer::rejected("insufficient_scope").parameter("scope", "orders:write")
                    }
                    "yes" => Answer::accepted(caller(subject)),
                    told => answer_of(told),
                };
                (subject, Request::new().bearer(&world.token_of(subject)), answer)
            }),
        ));
    }
    all
}
