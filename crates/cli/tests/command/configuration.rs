//! `config`, and mistakes in what commands are given.

use serde_json::json;

use crate::support::{Folder, ISSUER, Service};

#[test]
fn a_good_configuration_is_ok() {
    let service = Service::new();
    let run = service.folder.run(&["config", "check", "portcullis.toml"]);
    let expected = json!({
        "result": "ok", "file": "portcullis.toml", "production": false,
        "issuers": ["https://idp.test"], "static_tokens": [],
    });
    assert_eq!((run.status, run.json()), (0, expected));
    let run = service.folder.run(&["config", "check", "portcullis.toml", "--format", "text"]);
    assert_eq!(run.stdout, "ok  portcullis.toml\n    issuer https://idp.test\n");
}

#[test]
fn a_mistake_names_file_key_and_what_is_allowed() {
    let service = Service::with(&format!("{ISSUER}leway = \"60s\"\n"));
    for command in ["config check portcullis.toml", "verify --config portcullis.toml"] {
        let arguments: Vec<_> = command.split(' ').collect();
        let run = service.folder.run(&arguments);
        run.assert_mistake("portcullis.toml");
        run.assert_mistake("leway");
        run.assert_mistake("leeway");
    }
}

#[test]
fn all_mistakes_are_reported_each_on_a_line() {
    let config = ISSUER.replace("keys.json", "no.json");
    let service = Service::with(&format!("realm = 1\n{config}leway = \"60s\"\n"));
    for command in ["config check portcullis.toml", "verify --config portcullis.toml"] {
        let arguments: Vec<_> = command.split(' ').collect();
        let run = service.folder.run(&arguments);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{run:?}");
        let keys = run.stderr.lines().map(|line| line.split('`').nth(1).unwrap());
        let expected = ["realm", "issuer[0].jwks_file", "issuer[0].leway"];
        assert_eq!(keys.collect::<Vec<_>>(), expected, "{run:?}");
    }
    let run = service.folder.run(&["--format", "json", "config", "check", "portcullis.toml"]);
    assert_eq!((run.status, run.stderr.lines().count()), (2, 3), "{run:?}");
    let lines: Vec<serde_json::Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "{run:?}");
    let expected = json!({
        "result": "mistake", "file": "portcullis.toml", "line": 1, "column": 9, "key": "realm",
        "message": "found 1", "help": "expected a text in quotes",
    });
    assert_eq!(lines[0], expected);
}

#[test]
fn the_network_is_not_touched() {
    let config = ISSUER.replace("jwks_file = \"keys.json\"", "jwks_uri = \"http://127.0.0.1:1/\"");
    let run = Service::with(&config).folder.run(&["config", "check", "portcullis.toml"]);
    assert_eq!(run.status, 0, "{run:?}");
}

#[test]
fn local_files_are_opened() {
    let service = Service::new();
    service.folder.write("keys.json", "{}");
    service.folder.run(&["config", "check", "portcullis.toml"]).assert_mistake("jwks_file");
}

#[test]
fn the_schema_is_json_schema() {
    let run = Folder::new().run(&["config", "schema"]);
    let schema: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"));
    assert!(schema["properties"]["issuer"].is_object());
}

#[test]
fn mistakes_in_usage_have_their_status() {
    let folder = Folder::new();
    for arguments in [
        &["verify"][..],
        &["verify", "--config", "no.toml"],
        &["verify", "--config", "no.toml", "--now", "noon"],
        &["explain", "--config", "no.toml", "a.b.c"],
        &["jwks", "check"],
        &["jwks", "check", "no.json"],
        &["jws", "verify"],
        &["jws", "verify", "--jwks", "no.json"],
        &["keygen", "--alg", "none", "--out", "x"],
        &["mint", "--key", "no.pem", "--claims", "{}"],
        &["serve-jwks", "--key", "no.pem"],
        &["config", "check", "no.toml"],
        &["revoke"],
        &["revoked"],
        &["revoked", "--store", "memory:"],
        &["--format", "yaml", "inspect"],
    ] {
        let run = folder.run(arguments);
        assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{arguments:?}: {run:?}");
        assert!(run.stderr.starts_with("error:"), "{run:?}");
    }
}
