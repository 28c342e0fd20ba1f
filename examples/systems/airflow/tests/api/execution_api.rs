//! §3.2, §3.4, §3.5, §3.6 and §3.8 of the Execution API.

use serde_json::{Value, json};

use crate::server::{Airflow, TASK, airflow, airflow_with, claims, now, task, token, with};

const VARIABLE: &str = "/execution/variables/x";
const INVALID: &str = "Invalid auth token";
const REISSUED: &str = "refreshed-api-token";

fn run() -> String {
    format!("/execution/task-instances/{TASK}/run")
}

fn heartbeat() -> String {
    format!("/execution/task-instances/{TASK}/heartbeat")
}

fn detail(airflow: &Airflow, changes: &Value) -> (u16, String) {
    let answer = airflow.call("GET", VARIABLE, &token(&with(task("execution"), changes)));
    if answer.status == 200 { (200, String::new()) } else { answer.detail() }
}

#[test]
fn s3_2_only_the_header_has_the_token() {
    let airflow = airflow();
    let good = token(&task("execution"));
    for (headers, status, text) in [
        (format!("authorization: Bearer {good}\r\n"), 200, ""),
        (format!("authorization: bearer {good}\r\n"), 200, ""),
        (format!("cookie: _token={good}\r\n"), 401, "Missing auth token"),
        ("authorization: Basic YTpi\r\n".to_owned(), 401, "Missing auth token"),
        ("authorization: Bearer\r\n".to_owned(), 401, "Missing auth token"),
        ("authorization: Bearer junk\r\n".to_owned(), 403, INVALID),
        (String::new(), 401, "Missing auth token"),
    ] {
        let answer = airflow.send("GET", VARIABLE, &headers, "");
        assert_eq!(answer.status, status, "{headers}");
        if status != 200 {
            assert_eq!(answer.detail().1, text, "{headers}");
        }
    }
}

#[test]
fn s3_4_every_fault_of_a_token_is_403() {
    let airflow = airflow();
    for (changes, status) in [
        (json!({}), 200),
        (json!({"exp": now() - 5}), 200),
        (json!({"exp": now() - 20}), 403),
        (json!({"exp": "-"}), 403),
        (json!({"iat": "-"}), 403),
        (json!({"iat": now() + 20}), 403),
        (json!({"nbf": "-"}), 200),
        (json!({"nbf": now() + 20}), 403),
        (json!({"aud": "-"}), 403),
        (json!({"aud": "apache-airflow"}), 403),
        (json!({"iss": "anyone"}), 200),
        (json!({"jti": "-"}), 200),
        (json!({"sub": "-"}), 403),
        (json!({"sub": "alice"}), 403),
        (json!({"sub": 1}), 403),
    ] {
        let text = if status == 200 { "" } else { INVALID };
        assert_eq!(detail(&airflow, &changes), (status, text.to_owned()), "{changes}");
    }
}

#[test]
fn s3_4_audience_and_issuer_are_lists_whose_first_signs() {
    let airflow = airflow_with(&[
        ("AIRFLOW__EXECUTION_API__JWT_AUDIENCE", "a, b"),
        ("AIRFLOW__API_AUTH__JWT_ISSUER", "one,two"),
    ]);
    for (changes, status) in [
        (json!({"aud": "a", "iss": "one"}), 200),
        (json!({"aud": "b", "iss": "two"}), 200),
        (json!({"aud": "c", "iss": "one"}), 403),
        (json!({"aud": "a", "iss": "three"}), 403),
        (json!({"aud": "a"}), 403),
    ] {
        assert_eq!(detail(&airflow, &changes).0, status, "{changes}");
    }
    let claims = claims(&airflow.queue(TASK));
    assert_eq!((&claims["aud"], &claims["iss"]), (&json!("a"), &json!("one")));
}

#[test]
fn s3_5_the_scope_decides_which_routes_a_token_is_for() {
    let airflow = airflow();
    let test = format!("/execution/connection-tests/{TASK}/run");
    let denied = |scope: &str, allowed: &str| {
        format!("Token type '{scope}' not allowed for this endpoint. Allowed types: {allowed}")
    };
    for (scope, method, path, expected) in [
        ("execution", "GET", VARIABLE, Ok(200)),
        ("workload", "GET", VARIABLE, Err(denied("workload", "execution"))),
        ("execution", "PATCH", &run(), Ok(200)),
        ("workload", "PATCH", &run(), Ok(200)),
        ("execution", "PUT", &heartbeat(), Ok(204)),
        ("workload", "PUT", &heartbeat(), Err(denied("workload", "execution"))),
        ("execution", "POST", &test, Err(denied("execution", "workload"))),
        ("workload", "POST", &test, Ok(200)),
    ] {
        let answer = airflow.call(method, path, &token(&task(scope)));
        match expected {
            Ok(status) => assert_eq!(answer.status, status, "{scope} {path}"),
            Err(text) => assert_eq!(answer.detail(), (403, text), "{scope} {path}"),
        }
    }
}

#[test]
fn s3_5_an_absent_scope_is_execution_and_another_is_403() {
    let airflow = airflow();
    assert_eq!(detail(&airflow, &json!({"scope": "-"})).0, 200);
    for scope in [json!("callback"), json!("Execution"), json!(["execution"]), json!(1), json!("")]
    {
        let (status, text) = detail(&airflow, &json!({"scope": scope}));
        assert_eq!(status, 403, "{scope}");
        assert!(text.starts_with("Invalid auth token: "), "{text}");
    }
}

#[test]
fn s3_5_a_token_is_for_its_own_task_and_connection_test() {
    let airflow = airflow();
    let other = "0198f1de-7c4e-7aaa-9f00-2f6f4c1f2b3d";
    for (scope, method, path, text) in [
        (
            "execution",
            "PATCH",
            format!("/execution/task-instances/{other}/run"),
            "task instance ID",
        ),
        (
            "execution",
            "PUT",
            format!("/execution/task-instances/{other}/heartbeat"),
            "task instance ID",
        ),
        (
            "execution",
            "PUT",
            "/execution/task-instances/x/heartbeat".to_owned(),
            "task instance ID",
        ),
        (
            "workload",
            "POST",
            format!("/execution/connection-tests/{other}/run"),
            "connection test ID",
        ),
    ] {
        let answer = airflow.call(method, &path, &token(&task(scope)));
        let text = format!("Token subject does not match {text}");
        assert_eq!(answer.detail(), (403, text), "{path}");
    }
    // The subject is compared as a UUID.
    let upper = with(task("execution"), &json!({"sub": TASK.to_uppercase()}));
    assert_eq!(airflow.call("PUT", &heartbeat(), &token(&upper)).status, 204);
}

#[test]
fn s3_6_a_workload_token_is_handed_over_for_an_execution_token() {
    let airflow = airflow_with(&[
        ("AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT", "700.0"),
        ("AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME", "500"),
    ]);
    let workload = airflow.queue(TASK);
    let queued = claims(&workload);
    assert_eq!((&queued["sub"], &queued["scope"]), (&json!(TASK), &json!("workload")));
    assert_eq!(queued["exp"].as_i64().unwrap() - queued["iat"].as_i64().unwrap(), 700);
    let answer = airflow.call("PATCH", &run(), &workload);
    assert_eq!(answer.status, 200);
    let execution = answer.field(REISSUED);
    let running = claims(execution);
    assert_eq!((&running["sub"], &running["scope"]), (&json!(TASK), &json!("execution")));
    assert_eq!(running["exp"].as_i64().unwrap() - running["iat"].as_i64().unwrap(), 500);
    assert_eq!(airflow.call("PUT", &heartbeat(), execution).status, 204);
    // A task that runs already gets none.
    let again = airflow.call("PATCH", &run(), execution);
    assert_eq!((again.status, again.fields(REISSUED).len()), (200, 0));
}

#[test]
fn the_scheduler_gives_tokens_for_uuids_alone() {
    let airflow = airflow();
    for body in
        [json!({"task_instance_id": "x"}), json!({"task_instance_id": 1}), json!({}), json!("x")]
    {
        let answer = airflow.send("POST", "/example/workload-token", "", &body.to_string());
        assert_eq!(answer.status, 422, "{body}");
        assert!(answer.json()["detail"].is_string());
    }
}

#[test]
fn the_health_check_is_open() {
    assert_eq!(airflow().call("GET", "/execution/health", "junk").status, 200);
}

/// A token of a task with 1,000 seconds of life, of which these are left.
fn aged(left: i64, changes: &Value) -> String {
    let dates =
        json!({"iat": now() + left - 1000, "nbf": now() + left - 1000, "exp": now() + left});
    token(&with(with(task("execution"), &dates), changes))
}

#[test]
fn s3_6_a_token_near_its_end_is_reissued_after_any_status() {
    let airflow = airflow_with(&[("AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME", "500")]);
    let other = "/execution/task-instances/0198f1de-7c4e-7aaa-9f00-2f6f4c1f2b3d/heartbeat";
    let test = format!("/execution/connection-tests/{TASK}/run");
    let old = aged(150, &json!({"queue": "default"}));
    for (method, path, status) in [
        ("GET", VARIABLE, 200),
        ("PUT", &heartbeat(), 204),
        ("PATCH", &run(), 200),
        ("PUT", other, 403),
        ("POST", &test, 403),
        ("DELETE", VARIABLE, 405),
    ] {
        let answer = airflow.call(method, path, &old);
        assert_eq!(answer.status, status, "{method} {path}");
        let new = answer.field(REISSUED);
        let (old, claims) = (claims(&old), claims(new));
        for kept in ["sub", "scope", "aud", "queue"] {
            assert_eq!(claims[kept], old[kept], "{kept}");
        }
        assert_ne!(claims["jti"], old["jti"]);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 500);
        assert_eq!(airflow.call("PUT", &heartbeat(), new).status, 204);
    }
}

#[test]
fn s3_6_a_token_is_reissued_in_the_last_fifth_of_its_life_or_30_seconds() {
    let airflow = airflow();
    let short = |left: i64| json!({"iat": now() + left - 60, "exp": now() + left});
    for (token, reissued, what) in [
        (aged(250, &json!({})), false, "a quarter is left"),
        (aged(199, &json!({})), true, "less than a fifth is left"),
        (token(&with(task("execution"), &short(40))), false, "40 s of 60 are left"),
        (token(&with(task("execution"), &short(25))), true, "25 s of 60 are left"),
        (aged(-5, &json!({})), true, "it is over, within the leeway"),
        (aged(-30, &json!({})), false, "it is over"),
        (aged(150, &json!({"scope": "-"})), true, "without a scope"),
        (aged(150, &json!({"scope": "workload"})), false, "of a workload"),
        (aged(150, &json!({"aud": "other"})), false, "of another audience"),
    ] {
        let answer = airflow.call("GET", VARIABLE, &token);
        assert_eq!(answer.fields(REISSUED).len(), usize::from(reissued), "{what}");
    }
    // The hand-over gives one token, and not two.
    let answer = airflow.call("PATCH", &run(), &aged(150, &json!({"scope": "workload"})));
    assert_eq!((answer.status, answer.fields(REISSUED).len()), (200, 1));
    assert_eq!(claims(answer.fields(REISSUED)[0])["scope"], "execution");
}
