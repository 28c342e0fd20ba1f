//! Claims that a token names and does not include: rules that read them reject, negated or not.

use portcullis::{
    AuthError, Grant, GrantMapping, Policy, Principal,
    policy::{self, RoleHierarchy, claim, role, scope},
};
use portcullis_testkit::TokenBuilder;
use serde_json::json;

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    echo::Caller,
    request::Request,
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    [rules(world), roles_from_groups(world), functions(world), of_the_engine(world)].concat()
}

fn in_group(group: &'static str) -> Policy {
    policy::grant(move |grant: &Grant| grant.is_in_group(group))
}

/// What Entra writes for a member of more than 200 groups.
fn overage(world: &World) -> TokenBuilder {
    let source = json!({"graph": {"endpoint": "https://graph.test/getMemberObjects"}});
    world.token().claim("_claim_names", json!({"groups": "graph"})).claim("_claim_sources", source)
}

fn of(token: &TokenBuilder) -> Request {
    Request::new().bearer(&token.build())
}

fn rejected() -> Answer {
    Answer::rejected("claim_not_included")
}

fn rules(world: &World) -> Vec<Case> {
    let allowed = || Answer::accepted(caller("alice"));
    let listed = |groups: &[&str]| Caller {
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
        ..caller("alice")
    };
    let staff = || Answer::accepted(listed(&["staff"]));
    let mut rows = Vec::new();
    for (name, policy, [of_overage, of_staff]) in [
        ("suspended", in_group("suspended"), [rejected(), Answer::rejected("not_permitted")]),
        ("not suspended", in_group("suspended").not(), [rejected(), staff()]),
        ("not not staff", in_group("staff").not().not(), [rejected(), staff()]),
        (
            "not suspended, or read",
            in_group("suspended").not().or(scope("orders:read")),
            [allowed(), staff()],
        ),
        (
            "not suspended, or write",
            in_group("suspended").not().or(scope("orders:write")),
            [rejected(), staff()],
        ),
        (
            "read and not suspended",
            scope("orders:read").and(in_group("suspended").not()),
            [rejected(), staff()],
        ),
        ("not the claim groups", claim("groups", ["suspended"]).not(), [rejected(), staff()]),
        ("read", scope("orders:read"), [allowed(), staff()]),
        ("not admin", role("admin").not(), [allowed(), staff()]),
    ] {
        let configuration = world.requiring(&format!("needs {name}, groups elsewhere"), [policy]);
        let with_staff = world.token().claim("groups", ["staff"]);
        rows.extend(cases(
            &configuration,
            [
                ("more groups than fit", of(&overage(world)), of_overage.clone()),
                ("`hasgroups`", of(&world.token().claim("hasgroups", true)), of_overage),
                ("groups that fit", of(&with_staff), of_staff),
            ],
        ));
    }
    rows
}

/// Roles that an issuer writes as groups.
fn roles_from_groups(world: &World) -> Vec<Case> {
    let issuer = world.setting.issuer.clone();
    let order = RoleHierarchy::new(["reader", "admin"]);
    let mut rows = Vec::new();
    for (name, policy) in [
        ("reader", role("reader")),
        ("not reader", role("reader").not()),
        ("at least reader", order.role_at_least("reader")),
        ("not at least admin", order.role_at_least("admin").not()),
    ] {
        let issuer = issuer.clone();
        let name = format!("groups are roles, needs {name}");
        let configuration = crate::setup::Configuration::new(name, move || {
            let mapping = GrantMapping::default().roles(["groups"]);
            let trusted = issuer.trusted().grant_mapping(mapping);
            built(conformance::trusting(trusted)).require(policy.clone())
        });
        rows.extend(cases(
            &configuration,
            [("more groups than fit", of(&overage(world)), rejected())],
        ));
    }
    rows
}

/// Functions of the application: asynchronous rules, and rules about the path.
fn functions(world: &World) -> Vec<Case> {
    let by_async = policy::check_async(|_: Principal, grant: std::sync::Arc<Grant>| async move {
        let suspended = grant.is_in_group("suspended");
        if suspended {
            Err(AuthError::from(portcullis::AuthErrorKind::NotPermitted))
        } else {
            Ok(())
        }
    });
    let by_claim = policy::check(|caller: &Principal, _: &Grant| {
        let groups: Option<Vec<String>> = caller.claim("groups")?;
        let suspended = groups.is_some_and(|groups| groups.iter().any(|own| own == "suspended"));
        policy::allow_if(!suspended, || "suspended")
    });
    let mut rows = Vec::new();
    for (name, policy) in [("an asynchronous rule", by_async), ("a claim of the caller", by_claim)]
    {
        let configuration = world.requiring(&format!("{name} reads groups elsewhere"), [policy]);
        rows.extend(cases(
            &configuration,
            [
                ("more groups than fit", of(&overage(world)), rejected()),
                ("no groups", of(&world.token()), Answer::accepted(caller("alice"))),
            ],
        ));
    }
    rows
}

/// Without any policy.
fn of_the_engine(world: &World) -> Vec<Case> {
    let configuration = world.configuration("claims of the engine elsewhere", built);
    let naming = |name: &str| of(&world.token().claim("_claim_names", json!({name: "source"})));
    cases(
        &configuration,
        [
            ("the actor", naming("act"), rejected()),
            ("the binding", naming("cnf"), rejected()),
            ("the groups", naming("groups"), Answer::accepted(caller("alice"))),
        ],
    )
}
