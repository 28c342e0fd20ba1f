//! `revoke` and `revoked`, on a SQLite file, and on PostgreSQL and Redis where the environment names them.

use std::{env, process::Command};

use portcullis::revocation::{Revocation, RevocationStore, Revoked};
use portcullis_sql::SqliteStore;
use serde_json::{Value, json};

use crate::support::{Folder, ISSUER, NOW, Service};

const STORE: &str = "sqlite:revoked.db";
const IDP: &str = "https://idp.test";

fn revoke(folder: &Folder, store: &str, what: &[&str]) -> Value {
    let mut arguments = vec!["revoke", "--store", store, "--issuer", IDP];
    arguments.extend(what);
    let run = folder.run(&arguments);
    assert_eq!(run.status, 0, "{what:?}: {run:?}");
    run.json()
}

/// The entries of a store, in an order of their own.
fn listed(folder: &Folder, store: &str) -> Vec<Value> {
    let run = folder.run(&["revoked", "--store", store]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{run:?}");
    let mut entries = run.json_lines();
    entries.sort_by_key(ToString::to_string);
    entries.dedup();
    entries
}

#[test]
fn each_kind_of_entry_is_written_and_listed() {
    each_kind(&Folder::new(), STORE);
}

#[test]
fn each_kind_of_entry_is_written_and_listed_on_a_server() {
    for variable in ["PORTCULLIS_TEST_POSTGRES_URL", "PORTCULLIS_TEST_REDIS_URL"] {
        // `cargo xtask test` starts the servers and names them.
        if env::var(variable).is_ok_and(|url| !url.is_empty()) {
            each_kind(&Folder::new(), &format!("${{{variable}}}"));
        }
    }
}

fn each_kind(folder: &Folder, store: &str) {
    // Servers keep what other runs have written.
    let id = |kind: &str| format!("{kind}-{}", std::process::id());
    let [jti, sub, sid, client] = ["j", "sub", "sid", "client"].map(id);
    let thumbprint = format!("{:0>43}", std::process::id());
    let mut expected = Vec::new();
    for (what, entry) in [
        (
            vec!["--jti", &jti, "--exp", "1800000000"],
            json!({"kind": "token", "id": jti, "issuer": IDP, "until": 1_800_086_400}),
        ),
        (
            vec!["--subject", &sub, "--before", "2027-01-15T08:00:00Z"],
            json!({"kind": "subject", "id": sub, "issuer": IDP, "before": NOW, "until": null}),
        ),
        (
            vec!["--session", &sid, "--until", "2000000000"],
            json!({"kind": "session", "id": sid, "issuer": IDP, "until": 2_000_000_000}),
        ),
        (
            vec!["--client", &client, "--before", "1800000000", "--until", "2000000000"],
            json!({
                "kind": "client", "id": client, "issuer": IDP, "before": NOW, "until": 2_000_000_000,
            }),
        ),
        (
            vec!["--key", &thumbprint],
            json!({"kind": "key", "id": thumbprint, "issuer": IDP, "until": null}),
        ),
    ] {
        assert_eq!(revoke(folder, store, &what), entry);
        expected.push(entry);
    }
    let found = listed(folder, store);
    for entry in &expected {
        assert!(found.contains(entry), "{entry}: {found:#?}");
    }
    if store == STORE {
        assert_eq!(found.len(), expected.len(), "{found:#?}");
    }
}

#[test]
fn a_store_of_many_pages_is_listed_whole() {
    const COUNT: usize = 25_000;
    let folder = Folder::new();
    let entry =
        |number: usize| Revocation::new(IDP, Revoked::Session(format!("session-{number}").into()));
    let entries: Vec<_> = (0..COUNT).map(entry).collect();
    let store = SqliteStore::open(folder.path("revoked.db"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        RevocationStore::prepare(&store).await.unwrap();
        for some in entries.chunks(5_000) {
            store.add(some).await.unwrap();
        }
    });
    assert_eq!(listed(&folder, STORE).len(), COUNT);
}

#[test]
fn an_entry_that_exists_keeps_the_later_times() {
    let folder = Folder::new();
    let before = |time| ["--subject", "alice", "--before", time];
    revoke(&folder, STORE, &before("2000"));
    revoke(&folder, STORE, &before("1000"));
    let found = listed(&folder, STORE);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["before"], 2000);
}

#[test]
fn a_revoked_token_is_rejected_by_the_service_of_the_store() {
    let service = Service::with(&format!("{ISSUER}[revocation]\nstore = \"{STORE}\"\n"));
    let [first, second] = ["first", "second"].map(|jti| service.valid().claim("jti", jti).build());
    let codes = || -> Vec<Value> {
        let run = service.verify(format!("{first}\n{second}\n"));
        run.json_lines().iter().map(|line| line["code"].clone()).collect()
    };
    assert_eq!(codes(), [Value::Null, Value::Null]);
    revoke(&service.folder, STORE, &["--jti", "first", "--exp", "2000000000"]);
    assert_eq!(codes(), [json!("token_revoked"), Value::Null]);
    revoke(&service.folder, STORE, &["--subject", "alice", "--before", &NOW.to_string()]);
    assert_eq!(codes(), [json!("token_revoked"), json!("token_revoked")]);
}

#[test]
fn verify_uses_no_one_time_token_up() {
    let config = format!("{ISSUER}one_time = true\n[revocation]\nstore = \"{STORE}\"\n");
    let service = Service::with(&config);
    let token = service.valid().claim("jti", "once").build();
    for _ in 0..2 {
        let run = service.verify(format!("{token}\n"));
        assert_eq!(run.json()["result"], "accepted", "{run:?}");
    }
    let run = service.verify(format!("{token}\n{token}\n"));
    let lines = run.json_lines();
    let replayed = lines.iter().filter(|line| line["code"] == "token_replayed").count();
    assert_eq!(replayed, 1, "{lines:#?}");
}

#[test]
fn text_is_for_people() {
    let folder = Folder::new();
    let arguments = ["revoke", "--store", STORE, "--issuer", IDP, "--format", "text"];
    let run =
        folder.run(&[&arguments[..], &["--subject", "alice\u{1b}[2J", "--before", "0"]].concat());
    let expected = "revoked  subject  alice\\u{1b}[2J  issued until 1970-01-01T00:00:00Z  https://idp.test for ever\n";
    assert_eq!(run.stdout, expected);
    let run = folder.run(&["revoked", "--store", STORE, "--format", "text"]);
    assert_eq!(run.stdout, expected.trim_start_matches("revoked  "));
}

#[test]
fn a_file_that_is_created_is_told_and_none_is_created_for_a_list() {
    let folder = Folder::new();
    folder.run(&["revoked", "--store", STORE]).assert_mistake("revoked.db: no such file");
    assert!(!folder.path("revoked.db").exists());
    let arguments = ["revoke", "--store", STORE, "--issuer", IDP, "--session", "s"];
    let run = folder.run(&arguments);
    assert_eq!(run.status, 0);
    assert!(run.stderr.contains("revoked.db did not exist, and is created"), "{run:?}");
    assert_eq!(folder.run(&arguments).stderr, "");
}

#[test]
fn mistakes_name_what_is_wrong() {
    let folder = Folder::new();
    let base = ["revoke", "--store", STORE, "--issuer", IDP];
    for (what, expected) in [
        (vec![], "--jti"),
        (vec!["--jti", "j"], "--exp"),
        (vec!["--jti", ""], "--exp"),
        (vec!["--jti", "", "--exp", "1"], "the id of the token is empty"),
        (vec!["--subject", "alice"], "--before"),
        (vec!["--client", "web"], "--before"),
        (vec!["--subject", "alice", "--before", "noon"], "seconds since 1970"),
        (
            vec!["--jti", "j", "--exp", "1", "--subject", "a", "--before", "1"],
            "cannot be used with",
        ),
        (vec!["--session", "s", "--key", "k"], "cannot be used with"),
        (vec!["--session", "s", "--before", "1"], "cannot be used with"),
        (vec!["--session", "s", "--exp", "1"], "cannot be used with"),
        (vec!["--exp", "1"], "--jti"),
        (vec!["--before", "1"], "--jti"),
        (vec!["--jti", "j", "--exp", "1", "--until", "2"], "cannot be used with"),
        (vec!["--key", "a-kid"], "--key: not a thumbprint"),
    ] {
        folder.run(&[&base[..], &what].concat()).assert_mistake(expected);
    }
    folder.run(&["revoke", "--store", STORE, "--session", "s"]).assert_mistake("--issuer");
    let run = folder.run(&["revoke", "--store", STORE, "--issuer", "", "--session", "s"]);
    run.assert_mistake("--issuer is empty");
    assert!(!folder.path("revoked.db").exists());
}

#[test]
fn a_store_that_cannot_be_used_is_a_mistake_and_its_password_is_not_shown() {
    let folder = Folder::new();
    folder
        .write("text.db", "not a database, but a text that is long enough to be looked at as one");
    for (store, expected) in [
        ("mysql://u:hunter2pass@localhost", "--store: no store has this scheme"),
        ("memory:", "belongs to the process"),
        ("${NO_SUCH_VARIABLE_OF_PORTCULLIS}", "`NO_SUCH_VARIABLE_OF_PORTCULLIS` is not set"),
        ("sqlite:text.db", ""),
        ("sqlite:no/such/folder/revoked.db", ""),
        ("postgres://u:hunter2pass@127.0.0.1:1/d", ""),
        ("redis://:hunter2pass@127.0.0.1:1", ""),
    ] {
        let run = folder.run(&["revoke", "--store", store, "--issuer", IDP, "--session", "s"]);
        run.assert_mistake(expected);
        assert!(!run.stderr.contains("hunter2pass"), "{run:?}");
    }
}

#[test]
fn a_variable_holds_the_url() {
    let folder = Folder::new();
    let run = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["revoke", "--store", "${STORE}", "--issuer", IDP, "--session", "s"])
        .env("STORE", format!("sqlite:{}", folder.path("named.db").display()))
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    assert_eq!(listed(&folder, "sqlite:named.db").len(), 1);
}
