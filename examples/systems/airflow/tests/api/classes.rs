//! §3.3, §3.4 and §3.6 with Airflow's own classes: `JWTGenerator`, `JWTValidator`, `RevokedToken`.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use portcullis_axum::{Algorithm, keys::SigningKey};
use serde_json::{Value, json};

use crate::server::{Airflow, Folder, SECRET, TASK, USERS, claims, now};

const DAGS: &str = "/api/v2/dags";
const VARIABLE: &str = "/execution/variables/x";
const CORE: &str = "apache-airflow";
const EXECUTION: &str = "urn:airflow.apache.org:task";

/// Names the Python that has Airflow.
pub(crate) fn python() -> Command {
    const VARIABLE: &str = "PORTCULLIS_INTEROP_AIRFLOW_PYTHON";
    let python = env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} must name a Python: `cargo xtask test --full` installs it and sets it")
    });
    let mut command = Command::new(python);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("AIRFLOW_")) {
            command.env_remove(name);
        }
    }
    command
}

/// A process with Airflow's classes.
struct Classes {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Classes {
    fn start(folder: &Folder, variables: &[(&str, &str)]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/interop");
        let mut command = python();
        command.arg(root.join("airflow_classes.py")).envs(variables.iter().copied());
        command.env("AIRFLOW_HOME", folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    fn call(&mut self, command: &Value) -> Value {
        writeln!(self.child.stdin.as_mut().unwrap(), "{command}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{command}: {line}"))
    }

    fn is_revoked(&mut self, jti: &str) -> bool {
        self.call(&json!({"command": "is_revoked", "jti": jti})).as_bool().unwrap()
    }
}

impl Drop for Classes {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tokens of each are good for the other, and changed ones are not.
fn exchange(folder: &Folder, variables: &[(&str, &str)], algorithm: &str) {
    let sqlite = format!("sqlite:///{}", folder.path().join("classes.db").display());
    let mut all = vec![USERS, ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", &*sqlite)];
    all.extend_from_slice(variables);
    let (airflow, mut classes) = (Airflow::start(&all), Classes::start(folder, &all));
    let user = json!({"sub": "alice", "role": "ADMIN", "teams": []});
    let task = json!({"sub": TASK, "scope": "execution"});
    let workload = airflow.queue(TASK);
    for (audience, theirs, ours, path) in
        [(CORE, user, airflow.log_in("alice"), DAGS), (EXECUTION, task, workload, VARIABLE)]
    {
        let validate =
            |token: &str| json!({"command": "validate", "audience": audience, "token": token});
        let result = classes.call(&validate(&ours));
        assert_eq!(result["claims"], claims(&ours), "{algorithm}: {result}");
        assert_eq!(header(&ours)["alg"], algorithm);
        let changed = format!("{}x", ours.strip_suffix(|_| true).unwrap());
        assert!(classes.call(&validate(&changed))["error"].is_string());

        let generate = json!({"command": "generate", "audience": audience, "claims": theirs});
        let theirs = classes.call(&generate).as_str().unwrap().to_owned();
        assert_eq!(header(&theirs), header(&ours), "the headers are the same");
        let answer = airflow.call("GET", path, &theirs);
        assert_eq!(answer.status, 200, "{algorithm} {audience}: {}", answer.body);
        let expired = json!({"command": "generate", "audience": audience, "claims": {"sub": TASK}, "lifetime": -60});
        let expired = classes.call(&expired).as_str().unwrap().to_owned();
        let status = if audience == CORE { 401 } else { 403 };
        assert_eq!(airflow.call("GET", path, &expired).status, status);
    }
}

fn header(token: &str) -> Value {
    let part = token.split('.').next().unwrap();
    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn s3_3_tokens_of_both_are_good_for_both_by_a_secret() {
    let folder = Folder::new("classes-secret");
    exchange(&folder, &[("AIRFLOW__API_AUTH__JWT_SECRET", SECRET)], "HS512");
    // The length that Airflow's documentation shows.
    exchange(&folder, &[("AIRFLOW__API_AUTH__JWT_SECRET", "short secret")], "HS512");
}

#[test]
fn s3_3_tokens_of_both_are_good_for_both_by_a_private_key_and_by_a_jwk_set() {
    for (algorithm, name) in [(Algorithm::RS256, "RS256"), (Algorithm::EdDSA, "EdDSA")] {
        let folder = Folder::new(name);
        let key = SigningKey::generate(algorithm).unwrap().to_pem().unwrap().unwrap();
        let key = folder.write("key.pem", &key);
        let private = ("AIRFLOW__API_AUTH__JWT_PRIVATE_KEY_PATH", &*key);
        exchange(&folder, &[private], name);
        // The document that Airflow makes of the key.
        let database = "sqlite://";
        let mut classes =
            Classes::start(&folder, &[private, ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", database)]);
        let jwk_set =
            folder.write("jwks.json", &classes.call(&json!({"command": "jwks"})).to_string());
        exchange(&folder, &[private, ("AIRFLOW__API_AUTH__TRUSTED_JWKS_URL", &jwk_set)], name);
    }
}

#[test]
fn s3_6_both_revoke_in_one_table_whoever_has_made_it() {
    for url in databases("classes") {
        for made_by_airflow in [true, false] {
            let folder = Folder::new("classes-table");
            let url = url(&folder, made_by_airflow);
            let variables = [
                USERS,
                ("AIRFLOW__API_AUTH__JWT_SECRET", SECRET),
                ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", &*url),
            ];
            let mut classes = Classes::start(&folder, &variables);
            if made_by_airflow {
                classes.call(&json!({"command": "create_table"}));
            }
            let airflow = Airflow::start(&variables);
            share(&airflow, &mut classes);
        }
    }
}

fn share(airflow: &Airflow, classes: &mut Classes) {
    let (theirs, ours) = (airflow.log_in("alice"), airflow.log_in("alice"));
    let jti = |token: &str| claims(token)["jti"].as_str().unwrap().to_owned();
    for token in [&theirs, &ours] {
        assert_eq!(airflow.call("GET", DAGS, token).status, 200);
        assert!(!classes.is_revoked(&jti(token)));
    }
    assert_eq!(airflow.call("GET", "/api/v2/auth/logout", &ours).status, 307);
    assert!(classes.is_revoked(&jti(&ours)), "at once: Airflow reads the table");
    // The model can read the time.
    let expiry = classes.call(&json!({"command": "expiry", "jti": jti(&ours)}));
    assert!(expiry.as_i64().unwrap() >= claims(&ours)["exp"].as_i64().unwrap());

    classes.call(&json!({"command": "revoke", "jti": jti(&theirs), "exp": now() + 600}));
    let begun = Instant::now();
    while airflow.call("GET", DAGS, &theirs).status == 200 {
        assert!(begun.elapsed() < Duration::from_secs(1), "not within a second");
        thread::sleep(Duration::from_millis(20));
    }
    // A token of Airflow's own classes too.
    let user = json!({"sub": "alice", "role": "ADMIN"});
    let token = classes.call(&json!({"command": "generate", "audience": CORE, "claims": user}));
    let token = token.as_str().unwrap();
    assert_eq!(airflow.call("GET", DAGS, token).status, 200);
    assert_eq!(airflow.call("GET", "/api/v2/auth/logout", token).status, 307);
    assert!(classes.is_revoked(&jti(token)));
}

/// Makes the URL of an empty database.
type NewDatabase = Box<dyn Fn(&Folder, bool) -> String>;

/// SQLite, and PostgreSQL where the environment names a server.
fn databases(prefix: &'static str) -> Vec<NewDatabase> {
    let sqlite: NewDatabase =
        Box::new(|folder, _| format!("sqlite:///{}", folder.path().join("airflow.db").display()));
    let Ok(server) = env::var("PORTCULLIS_TEST_POSTGRES_URL") else { return vec![sqlite] };
    let postgres = move |_: &Folder, is_first: bool| {
        let name = format!("{prefix}_{}_{is_first}", std::process::id());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(&server, tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(&format!("CREATE SCHEMA {name}")).await.unwrap();
        });
        let server = server.strip_prefix("postgres://").unwrap();
        format!("postgresql+psycopg2://{server}?options=-csearch_path%3D{name}")
    };
    vec![sqlite, Box::new(postgres)]
}
