//! §5.6: who may do what.

use serde_json::{Value, json};

use crate::server::{Answer, Windmill, token_with, windmill};

const READ: (&str, &str) = ("GET", "scripts/get/p/");
const RUN: (&str, &str) = ("POST", "jobs/run/p/");

fn on_path(windmill: &Windmill, route: (&str, &str), path: &str, changes: &Value) -> Answer {
    windmill.ask(route.0, &format!("/api/w/demo/{}{path}", route.1), &token_with(changes))
}

fn create(windmill: &Windmill, path: &str, changes: &Value) -> Answer {
    let header = format!("authorization: Bearer {}\r\n", token_with(changes));
    let body = json!({"path": path}).to_string();
    windmill.send("POST", "/api/w/demo/scripts/create", &header, &body)
}

#[test]
fn s5_6_paths_are_read_by_their_owner_and_by_folder() {
    let windmill = windmill();
    for (path, expected) in [
        ("u/alice/x", true),
        ("u/alice/a/b", true),
        ("u/bob/x", false),
        ("u/alice2/x", false),
        ("u/Alice/x", false),
        ("u/alice", false),
        ("u/alice/", false),
        ("f/team/x", true),
        ("f/shown/x", true),
        ("f/owned/x", true),
        ("f/secret/x", false),
        ("f/teams/x", false),
        ("f/team", false),
        ("g/ops/x", false),
        ("alice/x", false),
        ("U/alice/x", false),
        ("u%2Falice%2Fx", true),
        ("u/%61lice/x", true),
        ("u//alice/x", false),
    ] {
        let statuses = [READ, RUN].map(|route| on_path(&windmill, route, path, &json!({})).status);
        assert_eq!(statuses, if expected { [200, 201] } else { [403, 403] }, "{path}");
    }
    let admin = json!({"is_admin": true});
    for path in ["u/bob/x", "f/secret/x", "g/ops/x"] {
        assert_eq!(on_path(&windmill, READ, path, &admin).status, 200, "{path}");
        assert_eq!(on_path(&windmill, RUN, path, &admin).status, 201, "{path}");
    }
}

#[test]
fn s5_6_paths_are_written_by_their_owner_and_by_the_second_flag_of_a_folder() {
    let windmill = windmill();
    for (path, expected) in [
        ("u/alice/x", 201),
        ("u/bob/x", 403),
        ("f/team/x", 201),
        ("f/shown/x", 403),
        ("f/owned/x", 403),
        ("f/secret/x", 403),
        ("", 403),
    ] {
        assert_eq!(create(&windmill, path, &json!({})).status, expected, "{path}");
    }
    assert_eq!(create(&windmill, "f/secret/x", &json!({"is_admin": true})).status, 201);
}

#[test]
fn s5_6_operators_run_and_do_not_create() {
    let windmill = windmill();
    for admin in [false, true] {
        let operator = json!({"is_operator": true, "is_admin": admin});
        assert_eq!(create(&windmill, "u/alice/x", &operator).status, 403);
        assert_eq!(on_path(&windmill, READ, "u/alice/x", &operator).status, 200);
        assert_eq!(on_path(&windmill, RUN, "u/alice/x", &operator).status, 201);
    }
}

#[test]
fn s5_6_folders_are_updated_by_their_owner_or_an_admin() {
    let windmill = windmill();
    for (folder, admin, expected) in [
        ("owned", false, 200),
        ("team", false, 403),
        ("shown", false, 403),
        ("secret", false, 403),
        ("secret", true, 200),
    ] {
        let token = token_with(&json!({"is_admin": admin}));
        let answer = windmill.ask("POST", &format!("/api/w/demo/folders/update/{folder}"), &token);
        assert_eq!(answer.status, expected, "{folder} {admin}");
    }
}

#[test]
fn s5_6_admins_add_users() {
    let windmill = windmill();
    for (admin, expected) in [(false, 403), (true, 201)] {
        let token = token_with(&json!({"is_admin": admin}));
        assert_eq!(windmill.ask("POST", "/api/w/demo/users/add", &token).status, expected);
    }
}

#[test]
fn s5_6_a_route_asks_for_a_scope_of_its_domain_and_action() {
    let windmill = windmill();
    let admin = |scope: &str| json!({"is_admin": true, "scopes": [scope]});
    let all = [
        ("GET", "users/whoami", "users:read"),
        ("POST", "users/add", "users:write"),
        ("GET", "scripts/get/p/u/alice/x", "scripts:read"),
        ("POST", "scripts/create", "scripts:write"),
        ("POST", "jobs/run/p/u/alice/x", "jobs:run"),
        ("POST", "folders/update/team", "folders:write"),
    ];
    for (method, path, needed) in all {
        for (_, _, held) in all {
            let header = format!("authorization: Bearer {}\r\n", token_with(&admin(held)));
            let target = format!("/api/w/demo/{path}");
            let answer = windmill.send(method, &target, &header, r#"{"path":"u/alice/x"}"#);
            // Writing includes reading.
            let granted = held == needed || held.replace("write", "read") == needed;
            assert_eq!(answer.status < 300, granted, "{held} for {needed}: {}", answer.status);
            assert!(granted || answer.status == 403, "{held} for {needed}: {}", answer.status);
        }
    }
}

#[test]
fn s5_6_scopes_of_the_grammar() {
    let windmill = windmill();
    let read =
        |scope: Value| on_path(&windmill, READ, "f/team/x", &json!({"scopes": scope})).status;
    for (scope, expected) in [
        ("scripts:read", 200),
        ("scripts:write", 200),
        ("scripts:delete", 200),
        // Running covers reading for routes, and not inside of them.
        ("scripts:run", 403),
        ("scripts:read:f/team/x", 200),
        ("scripts:read:*", 200),
        ("scripts:read:f/team/*", 200),
        ("scripts:read:f/*", 200),
        ("scripts:write:f/team/x", 200),
        ("scripts:read:f/other/*,f/team/*", 200),
        ("scripts:read:f/team/x/*", 200),
        ("scripts:read:f/team", 403),
        ("scripts:read:f/tea/*", 403),
        ("scripts:read:f/team/x/y", 403),
        ("scripts:read:f/team/y", 403),
        ("scripts:read:f/team*", 403),
        ("scripts:read:", 403),
        ("Scripts:read", 400),
        ("scripts:Read", 400),
        ("scripts:read:f/team/x:y", 403),
        ("scripts", 403),
        ("scripts:", 400),
        ("a:b:c:d:e", 403),
        ("jobs:run:scripts", 403),
        ("users:read", 403),
    ] {
        assert_eq!(read(json!([scope])), expected, "{scope}");
    }
}

#[test]
fn s5_6_kinds_of_runs() {
    let windmill = windmill();
    for (scope, expected) in [
        ("jobs:run", 201),
        ("jobs:run:scripts", 201),
        ("jobs:run:scripts:f/team/x", 201),
        ("jobs:run:scripts:f/team/*", 201),
        ("jobs:run:scripts:f/other/*", 403),
        ("jobs:run:flows", 403),
        ("jobs:run:flows:f/team/x", 403),
        ("jobs:write", 403),
        ("jobs:read", 403),
        ("scripts:run", 403),
    ] {
        let answer = on_path(&windmill, RUN, "f/team/x", &json!({"scopes": [scope]}));
        assert_eq!(answer.status, expected, "{scope}");
    }
}

#[test]
fn s5_6_forms_of_old_tokens_are_rewritten() {
    let windmill = windmill();
    for (scope, expected) in [
        ("run:script/f/team/x", 201),
        ("run:script/f/team/*", 201),
        ("run:script/f/other/x", 403),
        ("run:flow/f/team/x", 403),
        ("jobs:runscript", 201),
        ("jobs:runflow", 403),
        ("jobs:resumeflow", 403),
        ("jobs:listjobs", 403),
        ("jobs:deletejob", 403),
    ] {
        let answer = on_path(&windmill, RUN, "f/team/x", &json!({"scopes": [scope]}));
        assert_eq!(answer.status, expected, "{scope}");
    }
}

#[test]
fn s5_6_an_unknown_domain_or_action_is_400_unless_an_earlier_entry_grants() {
    let windmill = windmill();
    for (scopes, expected) in [
        (json!(["bogus:read"]), 400),
        (json!(["scripts:bogus"]), 400),
        (json!(["bogus:read", "scripts:read"]), 400),
        (json!(["scripts:read", "bogus:read"]), 200),
        (json!(["users:read", "bogus:read", "scripts:read"]), 400),
        (json!(["no shape", "a:b:c:d:e", "scripts:read"]), 200),
    ] {
        let answer = on_path(&windmill, READ, "f/team/x", &json!({"scopes": scopes}));
        assert_eq!(answer.status, expected, "{scopes}");
    }
}

#[test]
fn s5_6_a_scope_limits_what_is_created_and_which_folder_is_updated() {
    let windmill = windmill();
    for (scope, path, expected) in [
        ("scripts:write:f/team/*", "f/team/x", 201),
        ("scripts:write:f/team/*", "u/alice/x", 403),
        ("scripts:read", "f/team/x", 403),
        ("scripts:write", "f/shown/x", 403),
        ("scripts:write:f/team/*", "f/shown/a,f/team/x", 403),
    ] {
        let answer = create(&windmill, path, &json!({"scopes": [scope]}));
        assert_eq!(answer.status, expected, "{scope} {path}");
    }
    for (scope, expected) in [
        ("folders:write", 200),
        ("folders:write:owned", 200),
        ("folders:write:f/owned", 200),
        ("folders:write:f/owned/*", 200),
        ("folders:write:team", 403),
        ("folders:read", 403),
    ] {
        let token = token_with(&json!({"scopes": [scope]}));
        let answer = windmill.ask("POST", "/api/w/demo/folders/update/owned", &token);
        assert_eq!(answer.status, expected, "{scope}");
    }
}
