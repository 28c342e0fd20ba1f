//! Rules beyond scopes and roles: ranks, permissions, kinds of tokens, who calls, and how they logged
//! in.

use std::time::Duration;

use conformance::NOW;
use portcullis::{
    GrantMapping, Issuer, Policy,
    policy::{
        RoleHierarchy, TokenKinds, acr_values, all_roles, audience, authenticated, client,
        deny_all, issuer, max_age, permission, subject,
    },
};
use portcullis_testkit::TokenBuilder;

use super::{World, built, caller};
use crate::{
    answer::Answer,
    case::{Case, cases},
    echo::Caller,
    request::Request,
    setup::Configuration,
};

pub(super) fn rows(world: &World) -> Vec<Case> {
    [ranks(world), permissions(world), kinds(world), identities(world), logins(world)].concat()
}

fn of(token: &TokenBuilder) -> Request {
    Request::new().bearer(&token.build())
}

/// A caller with this role for each rule; `false` is a rejection for want of a role.
fn ranks(world: &World) -> Vec<Case> {
    let order = RoleHierarchy::new(["reader", "writer", "admin"]);
    let loose = order.clone().ignoring_ascii_case();
    let roles = ["none", "reader", "writer", "admin", "ADMIN", "owner"];
    let table = [
        (
            "at least a reader",
            order.role_at_least("reader"),
            [false, true, true, true, false, false],
        ),
        (
            "at least a writer",
            order.role_at_least("writer"),
            [false, false, true, true, false, false],
        ),
        (
            "at least an admin",
            order.role_at_least("admin"),
            [false, false, false, true, false, false],
        ),
        (
            "at least a Writer",
            loose.role_at_least("Writer"),
            [false, false, true, true, true, false],
        ),
        ("reader and admin", all_roles(["reader", "admin"]), [false; 6]),
    ];
    let mut all = Vec::new();
    for (name, policy, told) in table {
        let configuration = world.requiring(&format!("asks for {name}"), [policy]);
        let rows = roles.into_iter().zip(told).map(|(role, allowed)| {
            let roles: &[&str] = if role == "none" { &[] } else { &[role] };
            let owned = roles.iter().map(|&role| role.to_owned()).collect();
            let answer = if allowed {
                Answer::accepted(Caller { roles: owned, ..caller("alice") })
            } else {
                Answer::rejected("insufficient_role")
            };
            (role, of(&world.token().roles(roles.iter().copied())), answer)
        });
        all.extend(cases(&configuration, rows));
    }
    let mistake = world.requiring("asks for a rank that is none", [order.role_at_least("owner")]);
    all.extend(cases(&mistake, [("admin", of(&world.token().roles(["admin"])), Answer::fault())]));
    all
}

fn permissions(world: &World) -> Vec<Case> {
    let levels = RoleHierarchy::new(["read", "write", "admin"]);
    let table: [(&str, Policy, [bool; 4]); 4] = [
        ("write on billing", permission("billing", "write"), [false, true, false, false]),
        ("admin on billing", permission("billing", "admin"), [false, false, false, true]),
        (
            "at least write on billing",
            levels.permission_at_least("billing", "write"),
            [false, true, false, true],
        ),
        ("no admin on billing", permission("billing", "admin").not(), [true, true, true, false]),
    ];
    let mut all = Vec::new();
    for (name, policy, told) in table {
        let configuration = with_permissions(world, &format!("asks for {name}"), policy);
        let entries = ["billing:read", "billing:write", "other:admin", "billing:admin"];
        let rows = entries.into_iter().zip(told).map(|(entry, allowed)| {
            let (resource, level) = entry.split_once(':').unwrap();
            let permissions = vec![(resource.to_owned(), level.to_owned())];
            let answer = if allowed {
                Answer::accepted(Caller { permissions, ..caller("alice") })
            } else {
                Answer::rejected("not_permitted")
            };
            (entry, of(&world.token().claim("permissions", [entry])), answer)
        });
        all.extend(cases(&configuration, rows));
    }
    all
}

fn with_permissions(world: &World, name: &str, policy: Policy) -> Configuration {
    let trusted = world.setting.issuer.clone();
    Configuration::new(name, move || {
        let mapping = GrantMapping::default().permissions("permissions", ":");
        let issuer: Issuer = trusted.trusted().grant_mapping(mapping);
        built(conformance::trusting(issuer)).require(policy.clone())
    })
}

/// A token's own code or, for those who may, none.
type Told = Option<&'static str>;

fn kinds(world: &World) -> Vec<Case> {
    let kinds = TokenKinds::new("kind", ["execution", "workload"]).absent_is("execution");
    let no = Some("not_permitted");
    let malformed = Some("malformed_claim");
    let table: [(&str, Policy, [Told; 5]); 3] = [
        ("execution", kinds.only("execution"), [None, no, None, no, malformed]),
        ("no execution", kinds.only("execution").not(), [no, None, no, no, malformed]),
        ("either kind", kinds.one_of(["execution", "workload"]), [None, None, None, no, malformed]),
    ];
    let token = || world.token();
    let tokens = [
        ("execution", token().claim("kind", "execution")),
        ("workload", token().claim("kind", "workload")),
        ("no kind", token()),
        ("another kind", token().claim("kind", "other")),
        ("a kind that is a number", token().claim("kind", 1)),
    ];
    each(world, table, &tokens)
}

fn each<const N: usize, const M: usize>(
    world: &World,
    table: [(&str, Policy, [Told; N]); M],
    tokens: &[(&str, TokenBuilder); N],
) -> Vec<Case> {
    let mut all = Vec::new();
    for (name, policy, told) in table {
        let configuration = world.requiring(&format!("takes tokens of {name}"), [policy]);
        let rows = tokens.iter().zip(told).map(|((name, token), told)| {
            let alice = || Answer::accepted(caller("alice"));
            (name, of(token), told.map_or_else(alice, Answer::rejected))
        });
        all.extend(cases(&configuration, rows));
    }
    all
}

fn identities(world: &World) -> Vec<Case> {
    const IDP: &str = "https://idp.test";
    let (no, untrusted) = (Some("not_permitted"), Some("untrusted_issuer"));
    let wrong = Some("wrong_audience");
    let table: [(&str, Policy, [Told; 2]); 9] = [
        ("anyone", authenticated(), [None, None]),
        ("nobody", deny_all(), [no, no]),
        ("the issuer", issuer(IDP), [None, None]),
        ("another issuer", issuer("https://idp.test/"), [untrusted, untrusted]),
        ("the admin audience", audience("admin"), [wrong, None]),
        ("alice", subject(IDP, "alice"), [None, None]),
        ("bob", subject(IDP, "bob"), [no, no]),
        ("another's alice", subject("https://partner.test", "alice"), [no, no]),
        ("a client", client(IDP, "app"), [no, no]),
    ];
    let tokens = [
        ("alice", world.token()),
        ("alice for two", world.token().claim("aud", ["orders", "admin"])),
    ];
    each(world, table, &tokens)
}

/// A login that is too weak or too old: the challenge names what it needs ([RFC 9470 §3]).
///
/// [RFC 9470 §3]: https://www.rfc-editor.org/rfc/rfc9470#section-3
fn logins(world: &World) -> Vec<Case> {
    let alice = || Answer::accepted(caller("alice"));
    let again = || Answer::rejected("reauthentication_required");
    let token = || world.token();
    let strong = world.requiring("a strong login", [acr_values(["gold", "silver"])]);
    let stronger = || again().parameter("acr_values", "gold silver");
    let fresh = world.requiring("a fresh login", [max_age(Duration::from_secs(300))]);
    let fresher = || again().parameter("max_age", "300");
    let both = acr_values(["a\"b"]).and(max_age(Duration::from_secs(60)));
    let both = world.requiring("a strong and fresh login", [both]);
    let named = || again().parameter("acr_values", "a\"b").parameter("max_age", "60");
    let malformed = || Answer::rejected("malformed_claim");
    let mut all = cases(
        &strong,
        [
            ("gold", of(&token().claim("acr", "gold")), alice()),
            ("silver", of(&token().claim("acr", "silver")), alice()),
            ("bronze", of(&token().claim("acr", "bronze")), stronger()),
            ("no class", of(&token()), stronger()),
            ("a list of classes", of(&token().claim("acr", ["gold"])), malformed()),
            ("bronze, HEAD", of(&token()).method("HEAD"), stronger().for_method("HEAD")),
        ],
    );
    all.extend(cases(
        &fresh,
        [
            ("now", of(&token().claim("auth_time", NOW)), alice()),
            ("360 seconds ago", of(&token().claim("auth_time", NOW - 360)), alice()),
            ("361 seconds ago", of(&token().claim("auth_time", NOW - 361)), fresher()),
            ("no time", of(&token()), fresher()),
            ("in the future", of(&token().claim("auth_time", NOW + 61)), malformed()),
        ],
    ));
    all.extend(cases(
        &both,
        [
            ("neither", of(&token()), named()),
            ("fresh alone", of(&token().claim("auth_time", NOW)), named()),
            ("both", of(&token().claim("auth_time", NOW).claim("acr", "a\"b")), alice()),
        ],
    ));
    all
}
