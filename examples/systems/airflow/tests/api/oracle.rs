//! Airflow's own API server beside the program, with one secret and one database: it says what is right.

use std::{
    net::TcpListener,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use portcullis_axum::Algorithm;
use portcullis_testkit::SigningKey;
use serde_json::{Value, json};

use crate::{
    classes::python,
    server::{
        Airflow, Answer, Folder, SECRET, TASK, USERS, airflow_with, claims, now, send, task, token,
        token_by, user, with,
    },
};

/// Rows with a bad cookie that is not the request's credential.
const UNUSED_COOKIES: [&str; 2] = ["good bearer and bad cookie", "execution cookie"];
const OTHER: &str = "0198f1de-7c4e-7aaa-9f00-2f6f4c1f2b3d";

/// Airflow's API server.
struct Original {
    child: Child,
    address: String,
}

impl Original {
    fn start(folder: &Folder) -> Self {
        let passwords =
            json!({"alice": "secret", "oskar": "secret", "uma": "secret", "bob": "secret"});
        let passwords = folder.write("passwords.json", &passwords.to_string());
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let command = |arguments: &[&str]| {
            let mut command = python();
            command.args(["-m", "airflow"]).args(arguments);
            command.envs([
                ("AIRFLOW_HOME", folder.path().to_str().unwrap()),
                ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", &url(folder)),
                ("AIRFLOW__API_AUTH__JWT_SECRET", SECRET),
                ("AIRFLOW__CORE__LOAD_EXAMPLES", "False"),
                (
                    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS",
                    "alice:admin,oskar:op,uma:user,bob:viewer",
                ),
                ("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE", &passwords),
            ]);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        assert!(command(&["db", "migrate"]).status().unwrap().success());
        let (port, host) = (port.to_string(), ["--host", "127.0.0.1"]);
        let server = ["api-server", "--workers", "1", "--port", &port];
        let child = command(&server).args(host).spawn().unwrap();
        let original = Self { child, address: format!("127.0.0.1:{port}") };
        let begun = Instant::now();
        while std::net::TcpStream::connect(&original.address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(180), "Airflow does not start");
            thread::sleep(Duration::from_millis(200));
        }
        original
    }

    fn send(&self, method: &str, target: &str, headers: &str, body: &str) -> Answer {
        send(&self.address, method, target, headers, body)
    }

    fn status(&self, target: &str, token: &str) -> u16 {
        self.send("GET", target, &format!("authorization: Bearer {token}\r\n"), "").status
    }
}

impl Drop for Original {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn url(folder: &Folder) -> String {
    format!("sqlite:///{}", folder.path().join("airflow.db").display())
}

/// A request to both programs.
struct Row {
    name: String,
    method: &'static str,
    target: String,
    headers: String,
    body: String,
    /// What Airflow's route is called, where ours stands for it.
    original: Option<(&'static str, String)>,
    /// The statuses of Airflow and of ours, where these differ on purpose: our README lists them.
    differs: Option<(u16, u16)>,
}

impl Row {
    fn get(name: impl Into<String>, target: &str, headers: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            method: "GET",
            target: target.to_owned(),
            headers: headers.into(),
            body: String::new(),
            original: None,
            differs: None,
        }
    }

    fn with_body(self, method: &'static str, body: &Value) -> Self {
        Self { method, body: body.to_string(), ..self }
    }

    fn differs(self, original: u16, ours: u16) -> Self {
        Self { differs: Some((original, ours)), ..self }
    }

    fn check(&self, original: &Original, airflow: &Airflow) {
        let (method, target) = match &self.original {
            Some((method, target)) => (*method, target),
            None => (self.method, &self.target),
        };
        let theirs = original.send(method, target, &self.headers, &self.body);
        let ours = airflow.send(self.method, &self.target, &self.headers, &self.body);
        let what = format!(
            "{}: {} {}\ntheirs: {theirs:?}\nours: {ours:?}",
            self.name, self.method, self.target
        );
        if let Some(differs) = self.differs {
            assert_eq!((theirs.status, ours.status), differs, "{what}");
            return;
        }
        assert_eq!(theirs.status, ours.status, "{what}");
        // Airflow also removes a cookie that is not the request's credential.
        if !UNUSED_COOKIES.contains(&&*self.name) {
            let cookies = |answer: &Answer| answer.fields("set-cookie").len();
            assert_eq!(cookies(&theirs), cookies(&ours), "{what}");
        }
        if theirs.status >= 400 {
            // What follows is the text of a schema library.
            let start = |(_, detail): (u16, String)| match detail.split_once(": ") {
                Some((start, _)) if start == "Invalid auth token" => start.to_owned(),
                _ => detail,
            };
            assert_eq!(start(theirs.detail()), start(ours.detail()), "{what}");
        }
    }
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

/// Faults of claims that both APIs judge, with the statuses where these differ.
fn faults() -> Vec<(Value, Option<(u16, u16)>)> {
    let plain = [
        json!({}),
        json!({"exp": now() - 5}),
        json!({"exp": now() - 30}),
        json!({"exp": 0}),
        json!({"exp": "-"}),
        json!({"exp": null}),
        json!({"exp": "soon"}),
        json!({"exp": [1]}),
        json!({"iat": "-"}),
        json!({"iat": null}),
        json!({"iat": now() + 5}),
        json!({"iat": now() + 60}),
        json!({"iat": "x"}),
        json!({"nbf": "-"}),
        json!({"nbf": now() + 5}),
        json!({"nbf": now() + 60}),
        json!({"nbf": "x"}),
        json!({"aud": "-"}),
        json!({"aud": null}),
        json!({"aud": "other"}),
        json!({"aud": []}),
        json!({"aud": 1}),
        json!({"aud": ["other", "apache-airflow", "urn:airflow.apache.org:task"]}),
        json!({"iss": "anyone"}),
        json!({"jti": "-"}),
        json!({"jti": 1}),
        json!({"sub": 1}),
        json!({"extra": {"a": [1]}}),
    ];
    let mut faults: Vec<_> = plain.into_iter().map(|changes| (changes, None)).collect();
    // A claim of the wrong type is an error here, never a number.
    faults.push((json!({"exp": (now() + 600).to_string()}), Some((200, 403))));
    faults
}

fn core_rows() -> Vec<Row> {
    const DAGS: &str = "/api/v2/dags";
    let mut rows = Vec::new();
    for (changes, differs) in faults() {
        let token = token(&with(user("ADMIN"), &changes));
        for (place, headers) in
            [("bearer", bearer(&token)), ("cookie", format!("cookie: _token={token}\r\n"))]
        {
            let row = Row::get(format!("{place} {changes}"), DAGS, headers);
            rows.push(Row { differs, ..row });
        }
    }
    let admin = token(&user("ADMIN"));
    for (name, headers) in [
        ("nothing", String::new()),
        ("basic", "authorization: Basic YTpi\r\n".to_owned()),
        ("basic and cookie", format!("authorization: Basic YTpi\r\ncookie: _token={admin}\r\n")),
        ("any case", format!("authorization: bEaReR {admin}\r\n")),
        ("bearer without a token", "authorization: Bearer\r\n".to_owned()),
        (
            "bearer without a token, and cookie",
            format!("authorization: Bearer\r\ncookie: _token={admin}\r\n"),
        ),
        (
            "bad bearer and good cookie",
            format!("authorization: Bearer x.y.z\r\ncookie: _token={admin}\r\n"),
        ),
        (
            "good bearer and bad cookie",
            format!("authorization: Bearer {admin}\r\ncookie: _token=x.y.z\r\n"),
        ),
        ("two words", format!("authorization: Bearer {admin} {admin}\r\n")),
        ("bad cookie", "cookie: _token=x.y.z\r\n".to_owned()),
        ("another cookie", format!("cookie: token={admin}\r\n")),
    ] {
        rows.push(Row::get(name, DAGS, headers));
    }
    rows.extend(signatures(DAGS, &user("ADMIN")));
    for (changes, differs) in [
        (json!({"sub": "-"}), None),
        (json!({"role": "-"}), None),
        (json!({"role": "admin"}), None),
        (json!({"role": "ViEwEr"}), None),
        (json!({"teams": "-"}), None),
        (json!({"role": null}), Some((403, 403))),
        (json!({"role": "ROOT"}), Some((500, 403))),
    ] {
        let row =
            Row::get(format!("{changes}"), DAGS, bearer(&token(&with(user("ADMIN"), &changes))));
        rows.push(Row { differs, ..row });
    }
    rows.extend(role_rows());
    for (name, body) in [
        ("no password", json!({"username": "alice", "password": ""})),
        ("no name", json!({"username": "", "password": "x"})),
        ("wrong password", json!({"username": "alice", "password": "x"})),
        ("unknown user", json!({"username": "eve", "password": "secret"})),
        ("login", json!({"username": "alice", "password": "secret"})),
    ] {
        for path in ["/auth/token", "/auth/token/cli"] {
            rows.push(Row::get(name, path, "").with_body("POST", &body));
        }
    }
    rows.push(Row::get("token without login", "/auth/token", ""));
    rows
}

/// Tokens by other keys and of other forms.
fn signatures(target: &str, claims: &Value) -> Vec<Row> {
    let secret = SECRET.as_bytes();
    let by = |algorithm, secret: &[u8]| {
        token_by(&SigningKey::from_secret(algorithm, "not-used", secret), claims, &|token| token)
    };
    let hs512 = SigningKey::from_secret(Algorithm::HS512, "not-used", secret);
    let rows = [
        ("HS256", by(Algorithm::HS256, secret)),
        ("another secret", by(Algorithm::HS512, &[b'x'; 64])),
        ("another kid", token_by(&hs512, claims, &|token| token.header("kid", "other"))),
        ("no kid", token_by(&hs512, claims, &|token| token.without_key_id())),
        ("alg none", token_by(&hs512, claims, &|token| token.header("alg", "none").signature(""))),
        ("wrong signature", token_by(&hs512, claims, &|token| token.wrong_signature())),
        ("no token", "junk".to_owned()),
        ("claims that are no object", token_by(&hs512, claims, &|token| token.raw_claims("[]"))),
    ];
    rows.into_iter().map(|(name, token)| Row::get(name, target, bearer(&token))).collect()
}

fn role_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for role in ["VIEWER", "USER", "OP", "ADMIN"] {
        let headers = bearer(&token(&user(role)));
        for resource in ["dags", "pools", "connections"] {
            let name = format!("{role} reads {resource}");
            rows.push(Row::get(name, &format!("/api/v2/{resource}"), &*headers));
        }
        let id = role.to_lowercase();
        let pool = json!({"name": id, "slots": 1});
        let connection = json!({"connection_id": id, "conn_type": "http"});
        for (resource, body) in [("pools", pool), ("connections", connection)] {
            let row = Row::get(
                format!("{role} writes {resource}"),
                &format!("/api/v2/{resource}"),
                &*headers,
            );
            rows.push(row.with_body("POST", &body));
        }
        // Airflow makes no DAGs by its API; it changes them.
        let row = Row::get(format!("{role} writes dags"), "/api/v2/dags", &*headers);
        let row = row.with_body("POST", &json!({"is_paused": true}));
        let row = if role == "VIEWER" { row } else { row.differs(200, 201) };
        let original = Some(("PATCH", "/api/v2/dags?dag_id_pattern=~".to_owned()));
        rows.push(Row { original, ..row });
    }
    rows
}

fn execution_rows() -> Vec<Row> {
    const VARIABLE: &str = "/execution/variables/oracle";
    let mut rows = Vec::new();
    let bad_subject = [json!({"sub": "-"}), json!({"sub": "alice"}), json!({"sub": null})];
    let bad_scope =
        [json!({"scope": "callback"}), json!({"scope": ["execution"]}), json!({"scope": 1})];
    // Airflow's fault: a subject that is no UUID is an error of its own.
    let subjects = bad_subject.into_iter().map(|changes| (changes, Some((500, 403))));
    let scopes = bad_scope.into_iter().map(|changes| (changes, None));
    let absent = [(json!({"scope": "-"}), None), (json!({"scope": "workload"}), None)];
    for (changes, differs) in faults().into_iter().chain(subjects).chain(scopes).chain(absent) {
        // PyJWT looks at the type of `sub`, before Airflow does.
        let differs =
            if changes["sub"].is_null() && changes.get("sub").is_some() { None } else { differs };
        let row = Row::get(
            format!("execution {changes}"),
            VARIABLE,
            bearer(&token(&with(task("execution"), &changes))),
        );
        rows.push(Row { differs, ..row });
    }
    rows.extend(signatures(VARIABLE, &task("execution")));
    let good = token(&task("execution"));
    for (name, headers) in [
        ("nothing", String::new()),
        ("basic", "authorization: Basic YTpi\r\n".to_owned()),
        ("cookie", format!("cookie: _token={good}\r\n")),
        ("a user's token", bearer(&token(&user("ADMIN")))),
    ] {
        rows.push(Row::get(format!("execution {name}"), VARIABLE, headers));
    }
    rows.push(Row::get("a task's token", "/api/v2/dags", bearer(&good)));
    rows.push(Row::get("health", "/execution/health", ""));
    let beat = json!({"hostname": "h", "pid": 1});
    for (scope, id) in [("workload", TASK), ("execution", OTHER), ("workload", OTHER)] {
        let target = format!("/execution/task-instances/{id}/heartbeat");
        let headers = bearer(&token(&task(scope)));
        rows.push(Row::get("heartbeat", &target, headers).with_body("PUT", &beat));
    }
    let start = json!({"state": "running", "hostname": "h", "unixname": "u", "pid": 1, "start_date": "2026-01-01T00:00:00Z"});
    for scope in ["execution", "workload"] {
        let target = format!("/execution/task-instances/{OTHER}/run");
        let headers = bearer(&token(&task(scope)));
        rows.push(Row::get("run", &target, headers).with_body("PATCH", &start));
    }
    for (scope, id) in [("execution", TASK), ("workload", OTHER)] {
        let row = Row::get(
            "connection test",
            &format!("/execution/connection-tests/{id}/run"),
            bearer(&token(&task(scope))),
        );
        let original = Some(("GET", format!("/execution/connection-tests/{id}/connection")));
        rows.push(Row { method: "POST", original, ..row });
    }
    rows
}

#[test]
fn airflow_and_the_program_answer_alike_and_share_tokens_and_logouts() {
    let folder = Folder::new("oracle");
    let original = Original::start(&folder);
    let airflow = airflow_with(&[("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", &url(&folder)), USERS]);
    let admin = bearer(&token(&user("ADMIN")));
    let variable = json!({"key": "oracle", "value": "x"}).to_string();
    assert_eq!(original.send("POST", "/api/v2/variables", &admin, &variable).status, 201);
    let rows: Vec<_> = core_rows().into_iter().chain(execution_rows()).collect();
    assert!(rows.len() >= 60);
    let faults: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            let check = std::panic::AssertUnwindSafe(|| row.check(&original, &airflow));
            std::panic::catch_unwind(check).err().map(|_| &*row.name)
        })
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
    println!("oracle: {} requests", rows.len());
    share(&original, &airflow);
    reissue(&original, &airflow);
}

/// A token of either is good for the other, and a logout on either ends it on both.
fn share(original: &Original, airflow: &Airflow) {
    const DAGS: &str = "/api/v2/dags";
    let log_in = |address: &str| {
        let body = json!({"username": "bob", "password": "secret"}).to_string();
        let answer = send(address, "POST", "/auth/token", "", &body);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    };
    for from in [&original.address, &airflow.address] {
        for out_on in [&original.address, &airflow.address] {
            let token = log_in(from);
            assert_eq!(original.status(DAGS, &token), 200);
            assert_eq!(airflow.call("GET", DAGS, &token).status, 200);
            let answer = send(out_on, "GET", "/api/v2/auth/logout", &bearer(&token), "");
            assert_eq!((answer.status, answer.fields("location")), (307, vec!["/auth/login"]));
            let begun = Instant::now();
            while original.status(DAGS, &token) == 200
                || airflow.call("GET", DAGS, &token).status == 200
            {
                assert!(begun.elapsed() < Duration::from_secs(1), "not within a second");
                thread::sleep(Duration::from_millis(20));
            }
            Row::get("revoked", DAGS, bearer(&token)).check(original, airflow);
            Row::get("revoked", DAGS, format!("cookie: _token={token}\r\n"))
                .check(original, airflow);
        }
    }
}

fn reissue(original: &Original, airflow: &Airflow) {
    let aged = |left: i64, scope: &str| {
        token(&with(task(scope), &json!({"iat": now() + left - 1000, "exp": now() + left})))
    };
    let mistaken = "/execution/task-instances/0198f1de-7c4e-7aaa-9f00-2f6f4c1f2b3d/heartbeat";
    for (method, target, token) in [
        ("GET", "/execution/variables/oracle", aged(300, "execution")),
        ("GET", "/execution/variables/oracle", aged(150, "execution")),
        ("GET", "/execution/variables/oracle", aged(-5, "execution")),
        ("GET", "/execution/variables/oracle", aged(150, "workload")),
        ("PUT", mistaken, aged(150, "execution")),
    ] {
        let theirs = original.send(method, target, &bearer(&token), "{}");
        let ours = airflow.send(method, target, &bearer(&token), "{}");
        let new = |answer: &Answer| -> Option<Value> {
            let new = claims(answer.fields("refreshed-api-token").first()?);
            let life = new["exp"].as_i64().unwrap() - new["iat"].as_i64().unwrap();
            Some(json!([new["sub"], new["scope"], new["aud"], life]))
        };
        assert_eq!((theirs.status, new(&theirs)), (ours.status, new(&ours)), "{target}");
    }
}
