//! §3.6: logout, and the table of revoked tokens.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::server::{
    Airflow, Answer, Folder, airflow, airflow_with, claims, now, token, user, with,
};

const DAGS: &str = "/api/v2/dags";
const LOGOUT: &str = "/api/v2/auth/logout";
const CLEARED: &str =
    "_token=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax";

/// A database in a folder.
struct Database(Folder);

impl Database {
    fn new(name: &str) -> Self {
        Self(Folder::new(name))
    }

    fn start(&self) -> Airflow {
        let url = format!("sqlite+aiosqlite:///{}/airflow.db?timeout=5", self.0.path().display());
        airflow_with(&[("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", &url)])
    }

    fn open(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.0.path().join("airflow.db")).unwrap()
    }
}

fn log_out(airflow: &Airflow, token: &str) -> Answer {
    airflow.call("GET", LOGOUT, token)
}

fn is_good(airflow: &Airflow, token: &str) -> bool {
    let answer = airflow.call("GET", DAGS, token);
    assert!(answer.status == 200 || answer.detail() == (403, "Invalid JWT token".to_owned()));
    answer.status == 200
}

fn until_revoked(airflow: &Airflow, token: &str) {
    let begun = Instant::now();
    while is_good(airflow, token) {
        assert!(begun.elapsed() < Duration::from_secs(1), "not within a second");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn s3_6_a_logout_revokes_every_token_of_the_request_and_redirects() {
    let airflow = airflow();
    let (header, cookie, other) =
        (airflow.log_in("alice"), airflow.log_in("alice"), airflow.log_in("alice"));
    let headers = format!("authorization: Bearer {header}\r\ncookie: _token={cookie}\r\n");
    let answer = airflow.send("GET", LOGOUT, &headers, "");
    assert_eq!((answer.status, answer.fields("location")), (307, vec!["/auth/login"]));
    assert_eq!(answer.fields("set-cookie"), [CLEARED]);
    for (token, good) in [(&header, false), (&cookie, false), (&other, true)] {
        assert_eq!(is_good(&airflow, token), good);
    }
    // Again, and without a token: nothing is left to do.
    assert_eq!(airflow.send("GET", LOGOUT, &headers, "").status, 307);
    assert_eq!(airflow.send("GET", LOGOUT, "", "").status, 307);
    let expired = token(&with(user("ADMIN"), &json!({"exp": now() - 60})));
    assert_eq!(log_out(&airflow, &expired).status, 307);
    assert_eq!(log_out(&airflow, "junk").status, 307);
}

#[test]
fn s3_6_the_cookie_is_at_the_base_path_and_one_at_the_root_is_removed_too() {
    let airflow = airflow_with(&[
        ("AIRFLOW__API__BASE_URL", "https://example.com/team/airflow"),
        ("AIRFLOW__API__SSL_CERT", "/etc/cert.pem"),
    ]);
    let answer = airflow.send("GET", LOGOUT, "", "");
    let cleared = |path| CLEARED.replace("Path=/;", path).replace(" HttpOnly", " Secure; HttpOnly");
    let expected = [cleared("Path=/team/airflow/;"), cleared("Path=/;")];
    assert_eq!(answer.fields("set-cookie"), expected);
    assert_eq!(answer.fields("location"), ["/team/airflow/auth/login"]);
}

#[test]
fn s3_6_a_token_without_jti_is_good_and_one_with_a_long_jti_cannot_be_revoked() {
    let database = Database::new("jti");
    let airflow = database.start();
    let without = token(&with(user("ADMIN"), &json!({"jti": "-"})));
    assert!(is_good(&airflow, &without));
    assert_eq!(log_out(&airflow, &without).status, 307);
    assert!(is_good(&airflow, &without));
    let long = token(&with(user("ADMIN"), &json!({"jti": "a".repeat(33)})));
    assert!(is_good(&airflow, &long));
    // It does not look like a logout that succeeded.
    let answer = log_out(&airflow, &long);
    assert_eq!(answer.status, 400);
    assert!(answer.fields("set-cookie").is_empty());
    assert!(is_good(&airflow, &long));
}

#[test]
fn s3_6_a_revocation_survives_the_end_and_holds_on_another_program_within_a_second() {
    let database = Database::new("shared");
    let (here, there) = (database.start(), database.start());
    let token = here.log_in("alice");
    assert!(is_good(&there, &token));
    assert_eq!(log_out(&here, &token).status, 307);
    assert!(!is_good(&here, &token));
    until_revoked(&there, &token);
    drop((here, there));
    assert!(!is_good(&database.start(), &token));
}

#[test]
fn s3_6_a_row_of_another_program_revokes_and_ours_has_the_form_of_sqlalchemy() {
    let database = Database::new("rows");
    let airflow = database.start();
    let (theirs, ours) = (airflow.log_in("alice"), airflow.log_in("alice"));
    let row = (claims(&theirs)["jti"].as_str().unwrap().to_owned(), "2099-01-31 18:05:09.250000");
    database.open().execute("INSERT INTO revoked_token VALUES (?1, ?2)", row).unwrap();
    until_revoked(&airflow, &theirs);
    assert_eq!(log_out(&airflow, &ours).status, 307);
    let jti = claims(&ours)["jti"].as_str().unwrap().to_owned();
    let sql = "SELECT exp FROM revoked_token WHERE jti = ?1";
    let exp: String = database.open().query_row(sql, [jti], |row| row.get(0)).unwrap();
    assert!(exp.ends_with(".000000") && exp.len() == 26, "{exp}");
    let sql = "SELECT strftime('%s', ?1) >= CAST(?2 AS TEXT)";
    let end = claims(&ours)["exp"].as_i64().unwrap();
    assert!(database.open().query_row(sql, (exp, end), |row| row.get::<_, bool>(0)).unwrap());
}

#[test]
fn s3_6_revocation_is_for_core_tokens_alone() {
    let database = Database::new("execution");
    let airflow = database.start();
    let task = token(&crate::server::task("execution"));
    database
        .open()
        .execute(
            "INSERT INTO revoked_token VALUES ('1123456789abcdef0123456789abcdef', '2099-01-31 18:05:09.250000')",
            [],
        )
        .unwrap();
    thread::sleep(Duration::from_secs(1));
    assert_eq!(airflow.call("GET", "/execution/variables/x", &task).status, 200);
    assert_eq!(log_out(&airflow, &task).status, 307);
    assert_eq!(airflow.call("GET", "/execution/variables/x", &task).status, 200);
}

#[test]
fn a_logout_that_the_database_does_not_keep_is_503_and_leaves_the_cookie() {
    let database = Database::new("away");
    let airflow = database.start();
    let token = airflow.log_in("alice");
    assert!(is_good(&airflow, &token));
    database.open().execute_batch("DROP TABLE revoked_token").unwrap();
    let answer = log_out(&airflow, &token);
    assert_eq!(answer.status, 503);
    assert!(answer.fields("set-cookie").is_empty() && answer.fields("location").is_empty());
}

#[test]
fn s3_6_a_bad_cookie_is_removed_and_a_good_one_is_left_as_it_is() {
    let airflow = airflow();
    let good = airflow.log_in("alice");
    let expired = token(&with(user("ADMIN"), &json!({"exp": now() - 60})));
    let revoked = airflow.log_in("alice");
    assert_eq!(log_out(&airflow, &revoked).status, 307);
    let forbidden = token(&user("VIEWER"));
    for (cookie, method, status, removed) in [
        (&good, "GET", 200, 0),
        (&forbidden, "POST", 403, 0),
        (&expired, "GET", 401, 1),
        (&revoked, "GET", 403, 1),
        (&"x.y.z".to_owned(), "GET", 403, 1),
    ] {
        let answer = airflow.send(method, DAGS, &format!("cookie: _token={cookie}\r\n"), "");
        assert_eq!(
            (answer.status, answer.fields("set-cookie").len()),
            (status, removed),
            "{answer:?}"
        );
        assert!(answer.fields("set-cookie").iter().all(|set| *set == CLEARED));
    }
    // The header is the client's own matter.
    assert!(airflow.call("GET", DAGS, &expired).fields("set-cookie").is_empty());
}

#[test]
fn s3_6_with_a_bad_cookie_one_at_the_root_is_removed_too() {
    let airflow = airflow_with(&[("AIRFLOW__API__BASE_URL", "http://localhost/team/")]);
    let answer = airflow.send("GET", DAGS, "cookie: _token=x.y.z\r\n", "");
    let expected = [CLEARED.replace("Path=/;", "Path=/team/;"), CLEARED.to_owned()];
    assert_eq!(answer.fields("set-cookie"), expected);
}
