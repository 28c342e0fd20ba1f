//! §5.4 and §5.5: what a token says, and who that is.

use serde_json::{Value, json};

use crate::server::{WHOAMI, Windmill, alice, alice_with, now, token, token_with, windmill};

fn status(windmill: &Windmill, changes: &Value) -> u16 {
    windmill.ask("GET", WHOAMI, &token_with(changes)).status
}

#[test]
fn s5_4_a_claim_that_is_required_must_be_there() {
    let windmill = windmill();
    for name in
        ["email", "username", "is_admin", "is_operator", "groups", "folders", "exp", "workspace_id"]
    {
        assert_eq!(status(&windmill, &json!({name: null})), 401, "{name}");
    }
}

#[test]
fn s5_4_claims_have_their_types() {
    let windmill = windmill();
    for changes in [
        json!({"email": 1}),
        json!({"username": ["alice"]}),
        json!({"is_admin": "false"}),
        json!({"is_admin": 0}),
        json!({"is_operator": "no"}),
        json!({"groups": "all"}),
        json!({"groups": [1]}),
        json!({"folders": ["team"]}),
        json!({"folders": [["team", true]]}),
        json!({"folders": [["team", true, false, true]]}),
        json!({"folders": [["team", "true", false]]}),
        json!({"folders": {"team": true}}),
        json!({"exp": (now() + 600).to_string()}),
        json!({"exp": 1e15 + 0.5}),
        json!({"exp": -1}),
        json!({"workspace_id": 1}),
        json!({"workspace_ids": "demo"}),
        json!({"workspace_ids": ["demo", 1]}),
        json!({"scopes": "users:read"}),
        json!({"scopes": [["users:read"]]}),
        json!({"label": 1}),
        json!({"job_id": 1}),
        json!({"job_id": "no uuid"}),
        json!({"job_id": ""}),
    ] {
        assert_eq!(status(&windmill, &changes), 401, "{changes}");
    }
    for changes in [
        json!({"job_id": "0198f1d2-7a3b-7c4d-8e5f-0123456789ab"}),
        json!({"label": "ci"}),
        json!({"audit_span": "x"}),
        json!({"aud": "anyone", "iss": "anyone", "sub": "anyone", "iat": now(), "nbf": now()}),
        json!({"groups": [], "folders": []}),
    ] {
        assert_eq!(status(&windmill, &changes), 200, "{changes}");
    }
}

#[test]
fn s5_4_a_token_expires_after_a_leeway_of_60_seconds() {
    let windmill = windmill();
    for (exp, expected) in [(now() - 50, 200), (now() - 61, 401), (0, 401), (now() + 1, 200)] {
        assert_eq!(status(&windmill, &json!({"exp": exp})), expected, "{exp}");
    }
}

#[test]
fn s5_4_the_workspace_is_one_of_the_tokens() {
    let windmill = windmill();
    for (changes, expected) in [
        (json!({"workspace_id": "demo"}), 200),
        (json!({"workspace_id": "Demo"}), 401),
        (json!({"workspace_id": "demo2"}), 401),
        (json!({"workspace_id": ""}), 401),
        (json!({"workspace_id": null, "workspace_ids": ["a", "demo"]}), 200),
        (json!({"workspace_id": "other", "workspace_ids": ["demo"]}), 200),
        (json!({"workspace_id": "demo", "workspace_ids": ["a"]}), 200),
        (json!({"workspace_id": null, "workspace_ids": ["a", "*"]}), 401),
        (json!({"workspace_id": null, "workspace_ids": []}), 401),
        (json!({"workspace_id": null, "is_admin": true}), 401),
    ] {
        assert_eq!(status(&windmill, &changes), expected, "{changes}");
    }
}

#[test]
fn s5_5_whoami_shows_the_identity() {
    let windmill = windmill();
    let shown = windmill.ask("GET", WHOAMI, &token(&alice())).json();
    assert_eq!(
        shown,
        json!({
            "email": "alice@example.com",
            "username": "alice",
            "is_admin": false,
            "operator": false,
            "groups": ["all", "ops"],
            "folders": [["team", true, false], ["shown", false, false], ["owned", false, true]],
            "workspace_id": "demo",
            "scopes": null,
        })
    );
    let claims = alice_with(&json!({"scopes": ["users:read"], "is_operator": true}));
    let shown = windmill.ask("GET", WHOAMI, &token(&claims)).json();
    assert_eq!((&shown["scopes"], &shown["operator"]), (&json!(["users:read"]), &json!(true)));
}

#[test]
fn s5_5_no_scopes_and_an_empty_list_of_them_are_unrestricted() {
    let windmill = windmill();
    for (scopes, expected) in [
        (json!(null), 200),
        (json!([]), 200),
        (json!(["if_jobs:filter_tags:gpu"]), 200),
        (json!(["if_jobs:filter_tags:gpu", "if_jobs:filter_tags:a,b"]), 200),
        (json!(["if_jobs:filter_tags:gpu", "users:read"]), 200),
        (json!(["if_jobs:filter_tags:gpu", "jobs:read"]), 403),
        (json!([""]), 403),
        (json!([" "]), 403),
        (json!(["no_api_access"]), 403),
        (json!(["*"]), 403),
    ] {
        assert_eq!(status(&windmill, &json!({"scopes": scopes})), expected, "{scopes}");
    }
}
