//! Airflow: kinds of tokens for tasks, and roles and teams for people (§3.5, §3.7).

use portcullis::{
    AuthError, AuthErrorKind, Grant, GrantMapping, Principal,
    policy::{self, RoleHierarchy, TokenKinds},
};
use serde_json::{Map, Value, json};

use super::{System, assert_row};

const TASK: &str = "0198f1de-7c4e-7aaa-9f00-2f6f4c1f2b3c";

/// What Airflow keeps of a token of a task.
#[derive(Clone, Debug, Eq, PartialEq)]
struct TaskToken {
    id: String,
    scope: TaskScope,
    claims: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum TaskScope {
    Execution,
    Workload,
}

fn task_token(caller: &Principal) -> Result<TaskToken, AuthError> {
    let mut claims: Map<String, Value> = caller.claims()?;
    let scope = match claims.remove("scope").as_ref().map(Value::as_str) {
        None | Some(Some("execution")) => TaskScope::Execution,
        Some(Some("workload")) => TaskScope::Workload,
        Some(_) => return Err(AuthErrorKind::NotPermitted.into()),
    };
    let id = caller.subject();
    if !is_uuid(id) {
        return Err(AuthErrorKind::MalformedClaim.into());
    }
    Ok(TaskToken { id: id.to_owned(), scope, claims })
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(is_hex)
}

#[test]
fn a_token_of_a_task_is_its_id_its_scope_and_all_other_claims() {
    let system =
        System::new(GrantMapping::default(), |builder| builder.with_grant_from(task_token));
    for (sentence, scope, expected) in [
        ("`execution`", json!("execution"), Ok(TaskScope::Execution)),
        ("`workload`", json!("workload"), Ok(TaskScope::Workload)),
        ("another", json!("callback"), Err("not_permitted")),
        ("one string, not two", json!("execution workload"), Err("not_permitted")),
        ("no list", json!(["execution"]), Err("not_permitted")),
        ("case counts", json!("Execution"), Err("not_permitted")),
    ] {
        let claims = json!({ "sub": TASK, "scope": scope, "queue": "default" });
        let found = system.grant(&claims).map(|token| token.scope);
        assert_eq!(found, expected, "{sentence}");
    }
    let absent = system.grant(&json!({ "sub": TASK, "queue": "default" })).unwrap();
    assert_eq!((absent.scope, &*absent.id), (TaskScope::Execution, TASK));
    assert_eq!(absent.claims.get("queue"), Some(&json!("default")));
    for subject in
        ["task", "", "0198f1de7c4e7aaa9f002f6f4c1f2b3c", "0198f1de-7c4e-7aaa-9f00-2f6f4c1f2b3x"]
    {
        let found = system.grant(&json!({ "sub": subject })).map(|token| token.scope);
        assert_eq!(found, Err("malformed_claim"), "{subject}");
    }
}

/// The same by a policy, without a type of the application.
#[test]
fn the_scope_decides_which_routes_a_task_may_call() {
    let system = System::by_data(GrantMapping::default());
    let kinds = TokenKinds::new("scope", ["execution", "workload"]).absent_is("execution");
    let (execution, both) = (kinds.only("execution"), kinds.one_of(["execution", "workload"]));
    let workload = kinds.only("workload");
    for (claims, may_execute, may_both, may_work) in [
        (json!({"scope": "execution"}), true, true, false),
        (json!({}), true, true, false),
        (json!({"scope": "workload"}), false, true, true),
        (json!({"scope": "callback"}), false, false, false),
        (json!({"scope": "execution workload"}), false, false, false),
    ] {
        for (policy, may) in [(&execution, may_execute), (&both, may_both), (&workload, may_work)] {
            let expected = if may { "ok" } else { "not_permitted" };
            assert_eq!(system.decision(&claims, policy), expected, "{claims}");
        }
    }
}

fn people() -> GrantMapping {
    GrantMapping::default().roles(["role"]).groups(["teams"])
}

#[test]
fn people_have_one_role_and_teams() {
    let system = System::by_data(people());
    let teams = |role: &str| Grant::builder().roles([role]).groups(["red", "blue"]).build();
    for (sentence, claims, expected) in [
        ("role and teams", json!({"role": "ADMIN", "teams": ["red", "blue"]}), Ok(teams("ADMIN"))),
        ("no role", json!({"teams": []}), Ok(Grant::default())),
        ("`null` is missing", json!({"role": null, "teams": null}), Ok(Grant::default())),
        ("a role of another type", json!({"role": 3}), Err("malformed_claim")),
    ] {
        assert_row(sentence, &claims, &system.grant(&claims), &expected);
    }
}

/// §3.7: an unknown role is a fault of Airflow's, and nothing but no role here.
#[test]
fn roles_stand_in_an_order_in_any_case_and_none_is_denied() {
    let system = System::by_data(people());
    let ranks = RoleHierarchy::new(["viewer", "user", "op", "admin"]).ignoring_ascii_case();
    for (role, rank) in [
        (json!("VIEWER"), Some(0)),
        (json!("user"), Some(1)),
        (json!("Op"), Some(2)),
        (json!("admin"), Some(3)),
        (json!("root"), None),
        (json!(null), None),
    ] {
        let claims = json!({ "role": role });
        for (required, name) in ["viewer", "user", "op", "admin"].into_iter().enumerate() {
            let may = system.decision(&claims, &ranks.role_at_least(name)) == "ok";
            assert_eq!(may, rank >= Some(required), "{claims} {name}");
        }
    }
}

#[test]
fn a_resource_of_a_team_is_for_the_team_and_for_administrators() {
    let system = System::by_data(people());
    let policy = policy::role("ADMIN").or(policy::grant(|grant: &Grant| grant.is_in_group("red")));
    for (claims, expected) in [
        (json!({"role": "USER", "teams": ["red"]}), "ok"),
        (json!({"role": "USER", "teams": ["blue"]}), "insufficient_role"),
        (json!({"role": "ADMIN", "teams": ["blue"]}), "ok"),
        (json!({"role": "USER"}), "insufficient_role"),
    ] {
        assert_eq!(system.decision(&claims, &policy), expected, "{claims}");
    }
}
