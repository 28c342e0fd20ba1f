//! §3.2, §3.4, §3.7 and §3.8 of the Core API.

use portcullis_axum::Algorithm;
use portcullis_testkit::SigningKey;
use serde_json::{Value, json};

use crate::server::{
    Airflow, SECRET, airflow, airflow_with, claims, now, token, token_by, user, with,
};

const DAGS: &str = "/api/v2/dags";
const INVALID: &str = "Invalid JWT token";

fn detail(airflow: &Airflow, changes: &Value) -> (u16, String) {
    let answer = airflow.call("GET", DAGS, &token(&with(user("ADMIN"), changes)));
    if answer.status == 200 { (200, String::new()) } else { answer.detail() }
}

#[test]
fn s3_2_the_bearer_token_wins_over_the_cookie_and_does_not_fall_back_to_it() {
    let airflow = airflow();
    let (good, bad) = (token(&user("VIEWER")), "junk");
    for (headers, status, text) in [
        (format!("authorization: Bearer {good}\r\n"), 200, ""),
        (format!("authorization: bEARER {good}\r\n"), 200, ""),
        (format!("cookie: _token={good}\r\n"), 200, ""),
        (format!("cookie: other={good}\r\n"), 401, "Not authenticated"),
        (format!("authorization: Bearer {bad}\r\ncookie: _token={good}\r\n"), 403, INVALID),
        (format!("authorization: Bearer {good}\r\ncookie: _token={bad}\r\n"), 200, ""),
        (format!("authorization: Basic YTpi\r\ncookie: _token={good}\r\n"), 200, ""),
        ("authorization: Basic YTpi\r\n".to_owned(), 401, "Not authenticated"),
        ("authorization: Bearer\r\n".to_owned(), 401, "Not authenticated"),
        (format!("authorization: Bearer\r\ncookie: _token={good}\r\n"), 200, ""),
        (format!("authorization: Bearer {good} x\r\n"), 403, INVALID),
        (format!("cookie: _token={bad}\r\n"), 403, INVALID),
        (String::new(), 401, "Not authenticated"),
    ] {
        let answer = airflow.send("GET", DAGS, &headers, "");
        assert_eq!(answer.status, status, "{headers}");
        if status != 200 {
            assert_eq!(answer.detail().1, text, "{headers}");
        }
    }
    let query = airflow.send("GET", &format!("{DAGS}?access_token={good}&_token={good}"), "", "");
    assert_eq!(query.detail(), (401, "Not authenticated".to_owned()));
}

#[test]
fn s3_4_expired_is_401_and_every_other_fault_is_403() {
    let airflow = airflow();
    for (changes, status) in [
        (json!({}), 200),
        (json!({"exp": now() - 5}), 200),
        (json!({"exp": now() - 20}), 401),
        (json!({"exp": "-"}), 403),
        (json!({"exp": null}), 403),
        (json!({"exp": true}), 403),
        (json!({"iat": "-"}), 403),
        (json!({"iat": now() + 5}), 200),
        (json!({"iat": now() + 20}), 403),
        (json!({"nbf": "-"}), 403),
        (json!({"nbf": now() + 5}), 200),
        (json!({"nbf": now() + 20}), 403),
        (json!({"aud": "-"}), 403),
        (json!({"aud": "other"}), 403),
        (json!({"aud": []}), 403),
        (json!({"aud": ["other", "apache-airflow"]}), 200),
        (json!({"aud": "urn:airflow.apache.org:task"}), 403),
        (json!({"iss": "anyone"}), 200),
        (json!({"sub": "-"}), 403),
        (json!({"sub": 1}), 403),
        (json!({"jti": 1}), 403),
        (json!({"jti": "-"}), 200),
        (json!({"role": "-"}), 403),
        (json!({"role": 1}), 403),
        (json!({"role": "ROOT"}), 403),
        (json!({"role": "admin"}), 200),
        (json!({"extra": [1]}), 200),
    ] {
        let text = match status {
            200 => "",
            401 => "Token Expired",
            _ => INVALID,
        };
        assert_eq!(detail(&airflow, &changes), (status, text.to_owned()), "{changes}");
    }
}

#[test]
fn s3_4_a_core_audience_is_one_text_and_an_issuer_a_list() {
    let airflow = airflow_with(&[
        ("AIRFLOW__API_AUTH__JWT_AUDIENCE", "a,b"),
        ("AIRFLOW__API_AUTH__JWT_ISSUER", "one, two"),
    ]);
    for (changes, status) in [
        (json!({"aud": "a,b", "iss": "one"}), 200),
        (json!({"aud": "a,b", "iss": "two"}), 200),
        (json!({"aud": "a", "iss": "one"}), 403),
        (json!({"aud": "a,b", "iss": "three"}), 403),
        (json!({"aud": "a,b", "iss": "one, two"}), 403),
        (json!({"aud": "a,b"}), 403),
    ] {
        assert_eq!(detail(&airflow, &changes).0, status, "{changes}");
    }
    let claims = claims(&airflow.log_in("alice"));
    assert_eq!((&claims["aud"], &claims["iss"]), (&json!("a,b"), &json!("one")));
}

#[test]
fn s3_7_a_role_decides_what_may_be_read_and_written() {
    let airflow = airflow();
    for (name, allowed) in [
        ("bob", [1, 0, 1, 0, 0, 0]),
        ("uma", [1, 1, 1, 0, 0, 0]),
        ("oskar", [1, 1, 1, 1, 1, 1]),
        ("alice", [1, 1, 1, 1, 1, 1]),
    ] {
        let token = airflow.log_in(name);
        let mut requests = Vec::new();
        for resource in ["dags", "pools", "connections"] {
            requests.extend([("GET", resource, 200), ("POST", resource, 201)]);
        }
        for ((method, resource, good), allowed) in requests.into_iter().zip(allowed) {
            let answer = airflow.call(method, &format!("/api/v2/{resource}"), &token);
            let expected = if allowed == 1 { good } else { 403 };
            assert_eq!(answer.status, expected, "{name} {method} {resource}");
            if expected == 403 {
                assert_eq!(answer.detail().1, "Forbidden");
            }
        }
    }
}

#[test]
fn s3_8_a_login_makes_a_token_that_lives_as_long_as_set() {
    let airflow = airflow_with(&[
        ("AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME", "100"),
        ("AIRFLOW__API_AUTH__JWT_CLI_EXPIRATION_TIME", "50"),
    ]);
    for (path, life) in [("/auth/token", 100), ("/auth/token/cli", 50)] {
        for (body, status, text) in [
            (
                json!({"username": "alice", "password": ""}),
                400,
                "Username and password must be provided",
            ),
            (
                json!({"username": "", "password": "x"}),
                400,
                "Username and password must be provided",
            ),
            (json!({"username": "alice", "password": "wrong"}), 401, "Invalid credentials"),
            (json!({"username": "nobody", "password": "secret"}), 401, "Invalid credentials"),
        ] {
            let answer = airflow.send("POST", path, "", &body.to_string());
            assert_eq!(answer.detail(), (status, text.to_owned()), "{path} {body}");
        }
        assert_eq!(airflow.send("POST", path, "", "{}").status, 422);
        assert_eq!(airflow.send("POST", path, "", "junk").status, 422);
        let body = json!({"username": "bob", "password": "secret"}).to_string();
        let answer = airflow.send("POST", path, "", &body);
        assert_eq!(answer.status, 201);
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let claims = claims(&token);
        let seconds = |name: &str| claims[name].as_i64().unwrap();
        assert_eq!(seconds("exp") - seconds("iat"), life);
        assert_eq!(seconds("nbf"), seconds("iat"));
        assert_eq!((&claims["sub"], &claims["role"]), (&json!("bob"), &json!("VIEWER")));
        assert!(claims["jti"].as_str().unwrap().len() <= 32);
        assert_eq!(airflow.call("GET", DAGS, &token).status, 200);
    }
    assert_eq!(airflow.send("GET", "/auth/token", "", "").status, 403);
}

#[test]
fn s3_8_no_challenge_and_no_detail_of_the_fault_reach_the_client() {
    let airflow = airflow();
    let key = SigningKey::from_secret(Algorithm::HS512, "x", SECRET.as_bytes());
    let wrong = token_by(&key, &user("ADMIN"), &|token| token.wrong_signature());
    for token in [wrong, "a.b.c".to_owned(), "junk".to_owned()] {
        let answer = airflow.call("GET", DAGS, &token);
        assert_eq!(answer.detail(), (403, INVALID.to_owned()));
        assert!(answer.fields("www-authenticate").is_empty());
        assert_eq!(answer.fields("content-type"), ["application/json"]);
    }
}

/// The original has no such rule: DESIGN of this project, not of Airflow's.
#[test]
fn another_site_cannot_write_with_the_cookie() {
    let airflow = airflow();
    let cookie = format!("cookie: _token={}\r\n", airflow.log_in("alice"));
    let cross = format!("{cookie}origin: https://evil.example\r\nsec-fetch-site: cross-site\r\n");
    assert_eq!(airflow.send("POST", DAGS, &cookie, "").status, 201);
    assert_eq!(airflow.send("POST", DAGS, &cross, "").detail(), (403, "Forbidden".to_owned()));
}
