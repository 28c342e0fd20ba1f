//! §5.7: what a rejected caller is told.

use serde_json::{Value, json};

use crate::server::{Answer, WHOAMI, token_with, windmill};

/// Neither header nor body tells why.
fn assert_says(answer: &Answer, status: u16, body: &str) {
    assert_eq!((answer.status, &*answer.body), (status, body));
    let head = answer.head.to_ascii_lowercase();
    assert!(head.contains("content-type: text/plain"), "{head}");
    assert!(!head.contains("www-authenticate"), "{head}");
}

#[test]
fn s5_7_all_causes_of_a_401_look_the_same() {
    let windmill = windmill();
    let long = "a".repeat(20_000);
    for headers in [
        String::new(),
        "authorization: Bearer\r\n".to_owned(),
        "authorization: Bearer jwt_ext_a.b.c\r\n".to_owned(),
        "authorization: Bearer jwt_ext_a b\r\n".to_owned(),
        format!("authorization: Bearer jwt_ext_{long}\r\n"),
        format!("authorization: Bearer {}\r\n", token_with(&json!({"exp": 1}))),
        format!("authorization: Bearer {}\r\n", token_with(&json!({"email": 1}))),
        format!("authorization: Bearer {}\r\n", token_with(&json!({"workspace_id": "other"}))),
    ] {
        assert_says(&windmill.whoami(&headers), 401, "Not authorized: Unauthorized");
    }
}

#[test]
fn s5_7_rejections_of_a_known_caller_say_what_is_missing() {
    let windmill = windmill();
    let ask = |method: &str, path: &str, changes: &Value| {
        windmill.ask(method, &format!("/api/w/demo/{path}"), &token_with(changes))
    };
    assert_says(
        &ask("GET", "users/whoami", &json!({"scopes": ["jobs:read"]})),
        403,
        "Permission denied: Access denied. Required scope: users:read",
    );
    assert_says(
        &ask("GET", "scripts/get/p/u/alice/x", &json!({"scopes": ["scripts:read:u/alice/y"]})),
        403,
        "Permission denied: Access denied. Required scope: scripts:read:u/alice/x",
    );
    assert_says(
        &ask("GET", "users/whoami", &json!({"scopes": ["bogus:read"]})),
        400,
        "Bad request: invalid scope",
    );
    assert_says(&ask("POST", "users/add", &json!({})), 403, "Require Admin privileges for alice");
    assert_says(
        &ask("POST", "folders/update/team", &json!({})),
        403,
        "You are not owner of the folder team",
    );
    assert_says(
        &ask("GET", "scripts/get/p/u/bob/x", &json!({})),
        403,
        "Permission denied: cannot read u/bob/x",
    );
}

#[test]
fn s5_7_a_script_that_may_not_be_created_is_rejected_in_the_same_form() {
    let windmill = windmill();
    let create = |path: &str, changes: &Value| {
        let header = format!("authorization: Bearer {}\r\n", token_with(changes));
        let body = json!({"path": path}).to_string();
        windmill.send("POST", "/api/w/demo/scripts/create", &header, &body)
    };
    assert_says(&create("u/bob/x", &json!({})), 403, "Permission denied: cannot write u/bob/x");
    assert_says(
        &create("u/alice/x", &json!({"is_operator": true})),
        403,
        "Permission denied: Operators cannot create scripts for security reasons",
    );
    assert_says(
        &create("u/alice/x", &json!({"scopes": ["scripts:write:f/team/*"]})),
        403,
        "Permission denied: Access denied. Required scope: scripts:write:u/alice/x",
    );
}

#[test]
fn s5_7_a_response_to_a_token_in_the_query_is_not_stored() {
    let windmill = windmill();
    let answer =
        windmill.send("GET", &format!("{WHOAMI}?token={}", token_with(&json!({}))), "", "");
    assert!(answer.head.to_ascii_lowercase().contains("cache-control: no-store"));
}
