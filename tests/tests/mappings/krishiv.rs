//! Krishiv: one of three roles that stand in an order (§2.5).

use portcullis::{
    Grant, GrantMapping, Principal, StaticTokens,
    policy::{self, RoleHierarchy},
    strategy::Identity,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{System, assert_row};

/// The order is that of the numbers; any other name is the least of them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "lowercase")]
enum Role {
    Writer = 1,
    Admin = 2,
    #[serde(other)]
    Reader = 0,
}

/// The claims of Krishiv, as a grant.
#[derive(Debug, Deserialize, Eq, PartialEq)]
struct Claims {
    krishiv_role: Option<Role>,
}

impl Claims {
    fn role(&self) -> Role {
        self.krishiv_role.unwrap_or(Role::Reader)
    }
}

fn mapping() -> GrantMapping {
    GrantMapping::from_fn(|caller| {
        let role = caller.claim::<Option<Role>>("krishiv_role")?.flatten();
        let role = role.unwrap_or(Role::Reader);
        Ok(Grant::builder().roles([name(role)]).build())
    })
}

/// Sentence, claims, and the role.
fn rows() -> Vec<(&'static str, Value, Role)> {
    vec![
        ("exactly `admin`", json!({"krishiv_role": "admin"}), Role::Admin),
        ("exactly `writer`", json!({"krishiv_role": "writer"}), Role::Writer),
        ("exactly `reader`", json!({"krishiv_role": "reader"}), Role::Reader),
        ("another string", json!({"krishiv_role": "root"}), Role::Reader),
        ("lower case counts", json!({"krishiv_role": "Admin"}), Role::Reader),
        ("an empty string", json!({"krishiv_role": ""}), Role::Reader),
        ("no trimming", json!({"krishiv_role": " admin"}), Role::Reader),
        ("no claim", json!({}), Role::Reader),
        ("`null`", json!({"krishiv_role": null}), Role::Reader),
        ("the name is not configurable", json!({"roles": ["admin"]}), Role::Reader),
        (
            "a role, and a subject",
            json!({"krishiv_role": "writer", "sub": "admin:x"}),
            Role::Writer,
        ),
    ]
}

fn name(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Writer => "writer",
        Role::Admin => "admin",
    }
}

#[test]
fn the_role_by_function_and_by_type() {
    let by_function = System::by_data(mapping());
    let by_type = System::new(GrantMapping::default(), |builder| builder.with_grant::<Claims>());
    for (sentence, claims, role) in rows() {
        let expected = Grant::builder().roles([name(role)]).build();
        assert_row(sentence, &claims, &by_function.grant(&claims), &Ok(expected));
        assert_eq!(by_type.grant(&claims).unwrap().role(), role, "{sentence}: {claims}");
    }
    for value in [json!(1), json!(true), json!({"admin": 1}), json!(["admin"])] {
        let claims = json!({ "krishiv_role": value });
        assert_eq!(by_function.grant(&claims), Err("malformed_claim"), "{claims}");
        assert_eq!(by_type.grant(&claims), Err("malformed_claim"), "{claims}");
    }
}

/// The prefix of a subject gives its role: whoever may choose a subject may be an administrator. It
/// takes a function of the application, under a name that says so.
fn dangerous_role_by_prefix(caller: &Principal) -> Result<Role, portcullis::AuthError> {
    if let Some(role) = caller.claim::<Role>("krishiv_role")? {
        return Ok(role);
    }
    Ok(match caller.subject().split_once(':') {
        Some(("admin", _)) => Role::Admin,
        Some(("writer", _)) => Role::Writer,
        _ => Role::Reader,
    })
}

#[test]
fn a_prefix_of_the_subject_is_no_role_unless_the_application_makes_it_one() {
    let compatible = System::new(GrantMapping::default(), |builder| {
        builder.with_grant_from(dangerous_role_by_prefix)
    });
    let safe = System::by_data(mapping());
    for (subject, role) in [
        ("admin:x", Role::Admin),
        ("writer:x", Role::Writer),
        ("reader:x", Role::Reader),
        ("Admin:x", Role::Reader),
        ("admin", Role::Reader),
        ("x:admin:", Role::Reader),
        ("root:x", Role::Reader),
    ] {
        let claims = json!({ "sub": subject });
        assert_row("without a role", &claims, &compatible.grant(&claims), &Ok(role));
        let reader = Grant::builder().roles(["reader"]).build();
        assert_row("without a role", &claims, &safe.grant(&claims), &Ok(reader));
        let with_role = json!({ "sub": subject, "krishiv_role": "root" });
        assert_row("with one", &with_role, &compatible.grant(&with_role), &Ok(Role::Reader));
    }
}

#[test]
fn static_tokens_are_administrators() {
    let tokens = StaticTokens::builder("krishiv")
        .text("first\nsecond")
        .identity(Identity::new("admin:coordinator-control-plane").claim("krishiv_role", "admin"))
        .build()
        .unwrap();
    let system = System::new(GrantMapping::default(), |builder| {
        builder.strategy(tokens).with_grant::<Claims>()
    });
    for token in ["first", "second"] {
        let caller = system.auth.authenticate_token_now(token).unwrap();
        assert_eq!(caller.principal().subject(), "admin:coordinator-control-plane");
        assert_eq!(caller.grant().role(), Role::Admin);
    }
}

#[test]
fn ranks_are_enough_or_not() {
    let by_function = System::by_data(mapping());
    let by_type = System::new(GrantMapping::default(), |builder| builder.with_grant::<Claims>());
    let ranks = RoleHierarchy::new(["reader", "writer", "admin"]);
    for (sentence, claims, actual) in rows() {
        for required in [Role::Reader, Role::Writer, Role::Admin] {
            let expected = if actual >= required { "ok" } else { "insufficient_role" };
            let at_least = ranks.role_at_least(name(required));
            assert_eq!(
                by_function.decision(&claims, &at_least),
                expected,
                "{sentence} {required:?}"
            );
            let at_least = policy::grant(move |claims: &Claims| claims.role() >= required);
            let expected = if actual >= required { "ok" } else { "not_permitted" };
            assert_eq!(by_type.decision(&claims, &at_least), expected, "{sentence} {required:?}");
        }
    }
}
