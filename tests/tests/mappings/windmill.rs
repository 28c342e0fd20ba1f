//! Windmill: folders as tuples, groups, and what an operator may not (§5.4, §5.5, §5.6).

use portcullis::{
    AuthError, AuthErrorKind, Grant, GrantMapping, Policy, Principal,
    policy::{self, claim, permission},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{System, assert_row};

/// The claims as they stand.
#[derive(Debug, Deserialize)]
struct Claims {
    email: String,
    username: String,
    is_admin: bool,
    is_operator: bool,
    groups: Vec<String>,
    folders: Vec<(String, bool, bool)>,
    workspace_id: Option<String>,
    workspace_ids: Option<Vec<String>>,
    label: Option<String>,
    scopes: Option<Vec<String>>,
}

/// What Windmill keeps of a token.
#[derive(Debug, Eq, PartialEq)]
struct Authed {
    email: String,
    username: String,
    is_admin: bool,
    is_operator: bool,
    groups: Vec<String>,
    folders: Vec<(String, bool, bool)>,
    scopes: Scopes,
    username_override: Option<String>,
    workspaces: Vec<String>,
}

/// Without a list, and with an empty one, everything is allowed.
#[derive(Debug, Eq, PartialEq)]
enum Scopes {
    Unrestricted,
    Only(Vec<String>),
}

fn authed(caller: &Principal) -> Result<Authed, AuthError> {
    let claims: Claims = caller.claims()?;
    let is_filter = |scope: &String| scope.starts_with("if_jobs:filter_tags:");
    let scopes = claims.scopes.unwrap_or_default();
    let workspaces: Vec<String> =
        claims.workspace_id.into_iter().chain(claims.workspace_ids.unwrap_or_default()).collect();
    if workspaces.is_empty() {
        return Err(AuthErrorKind::MissingClaim.into());
    }
    Ok(Authed {
        email: claims.email,
        username: claims.username,
        is_admin: claims.is_admin,
        is_operator: claims.is_operator,
        groups: claims.groups,
        folders: claims.folders,
        // Holds for an empty list too.
        scopes: if scopes.iter().all(is_filter) {
            Scopes::Unrestricted
        } else {
            Scopes::Only(scopes)
        },
        username_override: claims.label.as_deref().and_then(name_of),
        workspaces,
    })
}

/// The name that stands for a token's label.
fn name_of(label: &str) -> Option<String> {
    const KEPT: [&str; 5] = ["webhook-", "http-", "email-", "ws-", "ephemeral-webhook-"];
    if let Some(user) = label.strip_prefix("ephemeral-script-end-user-") {
        return Some(user.to_owned());
    }
    match label {
        "" | "session" | "ephemeral-script" => None,
        "Ephemeral lsp token" => Some("lsp".to_owned()),
        _ if KEPT.iter().any(|prefix| label.starts_with(prefix)) => Some(label.to_owned()),
        _ => Some(format!("label-{label}")),
    }
}

/// A token as Windmill makes it, with some claims in place of others. `null` takes one away.
fn with(changes: &Value) -> Value {
    let mut claims = json!({
        "email": "mia@acme.test",
        "username": "mia",
        "is_admin": false,
        "is_operator": false,
        "groups": ["all", "data"],
        "folders": [["reports", true, false], ["public", false, false], ["own", true, true]],
        "workspace_id": "acme",
    });
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            _ => members.insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn by_type() -> System<Authed> {
    System::new(GrantMapping::default(), |builder| builder.with_grant_from(authed))
}

fn by_function() -> System<Grant> {
    System::by_data(GrantMapping::from_fn(|caller| {
        let scopes: Vec<String> = caller.claim("scopes")?.unwrap_or_default();
        let groups: Vec<String> = caller.claim("groups")?.unwrap_or_default();
        let folders: Vec<(String, bool, bool)> = caller.claim("folders")?.unwrap_or_default();
        let mut grant = Grant::builder().scope(scopes.join(" ")).groups(groups);
        for (folder, writes, owns) in folders {
            let levels = [("read", true), ("write", writes), ("owner", owns)];
            for (level, _) in levels.into_iter().filter(|(_, is_set)| *is_set) {
                grant = grant.permission(folder.as_str(), level);
            }
        }
        Ok(grant.build())
    }))
}

#[test]
fn folders_and_groups_come_from_the_token() {
    let expected = Authed {
        email: "mia@acme.test".to_owned(),
        username: "mia".to_owned(),
        is_admin: false,
        is_operator: false,
        groups: vec!["all".to_owned(), "data".to_owned()],
        folders: vec![
            ("reports".to_owned(), true, false),
            ("public".to_owned(), false, false),
            ("own".to_owned(), true, true),
        ],
        scopes: Scopes::Unrestricted,
        username_override: None,
        workspaces: vec!["acme".to_owned()],
    };
    let claims = with(&json!({}));
    assert_row("by type", &claims, &by_type().grant(&claims), &Ok(expected));
    let expected = Grant::builder()
        .groups(["all", "data"])
        .permission("reports", "read")
        .permission("reports", "write")
        .permission("public", "read")
        .permission("own", "read")
        .permission("own", "write")
        .permission("own", "owner")
        .build();
    assert_row("by function", &claims, &by_function().grant(&claims), &Ok(expected));
}

#[test]
fn claims_that_are_required_or_of_another_type_reject() {
    let system = by_type();
    for name in ["email", "username", "is_admin", "is_operator", "groups", "folders"] {
        let claims = with(&json!({ name: null }));
        assert_eq!(system.grant(&claims), Err("malformed_claim"), "{name}");
    }
    for changes in [
        json!({"is_admin": "true"}),
        json!({"groups": "all"}),
        json!({"folders": ["reports"]}),
        json!({"folders": [["reports", true]]}),
        json!({"folders": [["reports", true, false, true]]}),
        json!({"folders": [["reports", 1, 0]]}),
        json!({"scopes": "jobs:run"}),
    ] {
        assert_eq!(system.grant(&with(&changes)), Err("malformed_claim"), "{changes}");
    }
}

#[test]
fn tuples_by_function_are_as_strict() {
    let system = by_function();
    for folders in [json!(["reports"]), json!([["reports", true]]), json!([["reports", 1, 0]])] {
        let claims = with(&json!({ "folders": folders }));
        assert_eq!(system.grant(&claims), Err("malformed_claim"), "{claims}");
    }
}

#[test]
fn no_scopes_are_no_limit_only_where_the_application_says_so() {
    let (theirs, ours) = (by_type(), by_function());
    for (scopes, unrestricted, in_ours) in [
        (json!(null), true, &[][..]),
        (json!([]), true, &[]),
        (json!(["if_jobs:filter_tags:a"]), true, &["if_jobs:filter_tags:a"]),
        (json!(["jobs:run"]), false, &["jobs:run"]),
        (
            json!(["if_jobs:filter_tags:a", "jobs:run"]),
            false,
            &["if_jobs:filter_tags:a", "jobs:run"],
        ),
        // What is documented as full access grants nothing.
        (json!(["*"]), false, &["*"]),
    ] {
        let claims = with(&json!({ "scopes": scopes }));
        let found = theirs.grant(&claims).unwrap();
        assert_eq!(found.scopes == Scopes::Unrestricted, unrestricted, "{claims}");
        let found = ours.grant(&claims).unwrap();
        assert!(in_ours.iter().all(|scope| found.has_scope(scope)), "{claims}");
        assert_eq!(found.scope().iter().count(), in_ours.len(), "{claims}");
        let runs = ours.decision(&claims, &policy::scope("jobs:run")) == "ok";
        assert_eq!(runs, in_ours.contains(&"jobs:run"), "{claims}");
    }
}

#[test]
fn a_label_stands_for_the_name() {
    let system = by_type();
    for (label, name) in [
        ("webhook-x", Some("webhook-x")),
        ("http-x", Some("http-x")),
        ("email-x", Some("email-x")),
        ("ws-x", Some("ws-x")),
        ("ephemeral-webhook-x", Some("ephemeral-webhook-x")),
        ("Ephemeral lsp token", Some("lsp")),
        ("ephemeral-script-end-user-mia", Some("mia")),
        ("ephemeral-script", None),
        ("session", None),
        ("", None),
        ("nightly", Some("label-nightly")),
    ] {
        let found = system.grant(&with(&json!({ "label": label }))).unwrap();
        assert_eq!(found.username_override.as_deref(), name, "{label}");
    }
}

/// §5.4: allowed iff the workspace is `workspace_id` or in `workspace_ids`.
#[test]
fn workspaces_are_one_or_several() {
    let system = by_type();
    for (changes, expected) in [
        (json!({}), Ok(&["acme"][..])),
        (json!({"workspace_ids": ["b", "c"]}), Ok(&["acme", "b", "c"])),
        (json!({"workspace_id": null, "workspace_ids": ["b"]}), Ok(&["b"])),
        (json!({"workspace_id": null}), Err("missing_claim")),
        (json!({"workspace_id": null, "workspace_ids": []}), Err("missing_claim")),
    ] {
        let found = system.grant(&with(&changes)).map(|authed| authed.workspaces.clone());
        assert_eq!(found, expected.map(|names| names.iter().map(|&n| n.into()).collect()));
    }
}

/// §5.6: folders by their flags, which an administrator needs none of, and operators run only.
#[test]
fn flags_and_roles_decide() {
    let system = by_function();
    let admin = || claim("is_admin", true);
    let on = |folder: &'static str, level| permission(folder, level).or(admin());
    let not_operator = || claim("is_operator", false);
    let rows: Vec<(&str, Value, Policy, bool)> = vec![
        ("listed is readable", json!({}), on("public", "read"), true),
        ("the second flag writes", json!({}), on("reports", "write"), true),
        ("the second flag writes", json!({}), on("public", "write"), false),
        ("the third owns", json!({}), on("own", "owner"), true),
        ("the third owns", json!({}), on("reports", "owner"), false),
        ("not listed", json!({}), on("other", "read"), false),
        ("an administrator", json!({"is_admin": true}), on("other", "owner"), true),
        ("no operator changes", json!({}), on("reports", "write").and(not_operator()), true),
        (
            "an operator does not",
            json!({"is_operator": true}),
            on("reports", "write").and(not_operator()),
            false,
        ),
        ("no word of it is no permission", json!({"is_operator": null}), not_operator(), false),
    ];
    for (sentence, changes, policy, may) in rows {
        let expected = if may { "ok" } else { "not_permitted" };
        assert_eq!(system.decision(&with(&changes), &policy), expected, "{sentence}");
    }
}
