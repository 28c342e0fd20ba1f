//! §2.5: from claims to a role.

use serde_json::{Value, json};

use crate::server::{SERVICE_TOKEN, UI_TOKEN, World};

/// Whom a token with these claims makes, as the API tells; or the status.
fn who(world: &World, claims: &Value) -> String {
    let members = claims.as_object().unwrap();
    let token = members.iter().fold(world.token(), |token, (name, value)| token.claim(name, value));
    let answer = world.krishiv.get("/api/jobs", &token.build());
    match answer.status {
        200 => {
            format!("{} {}", answer.json()["role"].as_str().unwrap(), answer.json()["principal"])
        }
        status => status.to_string(),
    }
}

#[test]
fn s2_5_the_role_is_an_exact_lower_case_name_and_any_other_reads() {
    let world = World::start();
    for (claims, expected) in [
        (json!({"krishiv_role": "admin"}), r#"admin "admin:alice""#),
        (json!({"krishiv_role": "writer"}), r#"writer "writer:alice""#),
        (json!({"krishiv_role": "reader"}), r#"reader "reader:alice""#),
        (json!({"krishiv_role": "Admin"}), r#"reader "reader:alice""#),
        (json!({"krishiv_role": " admin"}), r#"reader "reader:alice""#),
        (json!({"krishiv_role": "admin,writer"}), r#"reader "reader:alice""#),
        (json!({"krishiv_role": ""}), r#"reader "reader:alice""#),
        (json!({"krishiv_role": "root"}), r#"reader "reader:alice""#),
        (json!({"krishiv_role": null}), r#"reader "alice""#),
        (json!({}), r#"reader "alice""#),
        (json!({"krishiv_role": 2}), "401"),
        (json!({"krishiv_role": true}), "401"),
        (json!({"krishiv_role": {"admin": true}}), "401"),
        (json!({"krishiv_role": ["admin", 1]}), "401"),
    ] {
        assert_eq!(who(&world, &claims), expected, "{claims}");
    }
}

#[test]
fn s2_10_of_a_list_of_roles_the_highest_counts() {
    let world = World::start();
    for (roles, expected) in [
        (json!(["reader", "admin", "writer"]), r#"admin "admin:alice""#),
        (json!(["staff", "writer"]), r#"writer "writer:alice""#),
        (json!(["staff"]), r#"reader "reader:alice""#),
        (json!([]), r#"reader "alice""#),
    ] {
        assert_eq!(who(&world, &json!({"krishiv_role": roles})), expected, "{roles}");
    }
}

#[test]
fn s2_5_a_subject_gives_no_role() {
    let world = World::start();
    for subject in ["admin:alice", "writer:alice", "admin:coordinator-control-plane"] {
        let expected = format!("reader \"{subject}\"");
        assert_eq!(who(&world, &json!({"sub": subject})), expected);
        let rejected = world.token().subject(subject).build();
        assert_eq!(world.krishiv.post("/api/jobs/x/cancel", &rejected).status, 403);
    }
}

#[test]
fn s2_10_three_claims_are_tried_and_the_first_that_is_there_counts() {
    let world = World::start();
    for (claims, expected) in [
        (json!({"https://krishiv/roles": ["writer"]}), r#"writer "writer:alice""#),
        (json!({"groups": ["staff", "admin"]}), r#"admin "admin:alice""#),
        (json!({"krishiv_role": "writer", "groups": ["admin"]}), r#"writer "writer:alice""#),
        (
            json!({"https://krishiv/roles": "reader", "groups": ["admin"]}),
            r#"reader "reader:alice""#,
        ),
        // What is not there in so many words does not hide the next.
        (json!({"krishiv_role": null, "groups": ["admin"]}), r#"admin "admin:alice""#),
        (json!({"roles": ["admin"], "scope": "admin"}), r#"reader "alice""#),
        // Claims that mean nothing here may be of any type.
        (json!({"krishiv_role": "admin", "groups": 7, "scope": 7}), r#"admin "admin:alice""#),
    ] {
        assert_eq!(who(&world, &claims), expected, "{claims}");
    }
}

#[test]
fn s2_10_the_claims_are_names_or_json_pointers_with_commas_between() {
    let world = World::with(&[("KRISHIV_OIDC_ROLE_CLAIM", "/realm_access/roles , a.b")]);
    for (claims, expected) in [
        (json!({"realm_access": {"roles": ["writer", "offline"]}}), r#"writer "writer:alice""#),
        (json!({"a.b": "admin"}), r#"admin "admin:alice""#),
        (json!({"realm_access": {}, "a.b": "admin"}), r#"admin "admin:alice""#),
        (json!({"a": {"b": "admin"}}), r#"reader "alice""#),
        (json!({"krishiv_role": "admin", "groups": ["admin"]}), r#"reader "alice""#),
        (json!({"realm_access": "admin"}), "401"),
    ] {
        assert_eq!(who(&world, &claims), expected, "{claims}");
    }
}

#[test]
fn s2_5_static_tokens_are_administrators_and_that_of_the_page_a_reader() {
    let world = World::with(&[("KRISHIV_COORDINATOR_BEARER_TOKENS", "second, third\nfourth")]);
    for token in [SERVICE_TOKEN, "second", "third", "fourth"] {
        let answer = world.krishiv.get("/api/jobs", token).json();
        assert_eq!(answer["principal"], "admin:coordinator-control-plane");
        assert_eq!(answer["role"], "admin");
    }
    let page = world.krishiv.get("/api/jobs", UI_TOKEN).json();
    assert_eq!(
        (page["principal"].as_str(), page["role"].as_str()),
        (Some("reader:ui"), Some("reader"))
    );
}
