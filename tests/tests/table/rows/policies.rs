//! Policies: who may use the handler, and what those are told who may not.

use portcullis::{
    Policy,
    policy::{self, all_scopes, any_role, any_scope, claim, role, scope},
};
use portcullis_testkit::TokenBuilder;
use serde_json::json;

use super::{World, unentitled};
use crate::{
    answer::Answer,
    case::{Case, cases},
    echo::Caller,
    request::Request,
};

/// A policy, the scope that a rejection names, and what comes of it for those of [`CALLERS`].
type Row = (&'static str, Policy, Verdicts);

/// For nobody, a reader, a writer, a clerk and an admin.
type Verdicts = [Verdict; 5];

#[derive(Clone, Copy)]
enum Verdict {
    Yes,
    /// Rejected: this scope is needed.
    Scope(&'static str),
    Role,
    No,
    Fault,
}

use Verdict::{Fault, No, Role, Scope, Yes};

const CALLERS: [&str; 5] = ["nobody", "reader", "writer", "clerk", "admin"];

pub(super) fn rows(world: &World) -> Vec<Case> {
    let mut all = Vec::new();
    for (name, policy, verdicts) in
        [scopes(), roles(), claims_and_functions(), combinations(), senseless()].concat()
    {
        let configuration = world.requiring(&format!("needs {name}"), [policy]);
        all.extend(cases(&configuration, told(world, verdicts)));
    }
    for (name, policies, verdicts) in nested() {
        let configuration = world.requiring(&format!("needs {name}"), policies);
        all.extend(cases(&configuration, told(world, verdicts)));
    }
    all
}

fn told(world: &World, verdicts: Verdicts) -> [(&'static str, Request, Answer); 5] {
    let mut verdicts = verdicts.into_iter();
    CALLERS.map(|name| {
        let (token, caller) = of(world, name);
        let answer = match verdicts.next().unwrap() {
            Yes => Answer::accepted(caller),
            Scope(scope) => Answer::rejected("insufficient_scope").parameter("scope", scope),
            Role => Answer::rejected("insufficient_role"),
            No => Answer::rejected("not_permitted"),
            Fault => Answer::fault(),
        };
        (name, Request::new().bearer(&token.build()), answer)
    })
}

fn of(world: &World, name: &str) -> (TokenBuilder, Caller) {
    let token = world.token().subject(name).without_claim("scope");
    let caller = unentitled(name);
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    match name {
        "reader" => (token.scope("read"), Caller { scope: owned(&["read"]), ..caller }),
        "writer" => {
            (token.scope("read write"), Caller { scope: owned(&["read", "write"]), ..caller })
        }
        "clerk" => (token.roles(["clerk"]), Caller { roles: owned(&["clerk"]), ..caller }),
        "admin" => (
            token.scope("write").roles(["clerk", "admin"]).claim("tenant", "acme"),
            Caller { scope: owned(&["write"]), roles: owned(&["clerk", "admin"]), ..caller },
        ),
        _ => (token, caller),
    }
}

fn scopes() -> Vec<Row> {
    let read = Scope("read");
    let both = Scope("read write");
    vec![
        ("scope read", scope("read"), [read, Yes, Yes, read, read]),
        ("scope Read", scope("Read"), [Scope("Read"); 5]),
        ("all of read, write", all_scopes(["read", "write"]), [both, both, Yes, both, both]),
        ("any of read, write", any_scope(["read", "write"]), [read, Yes, Yes, read, Yes]),
        (
            "any of x, write",
            any_scope(["x", "write"]),
            [Scope("x"), Scope("x"), Yes, Scope("x"), Yes],
        ),
    ]
}

fn roles() -> Vec<Row> {
    vec![
        ("role admin", role("admin"), [Role, Role, Role, Role, Yes]),
        ("role Admin", role("Admin"), [Role; 5]),
        ("any role of clerk, x", any_role(["clerk", "x"]), [Role, Role, Role, Yes, Yes]),
    ]
}

fn claims_and_functions() -> Vec<Row> {
    vec![
        ("claim tenant", claim("tenant", "acme"), [No, No, No, No, Yes]),
        ("claim tenant, in upper case", claim("tenant", "ACME"), [No; 5]),
        ("claim tenant, as a list", claim("tenant", json!(["acme"])), [No; 5]),
        ("claim sub", claim("sub", "reader"), [No, Yes, No, No, No]),
        (
            "a function of the grant",
            policy::grant(|grant: &portcullis::Grant| grant.has_role("clerk")),
            [No, No, No, Yes, Yes],
        ),
        (
            "a function of caller and grant",
            policy::check(|caller, _| match caller.subject() {
                "writer" => Ok(()),
                _ => Err(portcullis::AuthErrorKind::NotPermitted.into()),
            }),
            [No, No, Yes, No, No],
        ),
    ]
}

fn combinations() -> Vec<Row> {
    let (read, write) = (Scope("read"), Scope("write"));
    let both = Scope("read write");
    vec![
        ("read and write", scope("read").and(scope("write")), [both, both, Yes, both, both]),
        ("write and admin", scope("write").and(role("admin")), [write, write, Role, write, Yes]),
        ("admin and write", role("admin").and(scope("write")), [Role, Role, Role, Role, Yes]),
        ("read or write", scope("read").or(scope("write")), [read, Yes, Yes, read, Yes]),
        ("admin or read", role("admin").or(scope("read")), [Role, Yes, Yes, Role, Yes]),
        ("read or clerk", scope("read").or(role("clerk")), [read, Yes, Yes, Yes, Yes]),
        ("not write", scope("write").not(), [Yes, Yes, No, Yes, No]),
        ("not not read", scope("read").not().not(), [No, Yes, Yes, No, No]),
        (
            "read, or clerk and write",
            scope("read").or(role("clerk").and(scope("write"))),
            [read, Yes, Yes, read, Yes],
        ),
        (
            "read or clerk, and not admin",
            scope("read").or(role("clerk")).and(role("admin").not()),
            [read, Yes, Yes, Yes, No],
        ),
    ]
}

/// A rule that says nothing is a fault of the application, and so is its opposite.
fn senseless() -> Vec<Row> {
    vec![
        ("no scope at all", all_scopes(<[&str; 0]>::default()), [Fault; 5]),
        ("any of no scopes", any_scope(<[&str; 0]>::default()), [Fault; 5]),
        ("not any of no roles", any_role(<[&str; 0]>::default()).not(), [Fault; 5]),
        ("a scope with a space", scope("read write"), [Fault; 5]),
        ("not a scope with a line end", scope("read\r\n").not(), [Fault; 5]),
    ]
}

/// Layers add up: an inner one can ask for more, and never for less.
fn nested() -> [(&'static str, [Policy; 2], Verdicts); 4] {
    let (read, write) = (Scope("read"), Scope("write"));
    [
        ("read, write inside", [scope("read"), scope("write")], [read, write, Yes, read, read]),
        ("write, read inside", [scope("write"), scope("read")], [write, write, Yes, write, read]),
        (
            "admin, anything inside",
            [role("admin"), policy::grant(|_| true)],
            [Role, Role, Role, Role, Yes],
        ),
        (
            "read, the opposite inside",
            [scope("read"), scope("read").not()],
            [read, No, No, read, read],
        ),
    ]
}
